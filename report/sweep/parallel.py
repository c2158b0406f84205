"""Rows as lines across all axes: the best of them always, of the others as many as can be told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.bars import Floats, Integers
from ...engine.metrics import is_less_better
from ..texts import setting
from .places import Places, places_of, value_text
from .sheet import SweepSheet

MOST_LINES = 1_000
ALWAYS = 100
"""The best rows, which are always among them."""

_FINEST = 200
_TICKS = 5
_LETTERS = 16


@dataclass(frozen=True, eq=False)
class Parallel:
    """Some rows of a sweep, the worst first, so that the best are drawn over the others.

    Attributes:
        names: The axes, and at last the metric.
        rows: int64[line], numbers of the rows.
        heights: By name float64[line], between 0 and 1.
        ticks: By name heights and what stands at them.
        ranks: float64[line]: share of all rows with a value that are better.
        values: float64[line], the metric.
        known: How many rows have a value.
    """

    names: tuple[str, ...]
    rows: Integers
    heights: dict[str, Floats]
    ticks: dict[str, list[tuple[float, str]]]
    ranks: Floats
    values: Floats
    known: int


def parallel(sheet: SweepSheet) -> Parallel:
    """The lines; there are none where no row has a value."""
    ordered = _best_first(sheet)
    places = _spread(ordered.size)[::-1]
    chosen = ordered[places]
    values = sheet.values[chosen]
    heights, ticks = {}, {}
    for axis in sheet.varied:
        along = places_of(sheet, axis, _FINEST, _FINEST)
        heights[axis], ticks[axis] = _heights(along)[chosen], _ticks(along)
    known = sheet.values[ordered]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    heights[sheet.by] = (values - low) / (high - low) if high > low else np.full(chosen.size, 0.5)
    ticks[sheet.by] = _metric_ticks(low, high)
    return Parallel(
        names=(*sheet.varied, sheet.by),
        rows=sheet.table["row"].to_numpy()[chosen],
        heights=heights,
        ticks=ticks,
        ranks=places / max(ordered.size, 1),
        values=values,
        known=ordered.size,
    )


def _best_first(sheet: SweepSheet) -> Integers:
    """Places of the rows with a value, the best first; of equal ones the first."""
    values = sheet.values if is_less_better(sheet.by) else -sheet.values
    return np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]


def _spread(count: int) -> Integers:
    """Ranks of the rows that are drawn: the first, and of the others evenly many, the last among them."""
    if count <= MOST_LINES:
        return np.arange(count)
    rest = np.linspace(ALWAYS, count - 1, MOST_LINES - ALWAYS).round().astype(np.int64)
    return np.append(np.arange(ALWAYS), rest)


def _heights(places: Places) -> Floats:
    return (places.of + 0.5) / places.count


def _ticks(places: Places) -> list[tuple[float, str]]:
    """Some heights along an axis, with what stands there."""
    if places.edges.size:
        edges = [
            (k / places.count, value_text(places.axis, float(f"{edge:.3g}"))) for k, edge in enumerate(places.edges)
        ]
        above = [(1.0 - 0.5 / places.count, label) for label in places.labels[len(edges) - 1 :]]
        return [edges[k] for k in _some(len(edges))] + above
    labels = [((k + 0.5) / places.count, _short(label)) for k, label in enumerate(places.labels)]
    return [labels[k] for k in _some(len(labels))]


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _metric_ticks(low: float, high: float) -> list[tuple[float, str]]:
    if low == high:
        return [(0.5, setting("", float(f"{low:.3g}")))]
    shares = np.linspace(0.0, 1.0, _TICKS).tolist()
    return [(share, setting("", float(f"{low + share * (high - low):.3g}"))) for share in shares]


def _some(count: int) -> list[int]:
    """At most so many of some places, from the first to the last."""
    if count <= _TICKS + 1:
        return list(range(count))
    return [round(place) for place in np.linspace(0, count - 1, _TICKS).tolist()]
