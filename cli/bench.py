"""`barstep bench gate`: hold the speed of kernels, engines and loops, or of one's own strategy, to budgets."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..ops.gate_report import GateReport, Row

app = typer.Typer(rich_markup_mode=None, help="Hold the speed of barstep, or of a strategy, to budgets.")


@app.callback(invoke_without_command=True)
def bench_group(context: typer.Context) -> None:
    """Hold the speed of barstep, or of a strategy, to budgets."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("gate")
def gate_command(
    budgets: Annotated[
        Path | None, typer.Option(help="The file of budgets. [benchmarks/budgets.yaml, else the one of barstep]")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Time this case only; may be given again. [all]")] = None,
    rounds: Annotated[int, typer.Option(help="How often each case is timed at least.")] = 160,
    save_baseline: Annotated[Path | None, typer.Option(help="Write what the cases took to this file.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A file of --save-baseline: no case may be much slower than it was.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="Time this engine instead: its name, or a file with engines of your own.")
    ] = None,
    max_ns_per_bar: Annotated[float | None, typer.Option(help="Most nanoseconds a bar of the strategy.")] = None,
    max_ratio: Annotated[
        float | None, typer.Option(help="Most that a bar of the strategy takes of a value of the yardstick.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Time barstep's cases, or a strategy, beside yardsticks in the same run, and hold them to budgets.

    Exits with 1 where one is over its budget, with 2 where the file of budgets is refused.
    """
    from ..ops.gate import Asked, gate
    from .console import say_if_cold

    if save_baseline is not None and save_baseline.is_dir():
        raise UsageError(f"--save-baseline {save_baseline}: is a folder; name a file.")
    asked = Asked(
        budgets=budgets,
        baseline=baseline,
        only=tuple(only or ()),
        strategy=strategy,
        max_ns_per_bar=max_ns_per_bar,
        max_ratio=max_ratio,
        rounds=rounds,
        saves=save_baseline is not None,
    )
    _say_which_budgets(budgets)
    if not json_output:
        say_if_cold()
    report = gate(asked)
    if json_output:
        typer.echo(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        _print(report)
    if save_baseline is not None:
        report.save_baseline(save_baseline)
        typer.echo(f"wrote {save_baseline}", err=json_output)
    if report.over:
        raise typer.Exit(1)


def _say_which_budgets(given: Path | None) -> None:
    from ..ops.gate_budgets import PACKAGED, default_path

    if given is None and default_path() == PACKAGED:
        typer.echo(f"no benchmarks/budgets.yaml here; reading the one that comes with barstep: {PACKAGED}", err=True)


def _print(report: GateReport) -> None:
    from .console import print_columns

    typer.echo(
        f"yardsticks: arithmetic {report.arithmetic_ns:.3g} ns a value, copy {report.copy_ns:.3g} ns a value; "
        f"{report.machine}"
    )
    heads = ("case", "ns", "per", "× arithmetic", "× copy", "budget", "verdict")
    print_columns([heads, *map(_row, report.rows)])
    said = ", ".join(row.case for row in report.over)
    typer.echo(f"FAIL: {len(report.over)} of {len(report.rows)} over budget: {said}" if said else _all_well(report))


def _all_well(report: GateReport) -> str:
    held = sum(row.verdict == "ok" for row in report.rows)
    return f"PASS: {held} of {len(report.rows)} held to a budget, none over it"


def _row(row: Row) -> tuple[str, ...]:
    timed, limits = row.timed, row.limits
    bounds = (
        (limits.ns_per_bar, "ns"),
        (limits.times_arithmetic, "× arithmetic"),
        (limits.times_copy, "× copy"),
    )
    budget = ", ".join(f"≤ {limit:,.4g} {unit}" for limit, unit in bounds if limit is not None)
    numbers = (timed.ns_per_bar.middle, timed.times_arithmetic.middle, timed.times_copy.middle)
    ns, arithmetic, copy = (f"{number:,.4g}" for number in numbers)
    return (row.case, ns, row.unit, arithmetic, copy, budget, row.verdict)
