"""`barstep telemetry render`: how often alerts would have fired, to tune thresholds against alert fatigue."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UsageError
from .interruption import interruptible
from .scheduler_options import DEFAULT_ENVIRONMENT, SchedulerOptions
from .settings import config_path

_WIDTH = 40
"""Of the longest bar of a histogram."""

app = typer.Typer(help="What runs measured, as pictures for people.")


class Section(StrEnum):
    """What can be rendered."""

    SCHEDULER_ALERTS = "scheduler_alerts"


@app.callback()
def _group() -> None:
    """Render telemetry."""


@app.command("render")
def render_command(
    section: Annotated[Section, typer.Option("--section", help="What is rendered.")] = Section.SCHEDULER_ALERTS,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", "--journal-folder", help="Folder of a journal. [a replay of the environment's bars]"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it. [the environment's]")] = None,
    environment: Annotated[str | None, typer.Option(help="Whose journal or bars. [demo]")] = None,
    start: Annotated[str | None, typer.Option(help="When a replay starts, ISO 8601, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="When it ends.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show by risk profile and metric how many runs were beyond a bound, and how often an alert would have begun.

    A journal tells what engines measured; a replay also what the schedules' accounts did.
    """
    asked = SchedulerOptions(
        config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=None
    )
    if journal is not None and (start is not None or end is not None):
        raise UsageError("--start, --end: are for a replay; a journal is looked at as a whole.")
    with interruptible():
        found = _of_replay(asked) if journal is None else _of_journal(asked, journal)
    found["section"] = section.value
    if json_output:
        typer.echo(json.dumps(found, indent=2, sort_keys=True, allow_nan=False))
        return
    for line in _lines(found):
        typer.echo(line)


def _of_replay(asked: SchedulerOptions) -> dict[str, Any]:
    from ..ops.alert_histogram import alert_histogram
    from ..ops.watched_replay import replay_watched
    from .console import quiet_log, say_if_cold

    say_if_cold()
    quiet_log()
    setup = asked.set_up({})
    watch = replay_watched(setup)
    source = {"kind": "replay", "environment": setup.environment, "scheduler": setup.name}
    return alert_histogram(watch, setup.profiles, setup.resolved, source)


def _of_journal(asked: SchedulerOptions, folder: Path) -> dict[str, Any]:
    from ..engine.configured import choose_scheduler
    from ..ops.alert_histogram import alert_histogram, watch_journal
    from ..replay.bounds import BoundsWatch
    from ..replay.journal.files import JournalFiles

    chosen = choose_scheduler(config_path(asked.config), asked.environment or DEFAULT_ENVIRONMENT, asked.scheduler)
    profiles = chosen.core.risk_profiles
    watch = BoundsWatch(chosen.resolved, profiles)
    watch_journal(JournalFiles(folder=folder, environment=chosen.environment), watch)
    source = {"kind": "journal", "environment": chosen.environment, "scheduler": chosen.name, "journal": str(folder)}
    return alert_histogram(watch, profiles, chosen.resolved, source)


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    source = found["source"]
    yield f"alerts of {source['scheduler']} in {source['environment']}, by a {source['kind']}"
    for profile, told in found["risk_profiles"].items():
        yield f"\n{profile}: {told['runs']:,} runs"
        for metric, one in told["metrics"].items():
            yield from _of_metric(metric, one)


def _of_metric(metric: str, one: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {metric}: warn {one['warn_at']:g}, fail {one['fail_at']:g}"
    if not one["measured"]:
        yield "    not measured"
        return
    for status, count in one["counts"].items():
        share = count / one["measured"]
        began = "" if status == "ok" else f", began {one['episodes'][status]:,} times"
        yield f"    {status:<4} {'#' * round(share * _WIDTH):<{_WIDTH}} {count:>8,} {share:>8.2%}{began}"
    quantiles = ", ".join(f"{name} {value:,.2f}" for name, value in one["quantiles"].items())
    yield f"    least {one['least']:,.2f}, {quantiles}, greatest {one['greatest']:,.2f}"
