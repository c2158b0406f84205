"""Where rows stand along an axis: one place a value, or one a stretch of values where there are many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from ...engine.bars import Floats, Integers
from ..texts import NOTHING, setting
from .sheet import INSTRUMENT, SweepSheet

Truths: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_ROWS_A_CELL = 5
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class Places:
    """The places along an axis.

    Attributes:
        axis: Its name.
        labels: What stands at each place.
        of: int64[row]: the place of each row.
        edges: float64[place + 1]: of stretches their ends; empty where a place is one value.
    """

    axis: str
    labels: tuple[str, ...]
    of: Integers
    edges: Floats

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.labels)


def value_text(name: str, value: Any) -> str:
    """The value of a parameter; of an endless one that there is no limit."""
    return "no limit" if isinstance(value, float) and math.isinf(value) else setting(name, value)


def stretches(sheet: SweepSheet, most: int) -> int:
    """How many stretches a span is cut into, so that a cell of two axes has some rows."""
    return min(most, max(_FEWEST, math.isqrt(sheet.table.height // _ROWS_A_CELL)))


def places_of(sheet: SweepSheet, axis: str, most: int, in_span: int) -> Places:
    """The places along an axis.

    Numbers rise; words stand as they were listed. Rows in which the axis is not varied, since a condition does not
    hold, have the last place.

    Args:
        sheet: The sweep.
        axis: A name of `SweepSheet.varied`.
        most: Of more listed values there are stretches; of words the last ones stand together.
        in_span: Into how many stretches a span is cut.
    """
    column = sheet.instrument_column if axis == INSTRUMENT else sheet.table[axis]
    counts = sheet.counts(axis)
    if not column.dtype.is_numeric() or column.null_count():
        found = _words(sheet, axis, column, counts, most)
    elif "low" in sheet.axes[axis]:
        found = _span(sheet.axes[axis], axis, column.to_numpy(), counts, in_span)
    else:
        found = _listed(axis, column.to_numpy(), counts, most)
    if counts.all():
        return found
    kept = dict.fromkeys(value_text(axis, value) for value in column.filter(pl.Series(~counts)).to_list())
    labels = (*found.labels, f"not varied ({', '.join(kept)})")
    return Places(axis, labels, np.where(counts, found.of, found.count), found.edges)


def _words(sheet: SweepSheet, axis: str, column: pl.Series, counts: Truths, most: int) -> Places:
    texts = pl.Series([value_text(axis, value) for value in column.to_list()], dtype=pl.String)
    listed = [value_text(axis, value) for value in sheet.axes.get(axis, {}).get("values", ())]
    there = list(texts.filter(pl.Series(counts)).unique(maintain_order=True))
    labels = [text for text in dict.fromkeys(listed) if text in there] + [text for text in there if text not in listed]
    shown = labels if len(labels) <= most else [*labels[: most - 1], f"{len(labels) - most + 1} others"]
    numbers = {text: min(place, len(shown) - 1) for place, text in enumerate(labels)}
    of = np.array([numbers.get(text, 0) for text in texts], dtype=np.int64)
    return Places(axis, tuple(shown), of, np.empty(0))


def _listed(axis: str, values: np.ndarray, counts: Truths, most: int) -> Places:
    distinct = np.unique(values[counts])
    if distinct.size <= most:
        labels = tuple(value_text(axis, value.item()) for value in distinct)
        return Places(axis, labels, _clipped(np.searchsorted(distinct, values), distinct.size), np.empty(0))
    firsts = [part[0] for part in np.array_split(distinct, most)]
    return _cut(axis, values, counts, np.array([*firsts, distinct[-1]], dtype=np.float64))


def _span(described: Mapping[str, Any], axis: str, values: np.ndarray, counts: Truths, most: int) -> Places:
    is_whole = values.dtype.kind in "iu"
    low, high = described["low"], described["high"] + is_whole
    if is_whole and high - low <= most:
        return _listed(axis, values, counts, most)
    edges = (np.geomspace if described["log"] else np.linspace)(low, high, most + 1)
    found = _cut(axis, values, counts, edges)
    if is_whole:
        edges[-1] = described["high"]
        return Places(axis, found.labels, found.of, edges)
    ends = [setting(axis, float(f"{edge:.3g}")) for edge in edges]
    return Places(axis, tuple(map("{} to {}".format, ends, ends[1:])), found.of, edges)


def _cut(axis: str, values: np.ndarray, counts: Truths, edges: Floats) -> Places:
    """Stretches between edges, each told by the lowest and the highest value in it."""
    count = edges.size - 1
    of = _clipped(np.searchsorted(edges, values, side="right") - 1, count)
    return Places(axis, tuple(_told(axis, values[counts & (of == place)]) for place in range(count)), of, edges)


def _told(axis: str, inside: np.ndarray) -> str:
    """The lowest and the highest of some values."""
    if not inside.size:
        return NOTHING
    low, high = value_text(axis, inside.min().item()), value_text(axis, inside.max().item())
    return low if low == high else f"{low} to {high}"


def _clipped(places: np.ndarray, count: int) -> Integers:
    return np.asarray(np.clip(places, 0, count - 1), dtype=np.int64)
