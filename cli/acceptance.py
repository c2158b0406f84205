"""`barstep acceptance run`: the whole runbook of stage 4, step by step, into one folder."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .interruption import interruptible
from .scheduler_options import DEFAULT_ENVIRONMENT
from .settings import config_path

if TYPE_CHECKING:
    from ..ops.acceptance.running import Step
    from ..ops.acceptance.stage import Outcome

app = typer.Typer(rich_markup_mode=None, help="Accept an installation: the runbook of stage 4.", no_args_is_help=True)
STRICT = "BARSTEP_STRICT"
_TIMESTAMP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@app.callback()
def _group() -> None:
    """Accept an installation."""


@app.command("run")
def run_command(
    environment: Annotated[
        str, typer.Option("--environment", help="A name, an alias or a type.")
    ] = DEFAULT_ENVIRONMENT,
    config: Annotated[
        Path | None, typer.Option("--config", help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    timestamp: Annotated[
        str | None, typer.Option("--timestamp", help="Names the folder. [now, UTC, as YYYYMMDDTHHMMSSZ]")
    ] = None,
    run_id: Annotated[str | None, typer.Option("--run-id", help="Version of the bundles. [the timestamp]")] = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", help="A step to leave out; may be repeated.")] = None,
    coverage: Annotated[
        Path | None, typer.Option("--coverage-xml", help="A report to judge, in the place of running the tests.")
    ] = None,
    metrics_url: Annotated[
        str | None, typer.Option("--metrics-url", help="A loop's endpoint. [telemetry of a replay]")
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", help="Of the risk simulation. [what comes with barstep]")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Go through the runbook of stage 4: PASS, FAIL or SKIP of each step, all files in one folder.

    A step that fails does not stop those that do not need it. Exits 1 where one fails; with BARSTEP_STRICT=1 also where
    one cannot run here.
    """
    from ..ops.acceptance.running import run_acceptance
    from ..ops.acceptance.stage import Asked
    from ..replay.clock import SystemClock
    from .console import say_if_cold

    clock = SystemClock()
    at = timestamp or _now(clock.now_us())
    for name, text in (("--timestamp", at), ("--run-id", run_id or at)):
        if _TIMESTAMP.fullmatch(text) is None:
            raise UsageError(f"{name} {text!r}: allowed are up to 64 letters, digits, '.', '_' and '-'.")
    asked = Asked(
        config=config_path(config), environment=environment, timestamp=at, run_id=run_id or at, environ=os.environ,
        strict=os.environ.get(STRICT) == "1", skip=tuple(skip or ()), coverage=coverage, metrics_url=metrics_url,
        scenarios=scenarios,
    )  # fmt: skip
    if not json_output:
        say_if_cold()
    with interruptible(), _shown(quiet=json_output) as begun:
        report = run_acceptance(
            asked, clock, begun=begun,
            told=(lambda _: None) if json_output else _tell,
            made=lambda line: typer.echo(line, err=True),
        )  # fmt: skip
    if json_output:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        typer.echo(f"{'FAIL: ' + ', '.join(report.failed) if report.failed else 'PASS'}; {asked.folder}")
    if report.failed:
        raise typer.Exit(1)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Callable[[Step], object]]:
    """Show a person on stderr which step is on its way."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda step: status.update(step.title)


def _tell(outcome: Outcome) -> None:
    typer.echo(f"{outcome.status}  {outcome.step:<20}  {outcome.seconds:8.1f} s  {outcome.title}: {outcome.text}")


def _now(us: int) -> str:
    from ..config.durations import instant_at

    return f"{instant_at(us):%Y%m%dT%H%M%SZ}"
