"""`barstep sweep …`: many parameter sets of an engine, or of a scheduler; `barstep sweep show …`: what came of one."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from ..errors import UsageError, refuse_existing
from . import metrics_options as shown_as
from .interruption import interruptible
from .scheduler_options import SchedulerOptions
from .settings import catalog_with, read_settings
from .sweep_axes import AXIS_HELP, LowestOption, read_axes, read_policy

if TYPE_CHECKING:
    import polars as pl

    from ..engine.sweep.kinds import AnySweep
    from ..engine.sweep.result import SweepResult
    from ..engine.sweep.running import Told
    from ..replay.metrics.collector import MetricsCollector

_RUN = "run"
_SHOWN = ("total_return_pct", "sharpe", "max_drawdown_pct", "trades")
"""What a table has room for beside the metric that ranks it; the rest is in the file, and in --json."""


class _SweepGroup(TyperGroup):
    """`run` may be left out: what is no command of the group is a strategy."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put `run` in front of what names no command."""
        if args and args[0] not in (*self.commands, "--help"):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_SweepGroup,
    help="Run many parameter sets: barstep sweep STRATEGY FILE --axis NAME=VALUES …; `run --help` has it all.",
)

ByOption = Annotated[str, typer.Option("--by", help="Metric that rows are ranked by.")]
TopOption = Annotated[int, typer.Option("--top", min=1, help="How many of the best rows are shown.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


@app.command(_RUN)
def sweep_command(
    strategy: Annotated[str | None, typer.Argument(help="Name of a strategy engine.")] = None,
    files: Annotated[list[Path] | None, typer.Argument(help="Normalised datasets, one an instrument.")] = None,
    axes: Annotated[list[str] | None, typer.Option("--axis", help=AXIS_HELP)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, a parameter or an option that is not varied.")
    ] = None,
    sampling: Annotated[
        str, typer.Option(help="grid, random, sobol or latin_hypercube; the last three draw --sets of them.")
    ] = "grid",
    sets: Annotated[int | None, typer.Option(help="How many parameter sets are drawn.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="What is measured; without it, thirteen of them.")
    ] = None,
    secondary: Annotated[
        list[Path] | None,
        typer.Option(help="The second venue's dataset of each instrument, for engines that trade two."),
    ] = None,
    funding: Annotated[list[Path] | None, typer.Option(help="Funding rates of each instrument.")] = None,
    engine_files: Annotated[
        list[Path] | None, typer.Option("--engine-file", help="A Python file with engines of your own. It is run.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A scheduler's configuration. [config/core.yaml]")] = None,
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it, in the place of an engine.")] = None,
    environment: Annotated[str | None, typer.Option(help="Whose bars and capital it has. [demo]")] = None,
    start: Annotated[str | None, typer.Option(help="When the scheduler starts, ISO 8601, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="When it ends.")] = None,
    commands: Annotated[Path | None, typer.Option(help="A file of an operator's commands to the scheduler.")] = None,
    threads: Annotated[int | None, typer.Option(help="How many run side by side. [one a processor]")] = None,
    memory: Annotated[str | None, typer.Option(help="Most that is held above the bars, such as 400M or 4G.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Run on a Dask cluster, tcp://HOST:PORT, or on processes here, local:N.")
    ] = None,
    cluster_data: Annotated[
        Path | None, typer.Option(help="A folder that workers see; datasets that they find there are not sent.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder that keeps rows as they are done: sweep.parquet.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in the folder, where it has the same sweep.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder where it is there.")] = False,
    curves: Annotated[
        int, typer.Option(min=0, help="Of how many of the best rows the equity is kept too, in curves.parquet.")
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much it is, and stop.")] = False,
    by: ByOption = "sharpe",
    lowest: LowestOption = None,
    top: TopOption = 10,
    metrics_port: shown_as.PortOption = None,
    metrics_address: shown_as.AddressOption = None,
    metrics_mtls_bundle: shown_as.BundleOption = None,
    metrics_token_file: shown_as.TokenFileOption = None,
    json_output: JsonOption = False,
) -> None:
    """Backtest many parameter sets of an engine over datasets, or of a scheduler over its bars."""
    _check_folder(output, {"--resume": resume, "--curves": curves}, overwrite=overwrite)
    drawn: dict[str, Any] = {"sampling": sampling, "sets": sets, "seed": seed}
    if metrics:
        drawn["metrics"] = metrics
    asked = SchedulerOptions(
        config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=commands
    )
    if asked.given:
        _refuse_of_engines(asked.given[0], strategy, secondary, funding, engine_files)
        plan = _plan_of_scheduler(asked, axes or [], _settings(settings, drawn), drawn)
    else:
        if strategy is None or not files:
            raise UsageError(
                "a strategy engine and a dataset are needed, or a scheduler: barstep sweep mean_reversion FILE --axis "
                "lookback=24:240:8, or barstep sweep --scheduler core_multi --axis mean_reversion.lookback=48,96"
            )
        others = {"secondary": secondary or [], "funding": funding or []}
        plan = _plan_of_engine(strategy, files, axes or [], _settings(settings, drawn), drawn, others, engine_files)
    if by not in plan.metrics:
        _refuse_metric(by, plan)
    place = _Place(threads=threads, memory=memory, cluster=cluster, cluster_data=cluster_data)
    memory_bytes = _say_how_much(plan, place, quiet=json_output)
    if dry_run:
        if json_output:
            _print_json({**plan.describe(), "memory_bytes": memory_bytes})
        return
    shown = shown_as.MetricsOptions(
        port=metrics_port, address=metrics_address, bundle=metrics_mtls_bundle, token_file=metrics_token_file
    )
    with shown.shown() as collector:
        told = None if collector is None else _told(collector, plan, output)
        result = _run(plan, output, place, told, resume=resume, overwrite=overwrite, quiet=json_output)
    if output is not None:
        _keep_curves(result, result.best(by, curves, lowest=lowest), output)
    best = result.best(by, top, lowest=lowest)
    if json_output:
        _print_json({**plan.describe(), "memory_bytes": memory_bytes, "by": by, "best": best.to_dicts()})
        return
    _print_best(best, plan.sets.columns, plan.count, by)
    if output is not None:
        typer.echo(f"wrote {output}/: all {plan.count:,} rows in sweep.parquet")


@app.command("show")
def show_command(
    folder: Annotated[Path, typer.Argument(help="A folder that `sweep --output` wrote, or its sweep.json.")],
    by: ByOption = "sharpe",
    lowest: LowestOption = None,
    top: TopOption = 10,
    json_output: JsonOption = False,
) -> None:
    """Show the best rows of a finished sweep."""
    from ..engine.sweep.result import best_of
    from ..ops.sweep_folder import read_sweep

    saved = read_sweep(folder)
    best = best_of(saved.table, saved.metrics, by, top, lowest=lowest)
    shown = best.select("row", *saved.labels, *saved.axes, *saved.metrics)
    if json_output:
        _print_json({**saved.document, "by": by, "best": shown.to_dicts()})
        return
    _print_best(shown, saved.axes, saved.table.height, by)


def _check_folder(output: Path | None, wanting: Mapping[str, object], *, overwrite: bool) -> None:
    for option, is_given in wanting.items():
        if is_given and output is None:
            raise UsageError(f"{option} wants a folder; name it with --output")
    if wanting["--resume"] and overwrite:
        raise UsageError("--resume goes on in the folder and --overwrite replaces it; leave one out")
    if output is not None and not wanting["--resume"]:
        refuse_existing(output, overwrite=overwrite)  # before a long read


def _settings(given: Sequence[str] | None, drawn: Mapping[str, Any]) -> dict[str, Any]:
    settings = read_settings(given or [])
    for name in settings:
        if name in drawn:
            raise UsageError(f"--set {name}: is an option of its own, --{name}")
    return settings


def _refuse_of_engines(of_scheduler: str, strategy: str | None, *of_engine: object) -> None:
    if strategy is not None or any(of_engine):
        raise UsageError(
            f"{of_scheduler} is for the sweep of a scheduler; engines, second venues and funding are for that of an "
            "engine: leave one out"
        )


def _plan_of_scheduler(
    asked: SchedulerOptions, axes: Sequence[str], settings: Mapping[str, Any], drawn: Mapping[str, Any]
) -> AnySweep:
    from ..engine.sweep.scheduler_plan import plan_scheduler_sweep
    from .console import say_if_cold

    say_if_cold()
    given = asked.arguments()
    read = read_axes(axes, read_policy)
    return plan_scheduler_sweep(given.pop("config"), given.pop("scheduler"), read, **given, **drawn, **settings)


def _plan_of_engine(
    strategy: str,
    files: Sequence[Path],
    axes: Sequence[str],
    settings: Mapping[str, Any],
    drawn: Mapping[str, Any],
    others: Mapping[str, Sequence[Path]],
    engine_files: Sequence[Path] | None,
) -> AnySweep:
    from ..data.funding import read_funding
    from ..engine.bars import load
    from ..engine.sweep.plan import plan_sweep
    from .console import progress, say_if_cold

    catalog = catalog_with(engine_files or [])
    engine = catalog[strategy]  # a mistyped name is told before a long read
    read = read_axes(axes)
    say_if_cold()
    return plan_sweep(
        [load(path) for path in progress(files, "reading", quiet=False)],
        engine,
        read,
        secondary=[load(path) for path in others["secondary"]] or None,
        funding=[read_funding(path) for path in others["funding"]] or None,
        catalog=catalog,
        **drawn,
        **settings,
    )


def _refuse_metric(by: str, plan: AnySweep) -> None:
    from ..errors import unknown_name

    raise UsageError(f"--by: {unknown_name('metric of this sweep', by, plan.metrics)}")


class _Place(NamedTuple):
    """Where a sweep runs; fields are those of `run_planned`."""

    threads: int | None
    memory: str | None
    cluster: str | None
    cluster_data: Path | None


def _say_how_much(plan: AnySweep, place: _Place, *, quiet: bool) -> int:
    """Tell what the sweep will take before it does; the bytes above the bars."""
    from ..data.sizes import parse_bytes
    from ..engine.sweep.portions import in_mb, state_memory
    from ..engine.sweep.running import count_threads, runner_of

    used = count_threads(place.threads if place.cluster is None else 1)
    held = state_memory(runner_of(plan), used, None if place.memory is None else parse_bytes(place.memory))
    if not quiet:
        left_out = f" ({plan.left_out:,} more contradict themselves)" if plan.left_out else ""
        size = f"{plan.sets.height:,} sets{left_out}, {plan.count:,} rows, {plan.cells / 1e6:,.1f} M bars"
        where = f"{used} threads" if place.cluster is None else f"on {place.cluster}, for a thread of a worker"
        text = f"{plan.strategy}: {size}; {where}; at most {in_mb(held.total)} above the bars"
        typer.echo(text, err=True)
    return held.total


def _told(metrics: MetricsCollector, plan: AnySweep, output: Path | None) -> Told:
    """What shows the rows that are done; a sweep has the name of its folder, else of what it varies."""
    from ..replay.clock import SystemClock
    from ..replay.metrics.sweep import SweepMetrics

    counted = SweepMetrics(plan.strategy if output is None else output.name, SystemClock())
    metrics.add(counted)
    return counted.rows


def _run(
    plan: AnySweep,
    output: Path | None,
    place: _Place,
    rows: Told | None,
    *,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> SweepResult:
    from ..ops.sweeping import run_planned
    from .console import progress_of_cells

    try:
        with interruptible(), progress_of_cells("sweeping", quiet=quiet) as told:
            return run_planned(
                plan, folder=output, resume=resume, overwrite=overwrite, progress=told, rows=rows, **place._asdict()
            )
    except typer.Exit:
        kept = f"the rows that are done are in {output}; --resume goes on" if output else "nothing was kept"
        typer.echo(f"stopped: {kept}", err=True)
        raise


def _keep_curves(result: SweepResult, best: pl.DataFrame, output: Path) -> None:
    from ..ops.sweep_folder import keep_curves

    if best.height:
        keep_curves(result, best["row"].to_list(), output)


def _print_best(best: pl.DataFrame, axes: Sequence[str], rows: int, by: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from .console import format_metric

    labels = [name for name in ("symbol", "venue") if name in best.columns and best[name].n_unique() > 1]
    ranked = [by, *(name for name in _SHOWN if name != by and name in best.columns)]
    table = Table("row", *labels, *axes, *ranked, box=box.SIMPLE_HEAD)
    for row in best.iter_rows(named=True):
        told = [str(row[name]) for name in ("row", *labels, *axes)]
        table.add_row(*told, *(format_metric(name, row[name]) for name in ranked))
    Console().print(table)
    typer.echo(f"the best of {rows:,} by {by}; the more are tried, the more of it is luck (barstep walk-forward)")


def _print_json(document: Mapping[str, Any]) -> None:
    from .console import as_json

    typer.echo(as_json(document))
