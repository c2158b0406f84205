"""The tables of a sweep's report: the best and worst rows, the best of each instrument, the best sets over all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from ...engine.metrics import DESCRIPTIONS, is_less_better
from ..tables import Table
from ..texts import decimals, label, metric, unit
from .places import value_text
from .sheet import INSTRUMENT, SweepSheet

BEST, WORST = 50, 10
BEST_OF_EACH = 3
MOST_INSTRUMENTS = 40
BEST_SETS = 20


def tables(sheet: SweepSheet) -> list[tuple[Table, str]]:
    """The tables that there are rows for, each with what its heading adds."""
    by, many = label(sheet.by), len(sheet.instruments)
    side = "lowest" if is_less_better(sheet.by) else "greatest"
    found = [(_rows(sheet, f"Best rows by {by}", sheet.best(BEST)), f"{side} first")]
    if many > 1:
        found += [(_sets(sheet, f"Best sets over all instruments by {by}"), f"by the median of {many} instruments")]
        of_each = _rows(sheet, f"Best rows of each instrument by {by}", _best_of_each(sheet))
        shown = f"{BEST_OF_EACH} each" + (f", {MOST_INSTRUMENTS} of {many} instruments" * (many > MOST_INSTRUMENTS))
        found.append((of_each, shown))
    if sheet.table.height > BEST:
        found.append((_rows(sheet, f"Worst rows by {by}", sheet.best(WORST, worst=True)), "the worst first"))
    return [(table, said) for table, said in found if table.rows]


def formulas(sheet: SweepSheet) -> list[tuple[str, str]]:
    """Each metric of the tables, and how it is computed."""
    return [(_heading(name), DESCRIPTIONS.get(name, "")) for name in sheet.ranked_metrics]


def top(sheet: SweepSheet, count: int, metrics: tuple[str, ...], axes: tuple[str, ...]) -> Table:
    """The best rows with some metrics and axes alone, as the printed page has room for."""
    return _rows(sheet, f"Best rows by {label(sheet.by)}", sheet.best(count), metrics, axes)


def _heading(name: str) -> str:
    return label(name) + (", %" if unit(name) == " %" else "")


def _figure(name: str, value: float) -> str:
    """A metric under a heading that has its unit."""
    return metric(name, value).removesuffix(unit(name))


def _rows(
    sheet: SweepSheet, title: str, rows: pl.DataFrame, metrics: tuple[str, ...] = (), axes: tuple[str, ...] = ()
) -> Table:
    """Rows of the sweep: number, instrument, the metric that ranks them, values, the other metrics."""
    measured = metrics or sheet.metrics
    told: dict[str, Callable[[dict[str, Any]], str]] = {"row": lambda row: str(row["row"])}
    named = rows.with_columns(sheet.instrument_column.gather(_places(sheet, rows)).alias(f"*{INSTRUMENT}"))
    if len(sheet.instruments) > 1:
        told[INSTRUMENT] = lambda row: str(row[f"*{INSTRUMENT}"])
    told[_heading(sheet.by)] = _metric(sheet.by)
    told |= {axis: _value(axis) for axis in axes or sheet.axes}
    told |= {_heading(name): _metric(name) for name in measured if name != sheet.by}
    texts = (INSTRUMENT, *(axis for axis in sheet.axes if not _is_number(sheet, axis)))
    cells = [[tell(row) for tell in told.values()] for row in named.iter_rows(named=True)]
    return Table(title, tuple(told), cells, texts)


def _places(sheet: SweepSheet, rows: pl.DataFrame) -> pl.Series:
    return pl.Series(np.searchsorted(sheet.table["row"].to_numpy(), rows["row"].to_numpy()))


def _is_number(sheet: SweepSheet, axis: str) -> bool:
    return sheet.table[axis].dtype.is_numeric()


def _value(axis: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: value_text(axis, row[axis])


def _metric(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: _figure(name, row[name])


def _best_of_each(sheet: SweepSheet) -> pl.DataFrame:
    found = []
    for name in sheet.instruments[:MOST_INSTRUMENTS]:
        own = sheet.table.filter(sheet.instrument_column == name)
        known = own.filter(pl.col(sheet.by).is_not_nan())
        found.append(known.sort([sheet.by, "row"], descending=[not is_less_better(sheet.by), False]))
    return pl.concat([each.head(BEST_OF_EACH) for each in found])


def _sets(sheet: SweepSheet, title: str) -> Table:
    """Each set with its metric over all instruments: median, lowest, greatest, and how many have a value."""
    by, sets = sheet.by, int(sheet.document["sets"])
    known = sheet.table.filter(pl.Series(np.isfinite(sheet.values))).with_columns((pl.col("row") % sets).alias("*set"))
    over = known.group_by("*set").agg(
        *(pl.col(axis).first() for axis in sheet.axes),
        pl.col(by).median().alias("*median"),
        pl.col(by).min().alias("*lowest"),
        pl.col(by).max().alias("*greatest"),
        pl.len().alias("*of"),
    )
    best = over.sort(["*median", "*set"], descending=[not is_less_better(by), False]).head(BEST_SETS)
    headings = (*sheet.axes, "median", "lowest", "greatest", "instruments")
    texts = tuple(axis for axis in sheet.axes if not _is_number(sheet, axis))
    cells = [
        [
            *(value_text(axis, row[axis]) for axis in sheet.axes),
            *(metric(by, row[f"*{name}"]) for name in ("median", "lowest", "greatest")),
            decimals(row["*of"], 0),
        ]
        for row in best.iter_rows(named=True)
    ]
    return Table(title, headings, cells, texts)
