"""`barstep walk-forward …`: choose parameters on the past, trade them on what follows, and say how much may be luck."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import refuse_existing
from .interruption import interruptible
from .settings import catalog_with, read_own_settings
from .sweep_axes import AXIS_HELP, LowestOption, read_axes

if TYPE_CHECKING:
    from ..engine.walk_forward_result import WalkForwardResult


def walk_forward_command(
    strategy: Annotated[str, typer.Argument(help="Name of a strategy engine.")],
    file: Annotated[Path, typer.Argument(help="A normalised dataset.")],
    train_bars: Annotated[int, typer.Option(help="Length of a training; of the first one where they are anchored.")],
    test_bars: Annotated[int, typer.Option(help="Length of the test that follows each.")],
    axes: Annotated[list[str] | None, typer.Option("--axis", help=AXIS_HELP)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, a parameter or an option that is not varied.")
    ] = None,
    step_bars: Annotated[int, typer.Option(help="From one test to the next; 0: the length of a test.")] = 0,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Every training starts at the first bar; else it rolls on.")
    ] = False,
    purge_bars: Annotated[int, typer.Option(help="Bars between a training and its test that belong to neither.")] = 0,
    embargo_bars: Annotated[int, typer.Option(help="Bars after each test that later trainings leave out.")] = 0,
    select: Annotated[str, typer.Option(help="Metric by which the best set of a training is chosen.")] = "sharpe",
    lowest: LowestOption = None,
    sampling: Annotated[
        str, typer.Option(help="grid, random, sobol or latin_hypercube; the last three draw --sets of them.")
    ] = "grid",
    sets: Annotated[int | None, typer.Option(help="How many parameter sets are drawn.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    secondary: Annotated[
        Path | None, typer.Option(help="The second venue's dataset, for engines that trade two.")
    ] = None,
    funding: Annotated[Path | None, typer.Option(help="Funding rates of a perpetual.")] = None,
    engine_files: Annotated[
        list[Path] | None, typer.Option("--engine-file", help="A Python file with engines of your own. It is run.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="How many sets run side by side. [one a processor]")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for result.json and the tables as Parquet.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="File for the report: .html to explore, .pdf or .png to print.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Sweep each training, trade its best set over the test that follows, join the tests to one account."""
    for path in (output, report):
        if path is not None:
            refuse_existing(path, overwrite=overwrite)
    asked: dict[str, Any] = {
        "train_bars": train_bars,
        "test_bars": test_bars,
        "step_bars": step_bars,
        "anchored": anchored,
        "purge_bars": purge_bars,
        "embargo_bars": embargo_bars,
        "select": select,
        "lowest": lowest,
        "sampling": sampling,
        "sets": sets,
        "seed": seed,
        "threads": threads,
    }
    given = read_own_settings(settings or [], asked)
    asked |= {"axes": read_axes(axes or []), "catalog": catalog_with(engine_files or []), **given}
    if report is not None:
        from ..report.writing import format_of, require_libraries

        require_libraries(format_of(report))
    result = _walk(strategy, file, secondary, funding, asked, quiet=json_output)
    if output is not None:
        result.save(output, overwrite=overwrite)
    if report is not None:
        result.report(report)
    if json_output:
        typer.echo(_as_json(result))
        return
    _print(result)
    for path in (output, report):
        if path is not None:
            typer.echo(f"wrote {path}")


def _walk(
    strategy: str, file: Path, secondary: Path | None, funding: Path | None, asked: dict[str, Any], *, quiet: bool
) -> WalkForwardResult:
    from ..data.funding import read_funding
    from ..engine.bars import load
    from ..engine.walk_forward import walk_forward
    from .console import progress_of_cells, say_if_cold

    engine = asked["catalog"][strategy]  # a mistyped name is told before a long read
    bars = load(file)
    asked["secondary"] = None if secondary is None else load(secondary)
    asked["funding"] = None if funding is None else read_funding(funding)
    if not quiet:
        say_if_cold()
    try:
        with interruptible(), progress_of_cells("walking forward", quiet=quiet) as told:
            return walk_forward(bars, engine, progress=told, **asked)
    except typer.Exit:
        typer.echo("stopped: nothing was kept", err=True)
        raise


def _as_json(result: WalkForwardResult) -> str:
    import polars as pl

    from .console import as_json

    times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    windows = result.windows.with_columns(times).to_dicts()
    return as_json({"result": json.loads(result.to_json()), "windows": windows})


def _print(result: WalkForwardResult) -> None:
    from rich.console import Console

    from ..report.luck import luck
    from .console import metric_table, print_columns, say_what_happened

    print_columns(list(_windows(result)), numbers_from=3)
    Console().print(metric_table({"out of sample": result.metrics}))
    say_what_happened(result.asked.engine.name, result.stitched)
    told = luck(json.loads(result.to_json()))
    print_columns([(each["label"], each["value"], each["formula"]) for each in told])


def _windows(result: WalkForwardResult) -> Iterator[Sequence[str]]:
    """A heading, and a row a window: its test, what was chosen, and what it came to before and after."""
    from .console import format_metric

    select, axes = result.asked.select, list(result.asked.axes)
    measured = {
        f"train_{select}": select,
        f"test_{select}": select,
        "test_total_return_pct": "return_pct",
        "test_trades": "trades",
        "equity": "equity",
    }
    yield ("window", "test from", "to", *axes, f"{select} trained", "tested", "return_pct", "trades", "equity")
    for row in result.windows.iter_rows(named=True):
        yield (
            str(row["window"]),
            *(f"{row[name]:%Y-%m-%d %H:%M}" for name in ("test_start", "test_end")),
            *("–" if row[f"chosen_{name}"] is None else str(row[f"chosen_{name}"]) for name in axes),
            *(format_metric(name, row[column]) for column, name in measured.items()),
        )
