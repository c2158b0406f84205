"""What a metric comes to over two axes, and over one, with all the others taken together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from ...engine.bars import Floats, Integers
from ...engine.metrics import is_less_better
from .places import Places, Truths, places_of, stretches
from .sheet import INSTRUMENT, SweepSheet

AGGREGATES = ("median", "mean", "best")
QUANTITIES = ("median", "low", "high", "best")
"""Of a metric at a place of one axis: `low` and `high` are the ends of the middle half."""

_QUANTILES = {"median": 0.5, "low": 0.25, "high": 0.75}

MOST_PLACES, MOST_LINE_PLACES = 24, 64
MOST_CELLS = 600
"""Of a map that has more than `MOST_PLACES` along an axis."""

MOST_NUMBERS = 100_000
"""In all maps together, each of which the page holds in four bytes."""


@dataclass(frozen=True, eq=False)
class Map:
    """Metrics over two axes.

    Attributes:
        x: Places to the right.
        y: Places upwards.
        group: The instrument whose rows these are; empty: all of them together.
        rows: float64[y · x]: how many rows a cell has.
        values: By metric and aggregate float64[y · x]; NaN where no row has a value. Of cells with one row each there
            is the median alone.
    """

    x: Places
    y: Places
    group: str
    rows: Floats
    values: dict[str, dict[str, Floats]]


@dataclass(frozen=True, eq=False)
class Line:
    """Metrics along one axis: by metric and quantity float64[place], and float64[place], how many rows there are."""

    places: Places
    rows: Floats
    values: dict[str, dict[str, Floats]]


def lines(sheet: SweepSheet) -> list[Line]:
    """One an axis, in the order of the axes."""
    return [_line(sheet, places_of(sheet, axis, MOST_LINE_PLACES, MOST_PLACES)) for axis in sheet.varied]


def _line(sheet: SweepSheet, places: Places) -> Line:
    return Line(places, *_reduced(sheet.table, sheet.metrics, places.of, places.count, QUANTITIES))


def maps(sheet: SweepSheet) -> tuple[list[Map], int]:
    """The maps that there is room for, and how many more there would be.

    First those of all instruments together, the pair of axes that explains most of the metric first; then the same of
    each instrument.
    """
    room, found, left_out = MOST_NUMBERS, [], 0
    for group, *pair in _wanted(sheet, _pairs(sheet)):
        cells = _cells(sheet, group, *sorted(pair, key=lambda one: -one.count))
        if cells.numbers <= room:
            found.append(_map(sheet, cells))
            room -= cells.numbers
        else:
            left_out += 1
    return found, left_out


def telling_map(sheet: SweepSheet) -> Map | None:
    """The first of the maps; None where there is one axis."""
    if len(sheet.varied) < 2:
        return None
    _, *pair = next(_wanted(sheet, _pairs(sheet)))
    return _map(sheet, _cells(sheet, "", *sorted(pair, key=lambda one: -one.count)))


def _pairs(sheet: SweepSheet) -> list[tuple[Places, Places]]:
    """All pairs of axes, the one that explains most of the metric first."""
    places = {axis: _at_two_scales(sheet, axis) for axis in sheet.varied}
    pairs = [_fitting(places[x], places[y]) for x, y in combinations(places, 2)]
    return sorted(pairs, key=lambda pair: -explained(sheet.values, *pair))


def _at_two_scales(sheet: SweepSheet, axis: str) -> tuple[Places, Places]:
    in_span = stretches(sheet, MOST_PLACES)
    return places_of(sheet, axis, MOST_LINE_PLACES, in_span), places_of(sheet, axis, MOST_PLACES, in_span)


def _fitting(x: tuple[Places, Places], y: tuple[Places, Places]) -> tuple[Places, Places]:
    """The finer places of two axes where they make few cells, else the coarser."""
    (fine_x, coarse_x), (fine_y, coarse_y) = x, y
    return (fine_x, fine_y) if fine_x.count * fine_y.count <= MOST_CELLS else (coarse_x, coarse_y)


def _wanted(sheet: SweepSheet, pairs: Sequence[tuple[Places, Places]]) -> Iterator[tuple[str, Places, Places]]:
    for pair in pairs:
        yield "", *pair
    if len(sheet.instruments) == 1:
        return
    for x, y in pairs:
        if INSTRUMENT not in (x.axis, y.axis):
            yield from ((name, x, y) for name in sheet.instruments)


def explained(values: Floats, x: Places, y: Places) -> float:
    """The share of a metric's variance that is between the cells of two axes, less what chance alone would put there.

    Epsilon squared (Kelley 1935, PNAS 21); without rows to spare, and so with nothing to compare, eta squared.
    """
    known = np.isfinite(values)
    cells, found = (y.of * x.count + x.of)[known], values[known]
    total = float(((found - found.mean()) ** 2).sum()) if found.size else 0.0
    if total == 0.0:
        return 0.0
    counts = np.bincount(cells)
    means = np.bincount(cells, found) / np.maximum(counts, 1)
    between, filled = float((counts * (means - found.mean()) ** 2).sum()), int((counts > 0).sum())
    spare = found.size - filled
    return (between - (filled - 1) * (total - between) / spare) / total if spare else between / total


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells of a map, before anything is computed.

    Attributes:
        x: Places to the right.
        y: Places upwards.
        group: The instrument whose rows are meant; empty: all of them.
        own: bool[row]: which rows are meant.
        of: int64[row]: the cell of each row.
        told: What is told of each metric.
        numbers: How many numbers the map will hold.
    """

    x: Places
    y: Places
    group: str
    own: Truths
    of: Integers
    told: tuple[str, ...]
    numbers: int


def _cells(sheet: SweepSheet, group: str, x: Places, y: Places) -> _Cells:
    own = (sheet.instrument_column == group).to_numpy() if group else np.ones(sheet.table.height, dtype=bool)
    of, count = y.of * x.count + x.of, x.count * y.count
    is_single = int(np.bincount(of[own]).max(initial=0)) <= 1
    told = AGGREGATES[:1] if is_single else AGGREGATES
    return _Cells(x, y, group, own, of, told, count * len(told) * len(sheet.metrics))


def _map(sheet: SweepSheet, cells: _Cells) -> Map:
    count = cells.x.count * cells.y.count
    rows, values = _reduced(
        sheet.table.filter(pl.Series(cells.own)), sheet.metrics, cells.of[cells.own], count, cells.told
    )
    return Map(cells.x, cells.y, cells.group, rows, values)


def _reduced(
    table: pl.DataFrame, metrics: Sequence[str], of: Integers, count: int, told: Sequence[str]
) -> tuple[Floats, dict[str, dict[str, Floats]]]:
    """How many rows each of `count` cells has, and by metric what is told of their values. of: int64[row]."""
    values = table.select(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in metrics)
    ordered = [name for name in told if name != "mean"]
    made = [_expression(metric, name).alias(f"{metric} {name}") for metric in metrics for name in ordered]
    grouped = values.with_columns(pl.Series("*cell", of)).group_by("*cell").agg(made)
    places = grouped["*cell"].to_numpy()

    def spread(metric: str, name: str) -> Floats:
        if name == "mean":
            return _means(values[metric], of, count)
        found = np.full(count, np.nan)
        found[places] = grouped[f"{metric} {name}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return found

    rows = np.bincount(of, minlength=count).astype(np.float64)
    return rows, {metric: {name: spread(metric, name) for name in told} for metric in metrics}


def _expression(metric: str, name: str) -> pl.Expr:
    column = pl.col(metric)
    if name == "best":
        return column.min() if is_less_better(metric) else column.max()
    return column.quantile(_QUANTILES[name], interpolation="linear")


def _means(values: pl.Series, of: Integers, count: int) -> Floats:
    """float64[cell]; added in the order of the rows, which a grouped mean on threads need not do."""
    known = values.is_not_null().to_numpy()
    sums = np.bincount(of[known], values.drop_nulls().to_numpy(), count)
    counts = np.bincount(of[known], minlength=count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
