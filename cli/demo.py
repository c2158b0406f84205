"""`barstep demo`: every engine on the embedded datasets, a scheduler, and the proof of its replay."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..engine.result import Result
    from ..engine.scheduler.result import SchedulerResult
    from ..ops.proof import Proof

_SHOWN = {
    "total_return_pct": "return %",
    "sharpe": "sharpe",
    "max_drawdown_pct": "drawdown %",
    "trades": "trades",
    "win_rate_pct": "wins %",
    "exposure_pct": "exposed %",
}

_PROVED_UNTIL = "2023-02-01"
_NEXT = """\
The bars are generated: the figures show the machine, not a market. Next:
  barstep backtest --list                  the engines and their parameters
  barstep data import FILE                 your own bars, from nearly any vendor
  barstep backtest mean_reversion FILE     one engine on them, with all metrics
  barstep backtest --scheduler core_multi  the scheduler, with all it decided
  barstep replay --speed 36000x            the same in event time, to be watched"""


def demo_command(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Backtest every engine, and the scheduler of the shipped configuration, on embedded bars made from a seed.

    Then a month of it is replayed with a signed journal, which is verified and done again.
    """
    from ..config.reading import PACKAGED
    from ..data.presets import EMBEDDED_FOLDER
    from ..engine.backtest import backtest
    from ..engine.bars import load
    from ..engine.catalog import DEFAULT_STRATEGY_CATALOG
    from ..engine.scheduler.backtest import backtest_scheduler
    from ..ops.proof import prove
    from .console import progress, say_if_cold

    if not json_output:
        say_if_cold()
    files = sorted(EMBEDDED_FOLDER.glob("binance_*_1h.parquet"))
    results: dict[str, dict[str, Result]] = {}
    for path in progress(files, "backtesting", quiet=json_output):
        bars = load(path)
        other = load(path.with_name(path.name.replace("binance", "kraken")))
        results[bars.symbol] = {
            engine.name: backtest(bars, engine, secondary=other if engine.needs_secondary else None)
            for engine in DEFAULT_STRATEGY_CATALOG
        }
    scheduled, proof = backtest_scheduler(PACKAGED), prove(PACKAGED, end=_PROVED_UNTIL)
    if json_output:
        documents = {
            symbol: {name: json.loads(result.to_json()) for name, result in by_engine.items()}
            for symbol, by_engine in results.items()
        }
        document = {"results": documents, "scheduler": json.loads(scheduled.to_json()), "replay": asdict(proof)}
        typer.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        _print_results(results)
        _print_scheduled(scheduled)
        _print_proof(proof)
        typer.echo(_NEXT)
    if not proof.holds:
        raise typer.Exit(1)


def _print_results(results: dict[str, dict[str, Result]]) -> None:
    for by_engine in results.values():
        typer.echo(f"\n{next(iter(by_engine.values())).bars!r}; fee 10 bps, fills at the next open")
        _print_table("engine", by_engine)


def _print_table(what: str, results: Mapping[str, Result | SchedulerResult]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from .console import format_metric

    table = Table(box=box.SIMPLE_HEAD, padding=0)
    table.add_column(what, no_wrap=True)
    for heading in _SHOWN.values():
        table.add_column(heading, justify="right")
    for name, result in results.items():
        table.add_row(name, *(format_metric(metric, result.metrics[metric]) for metric in _SHOWN))
    Console().print(table)


def _print_scheduled(result: SchedulerResult) -> None:
    signals = result.signals
    typer.echo("\nall of them governed, by the shipped config/core.yaml")
    _print_table("scheduler", {result.setup.name: result})
    typer.echo(
        f"  {signals['seen']:,} signals, {signals['accepted']:,} accepted; "
        f"{result.capital_weights.height:,} refreshes of capital weights\n"
    )


def _print_proof(proof: Proof) -> None:
    said = {True: "yes", False: "NO"}
    typer.echo(f"{proof.scheduler} in event time, {proof.bars:,} bars one after the other, with a signed journal")
    for secret in proof.secrets:
        typer.echo(f"  made for the demonstration: {secret}")
    typer.echo(
        f"  the same decisions, weights and equity as the backtest, bit for bit: {said[proof.same_as_backtest]}\n"
        f"  {proof.records:,} records, each signed and in its place: {said[proof.verified]}\n"
        f"  done again from the journal, {proof.compared:,} records compared, all the same: {said[proof.done_again]}\n"
    )
