"""`barstep smoke`: a few runs of each schedule over recorded bars, and a report of what came of them."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .scheduler_options import DEFAULT_ENVIRONMENT
from .settings import config_path

if TYPE_CHECKING:
    from ..ops.smoke_report import SmokeReport

_TOLD = {
    "avg_confidence": "confidence",
    "avg_abs_zscore": "|z|",
    "avg_realized_volatility": "volatility",
    "allocation_error_pct": "allocation error %",
    "spread_capture_bps": "capture bps",
    "secondary_delay_ms": "delay ms",
}
"""Metrics that people are shown, with the heads of their columns."""


def smoke_command(
    cycles: Annotated[int, typer.Option(help="Runs of each schedule, at consecutive due times after warm-up.")] = 3,
    strategy: Annotated[
        str | None, typer.Option(help="Look at the schedules of this strategy or engine only. [all]")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it. [the environment's]")] = None,
    environment: Annotated[str, typer.Option(help="Whose bars and capital it has.")] = DEFAULT_ENVIRONMENT,
    start: Annotated[
        str | None, typer.Option(help="From when on cycles are taken, ISO 8601, UTC. [the last ones of the bars]")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The report; one that is there is replaced.")] = Path(
        "smoke_report.json"
    ),
    json_output: Annotated[bool, typer.Option("--json", help="Print the report instead of tables.")] = False,
) -> None:
    """Run the schedules of an environment a few times over recorded bars and check all that must come of it.

    Exits with 1 where a schedule did not run, a number is missing, bars are stale, or a metric fails its bound.
    """
    from ..ops.smoke import smoke
    from ..ops.smoke_report import write_report
    from .console import say_if_cold

    if output.is_dir():
        raise UsageError(f"--output {output}: is a folder; name a file, such as {output / 'smoke_report.json'}.")
    if not json_output:
        say_if_cold()
    report = smoke(
        config_path(config), scheduler, environment=environment, cycles=cycles, strategy=strategy, start=start
    )
    write_report(report, output)
    if json_output:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        _print(report)
        typer.echo(f"wrote {output}")
    if report.issues:
        raise typer.Exit(1)


def _print(report: SmokeReport) -> None:
    from .console import print_columns

    plain = report.to_dict()
    overall = plain["overall"]
    of = "" if report.strategy is None else f", strategy {report.strategy}"
    typer.echo(
        f"{plain['scheduler']} in {plain['environment']}{of}: {overall['runs_executed']:,} runs executed, "
        f"{overall['runs_skipped']:,} skipped; equity {overall['equity']:,.2f}"
    )
    heads = ("schedule", "last due", "runs", "accepted", "dropped", "weight", *_TOLD.values())
    print_columns([heads, *map(_row, plain["schedules"])], numbers_from=2)
    for finding in (*report.issues, *report.warnings):
        cycle = "" if finding.cycle is None else f", cycle {finding.cycle}"
        typer.echo(f"  {finding.severity}: {finding.schedule or 'the account'}{cycle}: {finding.text}")
    typer.echo(f"{'FAIL' if report.issues else 'PASS'}: {len(report.issues)} issues, {len(report.warnings)} warnings")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    numbers = ("–" if one[name] is None else f"{one[name]:,.2f}" for name in _TOLD)
    dropped = ", ".join(f"{count} {reason}" for reason, count in one["dropped"].items()) or "0"
    runs = f"{one['runs_executed']}/{len(one['runs'])}"
    due = f"{one['runs'][-1]['due_time'][:16]}Z"
    return (one["schedule"], due, runs, str(one["accepted"]), dropped, f"{one['weight']:.3f}", *numbers)
