"""Steps of observability: alert rules, telemetry within its bounds, dashboards that show those bounds."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from ...engine.scheduler.backtest import set_up_scheduler
from ...replay.certificates import MTLS
from ...replay.replaying import SECRETS
from ..bundles.observability import default_source
from ..dashboards.writing import dashboards
from ..headers_report import bounded_of_scrape, headers_report, write_report
from ..scrape import scrape
from ..stage4_artifacts import RULES
from ..watched_replay import last_values, replay_watched
from .stage import FailedError, SkippedError, Stage

_TESTS, _DASHBOARDS = Path("prometheus/tests"), Path("grafana/provisioning/dashboards")
_MOST_SECONDS = 300


def source_of(stage: Stage) -> Path:
    """The folder of rules and dashboards."""
    return stage.asked.source or default_source()


def check_rules(stage: Stage) -> str:
    """Promtool accepts the alert rules, and they fire as their tests say."""
    promtool = shutil.which("promtool")
    if promtool is None:
        raise SkippedError("promtool is not installed; it comes with Prometheus.")
    rules, cases = source_of(stage) / RULES, sorted((source_of(stage) / _TESTS).glob("*.yml"))
    for arguments in (["check", "rules", str(rules)], *([["test", "rules", *map(str, cases)]] if cases else [])):
        ran = subprocess.run(  # noqa: S603 - promtool, over files of this installation
            [promtool, *arguments], check=False, capture_output=True, text=True, timeout=_MOST_SECONDS
        )
        if ran.returncode:
            raise FailedError(f"promtool {' '.join(arguments[:2])}: {_in_a_line(ran.stdout + ran.stderr)}")
    return f"{rules.name} and {len(cases)} files of tests pass promtool"


def watch_telemetry(stage: Stage) -> str:
    """What schedules measure is within the bounds of their risk profiles."""
    if stage.asked.metrics_url is None:
        setup = set_up_scheduler(stage.core, environment=stage.environment)
        found = list(last_values(replay_watched(setup), setup))
        source = {"kind": "replay", "environment": stage.environment, "scheduler": setup.name,
                  "config_sha384": setup.config_digest}  # fmt: skip
    else:
        found = list(bounded_of_scrape(scrape(stage.asked.metrics_url, stage.clock, folder=SECRETS / MTLS)))
        source = {"kind": "endpoint", "url": stage.asked.metrics_url}
    report = headers_report(found, source)
    write_report(report, stage.asked.folder / "headers_report.json")
    beyond = [f"{one.schedule or 'the account'}: {one.metric} {one.value:g}" for one in found if one.status == "fail"]
    if beyond:
        raise FailedError(f"beyond the bounds of {'; '.join(beyond)}")
    if report["not_measured"]:
        raise FailedError(f"not measured: {', '.join(report['not_measured'])}")
    return f"{len(found)} metrics: {report['status']}"


def check_dashboards(stage: Stage) -> str:
    """The dashboards' thresholds are those of the configuration's risk profiles."""
    folder = source_of(stage) / _DASHBOARDS
    for name, wanted in dashboards(stage.core).items():
        path = folder / name
        if not path.is_file():
            raise FailedError(f"{path}: no such dashboard; `make dashboards` writes it.")
        try:
            shown = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FailedError(f"{path}: is no JSON: {error}.") from None
        panels = _other_panels(shown, wanted)
        if panels:
            raise FailedError(
                f"{path}: {', '.join(panels)} are not those of the configuration; `make dashboards` writes them anew."
            )
    return "thresholds of every panel are those of the risk profiles"


def _other_panels(shown: object, wanted: object) -> list[str]:
    """Titles of panels that differ; the dashboard where something else does."""
    if shown == wanted:
        return []
    if not isinstance(shown, dict) or not isinstance(wanted, dict):
        return ["the dashboard"]
    before = {str(panel.get("title")): panel for panel in shown.get("panels", []) if isinstance(panel, dict)}
    panels = [str(panel["title"]) for panel in wanted["panels"] if before.get(str(panel["title"])) != panel]
    return panels or ["the dashboard"]


def _in_a_line(text: str) -> str:
    return " ".join(text.split())[:500]
