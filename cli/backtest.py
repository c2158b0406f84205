"""`barstep backtest …`: one strategy over one or more datasets; a scheduler is run by `cli.scheduler_backtest`."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .scheduler_backtest import backtest_a_scheduler
from .scheduler_options import SchedulerOptions
from .settings import catalog_with, read_settings

if TYPE_CHECKING:
    from ..engine.bars import Bars
    from ..engine.result import Result
    from ..engine.strategy import StrategyEngine


def backtest_command(
    strategy: Annotated[str | None, typer.Argument(help="Name of a strategy engine.")] = None,
    files: Annotated[list[Path] | None, typer.Argument(help="Normalised datasets, each backtested alone.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the engine or an option of --list, NAME=VALUE.")
    ] = None,
    engine_files: Annotated[
        list[Path] | None, typer.Option("--engine-file", help="A Python file with engines of your own. It is run.")
    ] = None,
    secondary: Annotated[
        Path | None, typer.Option(help="The second venue's dataset, for engines that trade two.")
    ] = None,
    funding: Annotated[
        Path | None, typer.Option(help="Funding rates of a perpetual: CSV, Parquet or feather with time and rate.")
    ] = None,
    capital: Annotated[float | None, typer.Option(help="Starting cash, in account currency. [100000]")] = None,
    fee_bps: Annotated[float | None, typer.Option(help="Fee, in basis points of traded value. [10]")] = None,
    maker_fee_bps: Annotated[float | None, typer.Option(help="Fee of an order that rests. [the same]")] = None,
    slippage_bps: Annotated[float | None, typer.Option(help="How much worse than its reference a fill is. [0]")] = None,
    units: Annotated[float | None, typer.Option(help="Units at full exposure, instead of a share of equity.")] = None,
    stop_loss_pct: Annotated[float | None, typer.Option(help="Distance of the stop from the entry.")] = None,
    take_profit_pct: Annotated[float | None, typer.Option(help="Distance of the take-profit from the entry.")] = None,
    trailing_stop_pct: Annotated[
        float | None, typer.Option(help="Distance of the trailing stop from the best price since the entry.")
    ] = None,
    leverage: Annotated[float | None, typer.Option(help="Position value over the margin that it binds. [1]")] = None,
    year_days: Annotated[float | None, typer.Option(help="Days that make a year; 252 for sessions. [365]")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for result.json and the tables as Parquet.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder where it is there.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="A scheduler's configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A scheduler of it, in the place of an engine. [the environment's]")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="Whose bars and capital it has: an environment's name, alias or type. [demo]")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="When the scheduler starts, ISO 8601, UTC; earlier bars warm it up.")
    ] = None,
    end: Annotated[str | None, typer.Option(help="When it ends; bars that close later are left out.")] = None,
    commands: Annotated[Path | None, typer.Option(help="A file of an operator's commands to the scheduler.")] = None,
    without_suspensions: Annotated[
        bool, typer.Option("--without-suspensions", help="Leave out suspensions, disabled strategies and halts.")
    ] = False,
    without_limits: Annotated[bool, typer.Option("--without-limits", help="Leave out limits of signals.")] = False,
    without_governor: Annotated[
        bool, typer.Option("--without-governor", help="Leave out the portfolio's governor.")
    ] = False,
    list_engines: Annotated[
        bool,
        typer.Option(
            "--list", help="Show the engines, their parameters and ranges, and all options of costs, orders and levels."
        ),
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Backtest a strategy, or a scheduler: decisions at the close, fills at the next open, fees and slippage paid."""
    if list_engines:
        _show_engines(strategy, engine_files or [], json_output=json_output)
        return
    execution = {
        "capital": capital,
        "fee_bps": fee_bps,
        "maker_fee_bps": maker_fee_bps,
        "slippage_bps": slippage_bps,
        "units": units,
        "stop_loss_pct": stop_loss_pct,
        "take_profit_pct": take_profit_pct,
        "trailing_stop_pct": trailing_stop_pct,
        "leverage": leverage,
        "year_days": year_days,
    }
    given = {name: value for name, value in execution.items() if value is not None}
    options = _joined(given, read_settings(settings or []))
    asked = SchedulerOptions(
        config=config,
        scheduler=scheduler,
        environment=environment,
        start=start,
        end=end,
        commands=commands,
        without_suspensions=without_suspensions,
        without_limits=without_limits,
        without_governor=without_governor,
    )
    if asked.given:
        _refuse_both(
            asked.given[0], strategy, {"--engine-file": engine_files, "--secondary": secondary, "--funding": funding}
        )
        backtest_a_scheduler(asked, options, output=output, overwrite=overwrite, json_output=json_output)
        return
    if strategy is None or not files:
        raise UsageError(
            "a strategy engine and a dataset are needed, or a scheduler: barstep backtest mean_reversion FILE, or "
            "barstep backtest --scheduler core_multi. `barstep backtest --list` shows the engines."
        )
    engine = catalog_with(engine_files or [])[strategy]  # a mistyped name is told before a long read
    results = _backtest_each(engine, files, secondary, funding, options, quiet=json_output)
    if output is not None:
        from ..report.saving import save_results

        save_results(results, output, overwrite=overwrite)
    if json_output:
        typer.echo(_as_json(results))
        return
    _print_results(results)
    if output is not None:
        typer.echo(f"wrote {output}/: {', '.join(results)}")


def _refuse_both(of_scheduler: str, strategy: str | None, of_engine: Mapping[str, object]) -> None:
    """A backtest is of a scheduler or of engines: the configuration has instruments, second venues and engine files."""
    found = [f"the engine {strategy!r}"] if strategy is not None else []
    found += [option for option, value in of_engine.items() if value]
    if found:
        raise UsageError(
            f"{of_scheduler} is for the backtest of a scheduler and {found[0]} for that of an engine; leave one out. "
            "What a scheduler runs stands in its configuration."
        )


def _joined(execution: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    for name in settings:
        if name in execution:
            raise UsageError(f"{name}: given as --{name.replace('_', '-')} and by --set; give it once.")
    return {**execution, **settings}


def _backtest_each(
    engine: StrategyEngine,
    files: list[Path],
    secondary: Path | None,
    funding: Path | None,
    options: Mapping[str, Any],
    *,
    quiet: bool,
) -> dict[str, Result]:
    """The result of each file by its name without its ending; nothing is written before all of them are there."""
    from ..data.funding import read_funding
    from ..engine.backtest import backtest
    from ..engine.bars import load
    from .console import progress, say_if_cold

    for option, path in (("--secondary", secondary), ("--funding", funding)):
        if path is not None and len(files) > 1:
            raise UsageError(f"{option} goes with one dataset; {len(files)} were given")
    names = [path.stem for path in files]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two files are named {name!r}; results are told apart by the file's name")
    other: Bars | None = load(secondary) if secondary is not None else None
    rates = read_funding(funding) if funding is not None else None
    if not quiet:
        say_if_cold()
    return {
        path.stem: backtest(load(path), engine, secondary=other, funding=rates, **options)
        for path in progress(files, "backtesting", quiet=quiet)
    }


def _as_json(results: Mapping[str, Result]) -> str:
    documents = {name: json.loads(result.to_json()) for name, result in results.items()}
    return json.dumps({"results": documents}, indent=2, allow_nan=False)


def _print_results(results: Mapping[str, Result]) -> None:
    from rich.console import Console

    from .console import metric_table, say_what_happened

    first = next(iter(results.values()))
    parameters = first.run.parameters if first.run else {}
    told = ", ".join(f"{name}={value:g}" for name, value in parameters.items() if not isinstance(value, str))
    typer.echo(f"{first.strategy}: {told}")
    Console().print(metric_table({name: result.metrics for name, result in results.items()}))
    for name, result in results.items():
        say_what_happened(name, result)


def _show_engines(name: str | None, engine_files: Iterable[Path], *, json_output: bool) -> None:
    from ..engine.execution import describe_execution

    catalog = catalog_with(engine_files)
    engines = [catalog[name]] if name else list(catalog)
    if json_output:
        document = {"engines": [engine.describe() for engine in engines], "options": describe_execution()}
        typer.echo(json.dumps(document, indent=2))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    for engine in engines:
        title = f"{engine.name}: {engine.summary}"
        table = Table("parameter", "default", "allowed", "meaning", title=title, title_justify="left", box=SIMPLE_HEAD)
        for parameter in engine.parameters:
            table.add_row(parameter.name, str(parameter.default), parameter.allowed, parameter.text)
        Console().print(table)
    if name is None:
        title = "costs, orders and levels, the same for every engine"
        table = Table("option", "default", "meaning", title=title, title_justify="left", box=SIMPLE_HEAD)
        for option in describe_execution():
            default = "" if option["default"] is None else str(option["default"])
            table.add_row(option["name"], default, option["text"])
        Console().print(table)
