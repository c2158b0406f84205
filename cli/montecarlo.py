"""`barstep montecarlo …`: a saved result's bars or trades in other orders, and what might have come of them."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import UsageError, refuse_existing, unknown_name

if TYPE_CHECKING:
    from ..engine.montecarlo import Method
    from ..engine.montecarlo_result import MonteCarloResult

_METHODS = ("stationary", "block", "moving_block", "trades", "shuffled_trades")


def montecarlo_command(
    result: Annotated[Path, typer.Argument(help="A folder that `--output` wrote, or its result.json.")],
    paths: Annotated[int, typer.Option("--paths", help="How many paths.")] = 10_000,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Bars: stationary (blocks of geometric length), block (circular, of one length), moving_block. "
            "Trades: trades (with replacement), shuffled_trades (each once).",
        ),
    ] = "stationary",
    block_bars: Annotated[
        float | None, typer.Option("--block-bars", help="Bars of a block, on average. [by the autocorrelation]")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="What the draws are made from.")] = 0,
    threads: Annotated[int | None, typer.Option("--threads", help="Paths made at a time. [the cores]")] = None,
    ruin_drawdown_pct: Annotated[
        float, typer.Option("--ruin-drawdown-pct", help="Drawdown whose chance of being exceeded is told.")
    ] = 50.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for montecarlo.json, paths.parquet, bands.parquet.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write the result's page with bands and distributions, .html.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace folder and page where they are there.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Resample a saved result: how return, risk and drawdown are spread over paths that could have been."""
    if method not in _METHODS:
        raise UsageError(unknown_name("method", method, _METHODS))
    from ..engine.montecarlo import montecarlo
    from ..report.reading import result_folder
    from ..report.writing import check_montecarlo, format_of
    from .console import progress_of_bars, say_if_cold

    folder = result_folder(result)
    for path in (output, report):
        if path is not None:
            refuse_existing(path, overwrite=overwrite)
    if report is not None:
        check_montecarlo(format_of(report), report)
    if not json_output:
        say_if_cold()
    with progress_of_bars("resampling", quiet=json_output) as progress:
        found = montecarlo(
            folder,
            paths=paths,
            method=cast("Method", method),
            block_bars=block_bars,
            seed=seed,
            threads=threads,
            ruin_drawdown_pct=ruin_drawdown_pct,
            progress=progress,
        )
    if output is not None:
        found.save(output, overwrite=overwrite)
    if report is not None:
        found.report(report)
    if json_output:
        typer.echo(found.to_json())
        return
    _print(found)
    for written in (output, report):
        if written is not None:
            typer.echo(f"wrote {written}")


def _print(found: MonteCarloResult) -> None:
    """How the paths were made, a row a metric, and the two chances."""
    from ..report.montecarlo import method_words
    from .console import format_metric, print_columns

    size, unit = found.resampled.returns.size, found.resampled.unit
    typer.echo(f"{found.paths:,} paths of {size:,} {unit}s: {method_words(found)}, seed {found.seed}")
    heads = next(iter(found.metrics.values()))
    rows = [[name, *(format_metric(name, value) for value in row.values())] for name, row in found.metrics.items()]
    print_columns([["metric", *heads], *rows], numbers_from=1)
    typer.echo(f"probability of a loss: {found.probability_of_loss_pct:.4g} %")
    typer.echo(f"probability of a drawdown over {found.ruin_drawdown_pct:g} %: {found.probability_of_ruin_pct:.4g} %")
