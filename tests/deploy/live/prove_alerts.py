"""Every alert is made to fire: Prometheus and Alertmanager watch loops at a stub venue that go wrong.

    .venv/bin/python tests/deploy/live/prove_alerts.py [NAME ...]

The rules are those that are deployed, but that each `for` is sixty times shorter. An alert counts as seen when
Alertmanager has it; its Slack must be told on behalf of the level that the rule names. In between, every query of the
dashboards is asked of that Prometheus. The exit code is 0 where all alerts were seen and every query had data at some
time.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from monitors import CLOCK, FASTER, Monitors, alert_names, fast_rules, monitors
from provocations import PROVOCATIONS, Provocation, venue_words
from stage import on_stage

DASHBOARDS = Path(__file__).resolve().parents[3] / "deploy/grafana/provisioning/dashboards"
_TOLD_US = 10_000_000


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def queries() -> dict[str, str]:
    """Every query of the dashboards, all values of its variables chosen."""
    found = {}
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                expr = target["expr"].replace("$__rate_interval", "1m")
                for variable in ("environment", "scheduler", "risk_profile", "schedule"):
                    expr = expr.replace(f'"${variable}"', '".*"')
                found[f"{path.stem}: {panel['title']} {target['refId']}"] = expr
    return found


def levels() -> dict[str, str]:
    """Who is told of each alert."""
    rules = [rule for group in yaml.safe_load(fast_rules())["groups"] for rule in group["rules"] if "alert" in rule]
    return {rule["alert"]: rule["labels"]["escalation"] for rule in rules}


def told(watching: Monitors, alert: str) -> str:
    """Whom Slack was told to mention, once it was."""
    until_us = CLOCK.monotonic_us() + _TOLD_US
    while not (level := watching.slack.level_told(alert)) and CLOCK.monotonic_us() < until_us:
        CLOCK.sleep_us(100_000)
    return level


def provoke(one: Provocation, watching: Monitors, folder: Path, unanswered: dict[str, str]) -> dict[str, float]:
    """Let it go wrong; gives which alerts were seen after how many seconds, and strikes out queries that had data."""
    place = folder / one.name.replace(" ", "-")
    data = place.with_suffix(".data")
    data.mkdir()
    with on_stage(watching, place, one.change, venue_words(one, data)) as stage:
        try:
            one.act(stage)
        finally:
            for name, expr in list(unanswered.items()):
                if watching.series(expr):
                    del unanswered[name]
        return stage.seen


def prove(wanted: tuple[Provocation, ...], programs: list[str], folder: Path) -> bool:
    """Print what was seen; gives whether that is everything."""
    began_us, unanswered, to_whom = CLOCK.monotonic_us(), queries(), levels()
    asked, missing = len(unanswered), []
    with monitors(*programs, folder) as watching:
        for one in wanted:
            say(f"\n{one.name}")
            seen = provoke(one, watching, folder, unanswered)
            for alert, how in one.alerts.items():
                level = told(watching, alert) if alert in seen else ""
                is_silenced = alert in seen and not level
                found = f"seen after {seen[alert]:5.1f} s" if alert in seen else "NOT SEEN          "
                whom = f"Slack told {level}" if level else ("silenced by a worse one" if is_silenced else "")
                say(f"  {alert:26} {found}  {whom:24} {how}")
                if alert not in seen or (level or to_whom[alert]).lower() != to_whom[alert].lower():
                    missing.append(alert)
            beside = sorted(set(seen) - set(one.alerts))
            if beside:
                say(f"  besides: {', '.join(beside)}")
    untried = sorted(set(alert_names()) - {alert for one in wanted for alert in one.alerts})
    count, seconds = len(to_whom) - len(missing) - len(untried), (CLOCK.monotonic_us() - began_us) / 1e6
    say(f"\n{count} of {len(to_whom)} alerts seen, each `for` {FASTER} times shorter, in {seconds:.0f} s")
    if untried:
        say(f"not tried: {', '.join(untried)}")
    say(f"{asked - len(unanswered)} of {asked} queries of the dashboards had data")
    for name in unanswered:
        say(f"  without data: {name}")
    return not (missing or untried or unanswered)


def main() -> int:
    names = set(sys.argv[1:])
    wanted = tuple(one for one in PROVOCATIONS if not names or names & {*one.alerts})
    programs = [shutil.which("prometheus"), shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")]
    if None in programs:
        say("skipped: prometheus or alertmanager is not installed")
        return int(os.environ.get("BARSTEP_STRICT") == "1")
    if keep := os.environ.get("KEEP"):
        Path(keep).mkdir()
        return int(not prove(wanted, programs, Path(keep)))
    with tempfile.TemporaryDirectory() as folder:
        return int(not prove(wanted, programs, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
