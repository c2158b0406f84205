"""`barstep portfolio …`: many instruments, one cash account, by a table of targets or by strategies."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError, refuse_existing, unknown_name
from .settings import catalog_with, read_settings

if TYPE_CHECKING:
    import polars as pl

    from ..engine.allocation import Allocation
    from ..engine.catalog import StrategyCatalog
    from ..engine.portfolio_result import PortfolioResult


def portfolio_command(
    files: Annotated[list[Path], typer.Argument(help="Normalised datasets, one an instrument, of one interval.")],
    weights: Annotated[
        Path | None, typer.Option(help="Target weights: a table of timestamp and a column for each instrument.")
    ] = None,
    shares: Annotated[Path | None, typer.Option(help="Target quantities: a table like that of weights.")] = None,
    orders: Annotated[
        Path | None, typer.Option(help="Orders: timestamp, instrument, quantity and perhaps limit_price.")
    ] = None,
    strategies: Annotated[
        list[str] | None,
        typer.Option("--strategy", help="NAME or NAME=SHARE: an engine and its share of equity, 1 where none is said."),
    ] = None,
    engine_files: Annotated[
        list[Path] | None, typer.Option("--engine-file", help="A Python file with engines of your own. It is run.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE for all; STRATEGY.NAME=VALUE, a parameter or option of one; INSTRUMENT.NAME=VALUE.",
        ),
    ] = None,
    funding: Annotated[
        list[str] | None, typer.Option(help="INSTRUMENT=FILE: funding rates of a perpetual, with time and rate.")
    ] = None,
    every: Annotated[int, typer.Option(help="Targets count at bars whose number is a multiple of this.")] = 1,
    sizing_price: Annotated[
        str, typer.Option(help="close: quantities are fixed at the decision; fill: at the open that fills.")
    ] = "close",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for result.json and the tables as Parquet.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder where it is there.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Backtest a plan for many instruments over one cash account."""
    from ..engine.bars import load
    from ..engine.panel import Panel
    from ..engine.portfolio import portfolio
    from .console import progress, say_if_cold

    if output is not None:
        refuse_existing(output, overwrite=overwrite)  # before a long run
    tables = {"weight": weights, "shares": shares, "order": orders}
    size_type, table = _one_plan(tables, strategies or [])
    catalog = catalog_with(engine_files or [])
    bars = [load(path) for path in progress(files, "reading", quiet=json_output)]
    names = Panel(bars).names
    shared, own = _sorted_settings(read_settings(settings or []), [*_shares(strategies or []), *names])
    if not json_output:
        say_if_cold()
    result = portfolio(
        bars,
        table if table is not None else _allocations(strategies or [], own, catalog),
        size_type=size_type,
        every=every,
        sizing_price=sizing_price,  # type: ignore[arg-type]  # its words are checked there
        funding=_funding(funding or [], names),
        by_instrument={name: own[name] for name in names if name in own},
        catalog=catalog,
        **shared,
    )
    if output is not None:
        result.save(output, overwrite=overwrite)
    if json_output:
        typer.echo(result.to_json())
        return
    _print_result(result)
    if output is not None:
        typer.echo(f"wrote {output}")


def _one_plan(tables: Mapping[str, Path | None], strategies: Sequence[str]) -> tuple[Any, pl.DataFrame | None]:
    """What a number in the table is, and the table; None where strategies are the plan."""
    from ..data.table_file import read_plan

    given = [(size_type, path) for size_type, path in tables.items() if path is not None]
    if len(given) + bool(strategies) != 1:
        raise UsageError("give one plan: --weights FILE, --shares FILE, --orders FILE, or --strategy NAME=SHARE …")
    return (given[0][0], read_plan(given[0][1])) if given else ("weight", None)


def _shares(strategies: Iterable[str]) -> dict[str, float]:
    """Share of equity by the strategy's name."""
    shares: dict[str, float] = {}
    for text in strategies:
        name, equals, share = (part.strip() for part in text.partition("="))
        try:
            shares[name] = float(share) if equals else 1.0
        except ValueError:
            raise UsageError(f"--strategy {text!r}: write NAME or NAME=SHARE, such as mean_reversion=0.5.") from None
    return shares


def _sorted_settings(
    settings: Mapping[str, Any], owners: Iterable[str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Settings for all, and by whose they are: a strategy's or an instrument's."""
    shared: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        owner, dot, field = name.rpartition(".")
        if not dot:
            shared[name] = value
        elif owner in owners:
            own.setdefault(owner, {})[field] = value
        else:
            raise UsageError(f"--set {name}: {unknown_name('strategy or instrument', owner, owners)}")
    return shared, own


def _allocations(
    strategies: Sequence[str], own: Mapping[str, Mapping[str, Any]], catalog: StrategyCatalog
) -> list[Allocation]:
    from ..engine.allocation import Allocation

    plan = []
    for name, share in _shares(strategies).items():
        engine, settings = catalog[name], own.get(name, {})
        plan.append(
            Allocation(
                strategy=engine,
                weight=share,
                parameters={key: value for key, value in settings.items() if key in engine.own},
                options={key: value for key, value in settings.items() if key not in engine.own},
            )
        )
    return plan


def _funding(pairs: Iterable[str], names: Sequence[str]) -> dict[str, pl.DataFrame]:
    from ..data.funding import read_funding

    rates = {}
    for text in pairs:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(f"--funding {text!r}: write INSTRUMENT=FILE.")
        if name not in names:
            raise UsageError(f"--funding: {unknown_name('instrument', name, names)}")
        rates[name] = read_funding(Path(path))
    return rates


def _print_result(result: PortfolioResult) -> None:
    from rich.console import Console

    from .console import metric_table, say_what_happened

    Console().print(metric_table({"portfolio": result.metrics}))
    for by in ("schedule", "instrument"):
        _print_attribution(result.attribution(by))
    say_what_happened("portfolio", result)


def _print_attribution(attribution: pl.DataFrame) -> None:
    from .console import print_columns

    shown = attribution.select("profit", "contribution_pct", "fees", "trades", "win_rate_pct")
    rows = [[attribution.columns[0], "profit", "contribution %", "fees", "trades", "wins %"]]
    for name, values in zip(attribution[:, 0], shown.iter_rows(), strict=True):
        rows.append([name, *(f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" for value in values)])
    print_columns(rows, numbers_from=1)
