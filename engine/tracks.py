"""What an audit compares: named outputs, each row with the instant from which on it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UsageError
from .bars import Bars, Integers

Column = NDArray[Any]
ROWS, NAMES = "number of rows", "names of outputs"
"""What moved where one run has more rows than the other, or other outputs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """Outputs on one axis.

    Attributes:
        name: What they are together: `outputs`, `decisions`, `fills` …
        known_us: int64[row], not falling: when each row is known, in microseconds since the epoch, UTC.
        columns: By name, one value a row.
        at_open: Whether a row is settled by the open of the bar that opens at `known_us`, and may read that open.
    """

    name: str
    known_us: Integers
    columns: Mapping[str, Column]
    at_open: bool = False

    def rows_until(self, until_us: int, *, open_is_known: bool) -> int:
        """How many rows are known at an instant; of those settled by an open, with or without that of this instant."""
        last_us = until_us - 1 if self.at_open and not open_is_known else until_us
        return int(np.searchsorted(self.known_us, last_us, side="right"))


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A row that two runs disagree on.

    Attributes:
        track: Name of the track.
        column: Name of the output.
        row: Its place in the track.
        known_us: When it is known.
        before: Its value in the first run.
        after: Its value in the second.
    """

    track: str
    column: str
    row: int
    known_us: int
    before: Any
    after: Any


def first_moves(one: Track, other: Track, until_us: int, *, open_is_known: bool = True) -> Iterator[Moved]:
    """Of each output the first row known at an instant that two runs disagree on. NaN agrees with NaN."""
    counts = [track.rows_until(until_us, open_is_known=open_is_known) for track in (one, other)]
    rows = min(counts)
    if counts[0] != counts[1]:
        longer = one if counts[0] > rows else other
        known_us = int(longer.known_us[rows])
        yield Moved(track=one.name, column=ROWS, row=rows, known_us=known_us, before=counts[0], after=counts[1])
    if one.columns.keys() != other.columns.keys():
        names = [", ".join(track.columns) for track in (one, other)]
        yield Moved(track=one.name, column=NAMES, row=0, known_us=until_us, before=names[0], after=names[1])
    for name in (name for name in one.columns if name in other.columns):
        values, others = one.columns[name], other.columns[name]
        differs = np.flatnonzero(~same(values[:rows], others[:rows]))
        if differs.size:
            row = int(differs[0])
            before, after = (_plain(column[row]) for column in (values, others))
            known_us = int(one.known_us[row])
            yield Moved(track=one.name, column=name, row=row, known_us=known_us, before=before, after=after)


def same(one: Column, other: Column) -> NDArray[np.bool_]:
    """bool[row]: where two columns of one length hold the same bits, or both NaN."""
    if one.dtype.kind == other.dtype.kind == "f":
        bits = np.ascontiguousarray(one).view(np.int64) == np.ascontiguousarray(other).view(np.int64)
        return np.asarray(bits | (np.isnan(one) & np.isnan(other)))
    if "f" in one.dtype.kind + other.dtype.kind and not {one.dtype.kind, other.dtype.kind} <= set("bif"):
        return np.zeros(one.size, dtype=np.bool_)  # numbers beside text: numpy has no answer by row
    return np.asarray(one == other, dtype=np.bool_)


def columns_of(table: pl.DataFrame) -> dict[str, Column]:
    """A table's columns as arrays; instants as microseconds."""
    return {column.name: column_of(column.name, column.to_physical()) for column in table.iter_columns()}


def column_of(name: str, values: Any) -> Column:
    """Values as an array that `same` compares: numbers as float64, all else as it is.

    Raises:
        UsageError: There is not one value a row.
    """
    array = values.to_numpy() if isinstance(values, pl.Series) else np.asarray(values)
    if array.ndim != 1:
        raise UsageError(f"output {name!r} has the shape {array.shape}; it must be one value a bar")
    if array.dtype.kind in "mM":
        return array.view(np.int64)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def bars_track(bars: Bars) -> Track:
    """Bars that a pipeline made: each is known at its close."""
    columns = {"timestamp": bars.ts_us, **columns_of(bars.to_frame().drop("timestamp"))}
    return Track(name="bars", known_us=bars.closes_us, columns=columns)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
