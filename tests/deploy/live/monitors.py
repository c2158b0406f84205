"""Prometheus, Alertmanager and a Slack of our own on this machine, all of which end with the proof."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml
from barstep.replay.clock import SystemClock

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
CLOCK = SystemClock()
FASTER = 60
"""How much shorter every `for` is here, so that ten minutes are ten seconds."""
INTERVAL = "500ms"
"""Between two scrapes, and between two looks at the rules."""
_STARTS_US = 20_000_000


def free_port() -> int:
    with closing(create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def ask(url: str, **parameters: str | float) -> Any:
    """A document of JSON."""
    with urlopen(f"{url}?{urlencode(parameters)}" if parameters else url, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def shortened(duration: str) -> str:
    """A duration of the rules or of Alertmanager, `FASTER` times shorter."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()
    return f"{round(int(number) * {'s': 1, 'm': 60}[unit] * 1000 / FASTER)}ms"


def fast_rules() -> str:
    """The rules as they are deployed, but that each `for` is shorter."""
    document = yaml.safe_load((DEPLOY / "prometheus/rules/multi_strategy_rules.yml").read_text())
    for rule in (rule for group in document["groups"] for rule in group["rules"] if "for" in rule):
        rule["for"] = shortened(rule["for"])
    return yaml.safe_dump(document, sort_keys=False)


@dataclass
class Slack:
    """What would have been said in a channel.

    Attributes:
        url: Where Alertmanager posts.
        messages: What was posted.
    """

    url: str
    messages: list[Mapping[str, Any]] = field(default_factory=list)

    def level_told(self, alert: str) -> str:
        """Whom a message about an alert mentioned; empty where there was none."""
        for message in self.messages:
            for part in message["attachments"]:
                if re.search(rf"\b{alert}\b", part["title"]):
                    assert message["channel"] == "#ops-trading"
                    return re.match(r"@example-(\w+) answers", part["text"])[1]
        return ""


@contextmanager
def slack() -> Iterator[Slack]:
    heard = Slack(url="")

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *words: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    heard.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _process(words: list[str], folder: Path, ready: str) -> Iterator[None]:
    """Run it until it is no longer wanted; it is there when its page of readiness is."""
    with (folder / f"{Path(words[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            until_us = CLOCK.monotonic_us() + _STARTS_US
            while True:
                try:
                    with urlopen(ready, timeout=1):  # noqa: S310 - loopback
                        break
                except (URLError, OSError) as error:
                    if process.poll() is not None or CLOCK.monotonic_us() > until_us:
                        raise RuntimeError(f"{words[0]} does not start: {Path(log.name).read_text()}") from error
                    CLOCK.sleep_us(50_000)
            yield
        finally:
            process.terminate()
            process.wait(10)


@dataclass(frozen=True)
class Monitors:
    """What watches.

    Attributes:
        prometheus: Its address.
        alertmanager: Its address.
        slack: What was posted to it.
        targets: The file that says what is scraped.
    """

    prometheus: str
    alertmanager: str
    slack: Slack
    targets: Path

    def watch(self, *addresses: str) -> None:
        """Scrape these, and nothing else, from now on."""
        written = self.targets.with_suffix(".part")
        written.write_text(json.dumps([{"targets": list(addresses)}]))
        written.replace(self.targets)

    def alerts(self, instance: str) -> set[str]:
        """Names of the alerts of a loop that Alertmanager has now, silenced by a worse one or not."""
        found = ask(f"{self.alertmanager}/api/v2/alerts", filter=f'instance="{instance}"')
        return {one["labels"]["alertname"] for one in found}

    def ranges(self, expr: str, seconds: float, step: float) -> list[Mapping[str, Any]]:
        """What a query has given over the last seconds."""
        now = CLOCK.now_us() / 1e6
        answer = ask(f"{self.prometheus}/api/v1/query_range", query=expr, start=now - seconds, end=now, step=step)
        return answer["data"]["result"]


@contextmanager
def monitors(prometheus: str, alertmanager: str, folder: Path) -> Iterator[Monitors]:
    """Both as they are deployed, but for addresses, intervals and how long an alert waits.

    prometheus, alertmanager: the programs.
    """
    ports = {name: free_port() for name in ("prometheus", "alertmanager")}
    with slack() as heard:
        (folder / "webhook").write_text(heard.url)
        (folder / "rules.yml").write_text(fast_rules())
        told = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())
        told["global"]["slack_api_url_file"] = str(folder / "webhook")
        told["templates"] = [str(DEPLOY / "alertmanager/templates/*.tmpl")]
        told["route"] |= {name: shortened(told["route"][name]) for name in ("group_wait", "group_interval")}
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(told))
        scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
        scraped["global"] = {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL}
        scraped["rule_files"] = ["rules.yml"]
        scraped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{ports['alertmanager']}"]
        scraped["scrape_configs"][0].pop("static_configs")
        scraped["scrape_configs"][0]["file_sd_configs"] = [{"files": ["targets.json"], "refresh_interval": "1s"}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(scraped))
        (folder / "targets.json").write_text("[]")
        here = Monitors(*(f"http://127.0.0.1:{ports[name]}" for name in ports), heard, folder / "targets.json")
        watching = [prometheus, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
                    f"--web.listen-address=127.0.0.1:{ports['prometheus']}"]  # fmt: skip
        telling = [alertmanager, "--config.file=alertmanager.yml", "--storage.path=silences", "--log.level=warn",
                   f"--web.listen-address=127.0.0.1:{ports['alertmanager']}", "--cluster.listen-address="]  # fmt: skip
        with (
            _process(telling, folder, f"{here.alertmanager}/-/ready"),
            _process(watching, folder, f"{here.prometheus}/-/ready"),
        ):
            yield here
