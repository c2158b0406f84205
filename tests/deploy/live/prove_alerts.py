"""Every alert is made to fire: Prometheus and Alertmanager watch loops at a stub venue that go wrong.

    .venv/bin/python tests/deploy/live/prove_alerts.py [ALERT ...] [--keep FOLDER]

The rules are those that are deployed, but that each `for` is sixty times shorter. An alert counts as seen when
Alertmanager has it; its Slack must be told on behalf of the level that the rule names, unless a worse alert silences
it. In between, every query of the dashboards is asked of that Prometheus. The exit code is 0 where all alerts were seen
that can be, and every query had data at some time. With `--keep` everything stays in a new folder, with pictures of the
dashboards.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from barstep.ops.dashboards.panels import VARIABLES
from monitors import CLOCK, FASTER, Monitors, fast_rules, monitors
from provocations import PROVOCATIONS, Provocation, venue_words
from stage import on_stage

DASHBOARDS = Path(__file__).resolve().parents[3] / "deploy/grafana/provisioning/dashboards"
_TOLD_US = 10_000_000


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def filled(expr: str) -> str:
    """A query of a dashboard, all values of its variables chosen."""
    expr = expr.replace("$__rate_interval", "1m")
    for variable in VARIABLES:
        expr = expr.replace(f'"${variable}"', '".*"')
    return expr


def queries() -> dict[str, str]:
    """Every query of the dashboards."""
    return {
        f"{path.stem}: {panel['title']} {target['refId']}": filled(target["expr"])
        for path in sorted(DASHBOARDS.glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    }


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


def provoke(
    one: Provocation, watching: Monitors, folder: Path, unanswered: dict[str, str], *, is_drawn: bool
) -> dict[str, float]:
    """Let it go wrong; gives which alerts were seen after how many seconds, and strikes out queries that had data."""
    place = folder / one.name.replace(" ", "-")
    data = place.with_suffix(".data")
    data.mkdir()
    with on_stage(watching, place, one.change, venue_words(one, data)) as stage:
        one.act(stage)
        ranges = partial(watching.ranges, seconds=(CLOCK.monotonic_us() - stage.began_us) / 1e6, step=0.5)
        for name in [name for name, expr in unanswered.items() if ranges(expr)]:
            del unanswered[name]
        if is_drawn:
            draw_dashboards(ranges, place)
        return stage.seen


def draw_dashboards(ranges: Callable[[str], Any], folder: Path) -> None:
    from preview import draw  # noqa: PLC0415 - where pictures are wanted

    for path in sorted(DASHBOARDS.glob("*.json")):
        draw(json.loads(path.read_text()), filled, ranges, folder / f"{path.stem}.png")


def outcome(alert: str, seen: dict[str, float], level: str) -> str:
    """What is printed of an alert."""
    if alert in seen:
        return f"seen after {seen[alert]:5.1f} s  {f'Slack told {level}' if level else 'silenced by a worse one'}"
    return "NOT SEEN"


def prove(wanted: tuple[Provocation, ...], programs: list[str], folder: Path, *, is_drawn: bool) -> bool:
    """Print what was seen; gives whether that is everything that can be, of what was wanted."""
    began_us, unanswered, to_whom = CLOCK.monotonic_us(), queries(), levels()
    asked, all_seen, wrong = len(unanswered), set(), set()
    with monitors(*programs, folder) as watching:
        for one in wanted:
            say(f"\n{one.name}")
            seen = provoke(one, watching, folder, unanswered, is_drawn=is_drawn)
            for alert, how in one.alerts.items():
                level = told(watching, alert) if alert in seen else ""
                say(f"  {alert:26} {outcome(alert, seen, level):43} {how}")
                if level not in ("", to_whom[alert].lower()) or alert not in seen:
                    wrong.add(alert)
            if beside := sorted(seen.keys() - one.alerts.keys()):
                say(f"  besides: {', '.join(beside)}")
            all_seen |= seen.keys()
        (folder / "slack.json").write_text(json.dumps(watching.slack.messages, indent=2))
    untried = to_whom.keys() - {alert for one in wanted for alert in one.alerts}
    seconds = (CLOCK.monotonic_us() - began_us) / 1e6
    say(f"\n{len(all_seen)} of {len(to_whom)} alerts seen, each `for` {FASTER} times shorter, in {seconds:.0f} s")
    for names, what in ((to_whom.keys() - all_seen, "not seen"), (wrong, "not as they should be")):
        if names:
            say(f"{what}: {', '.join(sorted(names))}")
    say(f"{asked - len(unanswered)} of {asked} queries of the dashboards had data")
    for name in unanswered if not untried else ():
        say(f"  without data: {name}")
    return not wrong and (bool(untried) or not unanswered)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make every alert fire.")
    parser.add_argument("alerts", nargs="*", metavar="ALERT", help="only what provokes these")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder in which everything stays")
    asked = parser.parse_args()
    wanted = tuple(one for one in PROVOCATIONS if not asked.alerts or {*asked.alerts} & one.alerts.keys())
    programs = [shutil.which("prometheus"), shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")]
    if None in programs:
        say("skipped: prometheus or alertmanager is not installed")
        return int(os.environ.get("BARSTEP_STRICT") == "1")
    if asked.keep is not None:
        asked.keep.mkdir(parents=True)
        return int(not prove(wanted, programs, asked.keep, is_drawn=True))
    with tempfile.TemporaryDirectory() as folder:
        return int(not prove(wanted, programs, Path(folder), is_drawn=False))


if __name__ == "__main__":
    sys.exit(main())
