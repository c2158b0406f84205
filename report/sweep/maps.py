"""What a metric comes to over two axes, and over one, with all the others taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from ...engine.bars import Floats, Integers
from .metrics import is_less_better
from .places import Places, Truths, places_of, stretches
from .sheet import INSTRUMENT, SweepSheet

Told = Callable[[pl.Expr], pl.Expr]

AGGREGATES = ("median", "mean", "best")
QUANTITIES = ("median", "low", "high", "best")
"""Of a metric at a place of one axis: `low` and `high` are the ends of the middle half."""

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

    @property
    def numbers(self) -> int:
        """How many it holds."""
        return self.rows.size * sum(map(len, self.values.values()))


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
    told: dict[str, Told] = {"median": pl.Expr.median, "low": _quantile(0.25), "high": _quantile(0.75)}
    return Line(places, *_reduced(sheet, np.ones(sheet.table.height, dtype=bool), places.of, places.count, told))


def _quantile(share: float) -> Told:
    return lambda column: column.quantile(share, interpolation="linear")


def maps(sheet: SweepSheet) -> tuple[list[Map], int]:
    """The maps that there is room for, and how many more there would be.

    First those of all instruments together, the pair of axes that explains most of the metric first; then the same of
    each instrument.
    """
    places = {axis: _at_two_scales(sheet, axis) for axis in sheet.varied}
    pairs = [_fitting(places[x], places[y]) for x, y in combinations(places, 2)]
    pairs.sort(key=lambda pair: -explained(sheet.values, *pair))
    room, found, left_out = MOST_NUMBERS, [], 0
    for group, x, y in _wanted(sheet, pairs):
        each = _map(sheet, group, *sorted((x, y), key=lambda one: -one.count))
        if each.numbers <= room:
            found.append(each)
            room -= each.numbers
        else:
            left_out += 1
    return found, left_out


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


def _map(sheet: SweepSheet, group: str, x: Places, y: Places) -> Map:
    own = (sheet.instrument_column == group).to_numpy() if group else np.ones(sheet.table.height, dtype=bool)
    cells, count = y.of * x.count + x.of, x.count * y.count
    is_single = int(np.bincount(cells[own], minlength=count).max(initial=0)) <= 1
    told: dict[str, Told] = {"median": pl.Expr.median}
    if not is_single:
        told["mean"] = pl.Expr.mean
    rows, values = _reduced(sheet, own, cells, count, told)
    if is_single:
        values = {metric: {"median": each["median"]} for metric, each in values.items()}
    return Map(x, y, group, rows, values)


def _reduced(
    sheet: SweepSheet, own: Truths, cells: Integers, count: int, told: Mapping[str, Told]
) -> tuple[Floats, dict[str, dict[str, Floats]]]:
    """How many rows each cell has, and by metric what each of `told` makes of their values, and the best of them."""
    expressions = []
    for metric in sheet.metrics:
        column = pl.when(pl.col(metric).is_finite()).then(pl.col(metric))
        best = pl.Expr.min if is_less_better(metric) else pl.Expr.max
        expressions += [make(column).alias(f"{metric} {name}") for name, make in {**told, "best": best}.items()]
    rows = sheet.table.select(sheet.metrics).with_columns(pl.Series("*cell", cells)).filter(pl.Series(own))
    grouped = rows.group_by("*cell").agg(pl.len().alias("*rows"), *expressions)
    places = grouped["*cell"].to_numpy()

    def spread(name: str, nothing: float) -> Floats:
        found = np.full(count, nothing)
        found[places] = grouped[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return found

    values = {
        metric: {name: spread(f"{metric} {name}", np.nan) for name in (*told, "best")} for metric in sheet.metrics
    }
    return spread("*rows", 0.0), values
