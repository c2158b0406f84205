"""`barstep load-test`: how long an iteration of a scheduler takes under load, and what the process uses."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .scheduler_options import DEFAULT_ENVIRONMENT
from .settings import config_path

if TYPE_CHECKING:
    from ..ops.load_test_report import LoadReport


def load_test_command(
    iterations: Annotated[int, typer.Option(help="Runs of each schedule.")] = 30,
    schedules: Annotated[int, typer.Option(help="Schedules that are due at every instant.")] = 3,
    signals: Annotated[int, typer.Option(help="Signals of each run.")] = 5,
    interval_ms: Annotated[
        float, typer.Option(help="From the beginning of an iteration to that of the next; 0: as fast as it goes.")
    ] = 50.0,
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Whose capital policy, profiles and tags it has. [the environment's]")
    ] = None,
    environment: Annotated[str, typer.Option(help="Whose capital it has.")] = DEFAULT_ENVIRONMENT,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The report; one that is there is replaced. The journal is beside it."),
    ] = Path("logs/load_tests/scheduler_profile.json"),
    json_output: Annotated[bool, typer.Option("--json", help="Print the report instead of a table.")] = False,
) -> None:
    """Run a scheduler with its journal and its sinks at a pace, and time each iteration.

    Exits with 1 where the process uses more than `runtime.resource_limits` allows.
    """
    from ..ops.load_test import Load, load_test
    from .console import say_if_cold

    if output.is_dir():
        raise UsageError(f"--output {output}: is a folder; name a file, such as {output / 'scheduler_profile.json'}.")
    load = Load(iterations=iterations, schedules=schedules, signals=signals, interval_ms=interval_ms)
    path = config_path(config)
    if not json_output:
        say_if_cold()
    report = load_test(path, load, output.parent, environment=environment, scheduler=scheduler)
    report.write(output)
    if json_output:
        typer.echo(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        _print(report)
        typer.echo(f"wrote {output}")
    if report.resources.status == "breach":
        raise typer.Exit(1)


def _print(report: LoadReport) -> None:
    from .console import print_columns

    seen = ", ".join(f"{count:,} {status}" for status, count in sorted(report.signals_seen.items()))
    typer.echo(
        f"{report.scheduler} in {report.environment}: {report.iterations:,} iterations of {report.schedules:,} "
        f"schedules in {report.seconds:.2f} s; signals: {seen}"
    )
    latency = report.latency_ms
    print_columns([("latency ms", *latency), ("", *(f"{value:.3f}" for value in latency.values()))], numbers_from=1)
    per_second = report.throughput
    typer.echo(
        f"  jitter {report.jitter_ms:.3f} ms; {per_second['runs_per_s']:,.0f} runs and "
        f"{per_second['signals_per_s']:,.0f} signals a second while busy"
    )
    use = report.resources
    rows = [
        (name, f"{use.usage[name]:,.1f}", f"{limit:,.1f}" if (limit := use.limits.get(name)) else "–", status)
        for name, status in use.statuses.items()
    ]
    print_columns([("resource", "used", "limit", "status"), *rows], numbers_from=3)
    typer.echo(f"resources: {use.status}")
