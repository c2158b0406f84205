"""`barstep backtest --scheduler …`: a whole scheduler of a configuration over recorded bars."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import refuse_existing
from .scheduler_options import SchedulerOptions

if TYPE_CHECKING:
    from ..engine.scheduler.result import SchedulerResult

_HEADINGS = ("schedule", "strategy", "profile", "weight", "profit", "contribution %", "trades", "accepted", "refused")
_HELD_BACK = {
    "suspension": "suspended {name}",
    "signal_limit": "signals of {name} limited to {value:g} a run",
    "disabled_strategy": "disabled {name}",
    "mode": "{name}",
}
"""Interventions in words, by their kind."""

_LEFT_OUT_WITH = {kind: "limits" if kind == "signal_limit" else "suspensions" for kind in _HELD_BACK}
"""What leaves them out, but for a halt by the governor: that one goes with it."""

_MOST_INTERVENTIONS = 12
"""A governor may step in at every other bar; the result has them all."""


def backtest_a_scheduler(
    asked: SchedulerOptions,
    execution: Mapping[str, Any],
    *,
    output: Path | None,
    overwrite: bool,
    json_output: bool,
) -> None:
    """Run it, save it where that is asked for, and print it.

    Raises:
        UsageError: A name is unknown, a value is not allowed, or the output is there already.
        ConfigError: The configuration or the commands are refused.
    """
    from ..engine.scheduler.simulation import simulate
    from .console import progress_of_bars, say_if_cold

    if output is not None:
        refuse_existing(output, overwrite=overwrite)  # before a long run
    setup = asked.set_up(execution)
    if not json_output:
        say_if_cold()
    with progress_of_bars("backtesting", quiet=json_output) as progress:
        result = simulate(setup, progress)
    if output is not None:
        result.save(output, overwrite=overwrite)
    if json_output:
        typer.echo(result.to_json())
        return
    print_scheduler_result(result)
    if output is not None:
        typer.echo(f"wrote {output}")


def print_scheduler_result(result: SchedulerResult) -> None:
    """Metrics, a row a schedule, where signals went, and what was held back."""
    from rich.console import Console

    from .console import metric_table, print_columns, say_costs

    setup = result.setup
    left_out = f", without {', '.join(sorted(setup.without))}" if setup.without else ""
    typer.echo(f"{setup.name} in {setup.environment}{left_out}: {result.bars!r}")
    Console().print(metric_table({"portfolio": result.metrics}))
    print_columns(_schedule_rows(result), numbers_from=3)
    say_costs(result)
    if len(result.feed_changes):
        typer.echo(f"feeds: {len(result.feed_changes):,} switches between feeds and fallbacks")
    for line in (*_price_lines(result), *_signal_lines(result), *_intervention_lines(result)):
        typer.echo(line)


def _price_lines(result: SchedulerResult) -> Iterator[str]:
    """What the interventions that were left out made of the same run."""
    if result.setup.without:
        governed = result.governed.final_equity
        yield (
            f"with {' and '.join(sorted(result.setup.without))}: final equity {governed:,.2f} instead of "
            f"{result.final_equity:,.2f}, a difference of {governed - result.final_equity:+,.2f}"
        )


def _schedule_rows(result: SchedulerResult) -> list[tuple[str, ...]]:
    """A row of headings, then one a schedule, in declared order; the weight is that of the last refresh."""
    import polars as pl

    rows: list[tuple[str, ...]] = [_HEADINGS]
    made = {row["schedule"]: row for row in result.attribution("schedule").iter_rows(named=True)}
    weights = result.capital_weights.tail(1)
    by_status = result.decisions.group_by("schedule", "status").agg(pl.len())
    counts = {(schedule, status): count for schedule, status, count in by_status.iter_rows()}
    for place in result.setup.order:
        one = result.setup.resolved[place]
        own = made.get(one.name, {"profit": 0.0, "contribution_pct": 0.0, "trades": 0})
        weight = f"{weights[one.name].item():.3f}" if weights.height else "–"
        money = (f"{own['profit']:,.2f}", f"{own['contribution_pct']:,.2f}", f"{own['trades']:,}")
        signals = (f"{counts.get((one.name, status), 0):,}" for status in ("accepted", "refused"))
        rows.append((one.name, one.strategy.name, one.risk_profile, weight, *money, *signals))
    return rows


def _signal_lines(result: SchedulerResult) -> Iterator[str]:
    """Where signals went, and the orders that were not filled as asked: each reason with its text."""
    from ..engine.reasons import DECISION_TEXTS, REFUSALS

    signals = result.signals
    yield f"signals: {signals['seen']:,} seen, {signals['accepted']:,} accepted"
    yield from _reason_lines("refused, or only allowed to close", signals, DECISION_TEXTS)
    yield from _reason_lines("orders not filled as asked", result.refusals, REFUSALS)


def _reason_lines(heading: str, counts: Mapping[str, int], texts: Mapping[str, str]) -> Iterator[str]:
    met = {reason: text for reason, text in texts.items() if counts[reason]}
    if met:
        yield f"{heading}:"
    for reason, text in met.items():
        yield f"  {counts[reason]:,} {reason.replace('_', ' ')}: {text}"


def _intervention_lines(result: SchedulerResult) -> Iterator[str]:
    """What was held back, by whom and why, from when to when; what was left out is told as that."""
    rows = list(result.interventions.iter_rows(named=True))
    yield f"interventions: {len(rows):,}" if rows else "interventions: none"
    for row in rows[:_MOST_INTERVENTIONS]:
        what = _HELD_BACK[row["kind"]].format(**row)
        why = f": {row['reason']}" if row["reason"] else ""
        yield f"  {what} ({row['source']}){why}; {_when(row, result.setup.without)}"
    if len(rows) > _MOST_INTERVENTIONS:
        yield f"  and {len(rows) - _MOST_INTERVENTIONS:,} more"


def _when(row: Mapping[str, Any], without: Collection[str]) -> str:
    if _LEFT_OUT_WITH[row["kind"]] in without and row["source"] != "governor":
        return "left out of this run"
    until = f"to {row['end']:%Y-%m-%dT%H:%MZ}" if row["end"] is not None else "on"
    return f"from {row['begin']:%Y-%m-%dT%H:%MZ} {until}"
