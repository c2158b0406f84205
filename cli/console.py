"""What the commands print alike: progress on stderr, tables of metrics on stdout."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from ..engine.portfolio_result import PortfolioResult
    from ..engine.result import Result

Item = TypeVar("Item")


def progress(items: Sequence[Item], what: str, *, quiet: bool) -> Iterator[Item]:
    """Yield the items with a bar on stderr where several of them make one wait and a person is looking."""
    if quiet or len(items) < 2:
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(items, description=what, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def progress_of_bars(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function of (bars done, all bars) that moves a bar on stderr; None where no person is looking."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def progress_of_cells(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """As `progress_of_bars`, for bars of many rows: with the rate and the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class Rate(ProgressColumn):
        """Bars a second."""

        def render(self, task: Task) -> Text:
            """Millions of them; nothing before it is known."""
            return Text("" if task.speed is None else f"{task.speed / 1e6:,.0f} M bars/s")

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Rate(), TimeLeft())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def quiet_log() -> None:
    """Have warnings of a scheduler's log not printed: what it warned of in a replay of the past is no news."""
    logging.getLogger("barstep.scheduler").addHandler(logging.NullHandler())


def say_if_cold() -> None:
    """Tell a person why the very first run takes its time."""
    from ..ops.warmup import is_warm

    if sys.stderr.isatty() and not is_warm():
        typer.echo("compiling the kernels of this version; it happens once (`barstep warmup` does all)", err=True)


def compile_if_cold(*, quiet: bool) -> None:
    """Compile everything where nothing was compiled before: processes that wait for each other cannot wait for that."""
    from ..ops.warmup import is_warm, warmup_steps

    if not is_warm():
        for step in progress(warmup_steps(), "compiling, once", quiet=quiet):
            step()


def metric_table(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """One row a metric, one column a result."""
    from rich import box
    from rich.table import Table

    table = Table("metric", box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, justify="right", overflow="fold")
    for metric in next(iter(columns.values())):
        table.add_row(metric, *(format_metric(metric, values[metric]) for values in columns.values()))
    return table


def say_what_happened(name: str, result: Result | PortfolioResult) -> None:
    """Where signals went, what was paid, and how much the order inside bars may matter."""
    signals = result.to_dict()["signals"]
    counts = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in signals.items() if count)
    typer.echo(f"{name}: {result.bars!r}; signals: {counts or 'none'}")
    say_costs(result)


def say_costs(result: Result | PortfolioResult) -> None:
    """What was paid, and how much the order inside bars may matter."""
    costs = ", ".join(f"{what} {amount:,.2f}" for what, amount in result.costs.items() if amount)
    if costs:
        typer.echo(f"  costs: {costs}")
    ambiguity = result.fill_ambiguity
    if ambiguity.bars:
        typer.echo(
            f"  {ambiguity.bars:,} ambiguous bars ({ambiguity.share_pct:.2g} %): final equity "
            f"{ambiguity.pessimistic_equity:,.2f} pessimistic, {ambiguity.optimistic_equity:,.2f} optimistic"
        )


def print_columns(rows: Sequence[Sequence[str]], *, numbers_from: int | None = None) -> None:
    """Rows in aligned columns, to the right from `numbers_from` on; never folded, so that names can be copied."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = len(widths) if numbers_from is None else numbers_from
    for row in rows:
        cells = [*map(str.ljust, row[:texts], widths), *map(str.rjust, row[texts:], widths[texts:])]
        typer.echo("  " + "  ".join(cells).rstrip())


def as_json(document: Mapping[str, Any]) -> str:
    """A document as JSON. What is NaN or infinite is null there: JSON has no word for it."""
    from ..engine.outcome import without_endless

    return json.dumps(without_endless(document), indent=2, allow_nan=False)


def format_metric(name: str, value: float) -> str:
    """A metric as people read it; `–` where it has no value."""
    if math.isnan(value):
        return "–"
    if name in {"trades", "open_trades", "max_drawdown_bars", "max_drawdown_trades"}:
        return f"{value:,.0f}"
    return f"{value:,.2f}"
