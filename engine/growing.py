"""Bars that are still coming: histories with room, on one axis of time that grows by a bar at each close.

What has not come yet opens in a future that no clock reaches, so that a search by time never meets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from struct import Struct

import numpy as np

from ..data.resample import origin_us
from ..errors import DataError
from ..kernels import growing
from ..kernels.book import PAGE
from ..kernels.columns import BAR_COLUMNS
from .bars import MICROSECONDS, Bars, Floats, Integers
from .book import Book
from .joining import coarser
from .panel import Panel

FUTURE_US = 2**62
"""When a bar opens that has not come."""

Row = tuple[float, float, float, float, float]
"""Open, high, low, close, volume."""

_TOLD = Struct(f"={growing.TOLD}d")
"""A bar as it is told to kernels: half the time that an assignment to a row of an array takes."""


@dataclass(frozen=True, eq=False)
class GrowingBars(Bars):
    """One instrument's bars, with room for more: rows of a `GrowingTable`, which fills them. Its length is the room.

    Attributes:
        counts: int64[2], how many bars have come, and how many runs of consecutive ones.
        starts: int64[·], where these runs begin.
    """

    counts: Integers = field(kw_only=True)
    starts: Integers = field(kw_only=True)

    @property
    def count(self) -> int:
        """How many bars have come."""
        return int(self.counts[growing.BARS])

    @property
    def is_gapless(self) -> bool:
        """Whether each bar that has come follows the one before."""
        return int(self.counts[growing.RUNS]) == 1

    @property
    def segment_starts(self) -> Integers:
        """Places where a run of consecutive bars begins."""
        return self.starts[: self.counts[growing.RUNS]]

    def so_far(self) -> Bars:
        """A copy of the bars that have come."""
        return Bars(
            self.symbol,
            self.venue,
            self.interval_seconds,
            self.ts_us[: self.count].copy(),
            np.ascontiguousarray(self.values[:, : self.count]),
        )


class GrowingTable:
    """Bars of several legs, of one interval, with room for more; laid out as `kernels.growing` takes them.

    Attributes:
        bars: By leg its rows.
        counts: int64[leg, 2], how many bars have come, and how many runs of consecutive ones.
        arrays: What the kernels fill, in the order of their arguments.
    """

    def __init__(self, legs: Sequence[Bars], room: int) -> None:
        """legs: what each has until now; room: bars that may still come."""
        shape = len(legs), max(map(len, legs)) + room
        opens_us = np.full(shape, FUTURE_US, dtype=np.int64)
        closes_us, numbers, starts = opens_us.copy(), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        values, self.counts = np.full((shape[0], BAR_COLUMNS, shape[1]), np.nan), np.zeros((shape[0], 2), np.int64)
        self.arrays = (opens_us, closes_us, numbers, values, self.counts, starts)
        self.bars = tuple(self._filled(leg, bars) for leg, bars in enumerate(legs))

    def _filled(self, leg: int, bars: Bars) -> GrowingBars:
        opens_us, closes_us, numbers, values, counts, starts = (array[leg] for array in self.arrays)
        runs = bars.segment_starts if len(bars) else np.empty(0, np.int64)
        counts[:] = len(bars), runs.size
        opens_us[: len(bars)], closes_us[: len(bars)], numbers[: len(bars)] = bars.ts_us, bars.closes_us, bars.numbers
        values[:, : len(bars)], starts[: runs.size] = bars.values, runs
        one = GrowingBars(
            bars.symbol, bars.venue, bars.interval_seconds, opens_us, values, counts=counts, starts=starts
        )
        one.__dict__.update(closes_us=closes_us, numbers=numbers)  # in place of what `Bars` would compute once
        return one


class GrowingPanel(Panel):
    """Bars of several instruments that are still coming, on the union of their times. Its length is the room.

    Attributes:
        count: How many times have come.
    """

    instruments: tuple[GrowingBars, ...]

    def __init__(self, legs: Sequence[Bars], names: Sequence[str], room: int) -> None:
        """legs: what each has until now; room: bars that may still come."""
        past = Panel(legs, names)
        super().__init__(legs, names)
        self._table, self._aligned = GrowingTable(legs, room), False
        self.instruments = self._table.bars
        length_us = self.interval_seconds * MICROSECONDS
        self.count, self._size = len(past), len(past) + room
        self.ts_us = np.full(self._size, FUTURE_US, dtype=np.int64)
        self.ts_us[: self.count] = past.ts_us
        self._closes_us = self.ts_us + length_us
        self.numbers = self.ts_us // length_us
        self._place_table: Integers = np.full((len(legs), self._size), -1, dtype=np.int64)
        for places, bars in zip(self._place_table, legs, strict=True):
            places[: self.count] = np.searchsorted(bars.ts_us, past.ts_us, side="right") - 1
        self._told = np.empty((len(legs), growing.TOLD))
        self._told_bytes = self._told.data.cast("B")
        self._book = Book(growing.PANEL)
        self._book.put(
            **dict(zip(growing.PANEL, self._table.arrays, strict=False)), column_opens_us=self.ts_us,
            column_closes_us=self._closes_us, column_numbers=self.numbers, places=self._place_table,
            length_us=length_us, ends_us=FUTURE_US, told=self._told,
        )  # fmt: skip
        self.pages = self._book.pages
        self._joined: list[GrowingJoined] = []
        self.join(())

    @cached_property
    def _places(self) -> list[Integers]:
        """For each instrument, the place of its last bar at each time that has come; see `Panel`."""
        return list(self._place_table)

    def append(self, ts_us: int, rows: Mapping[int, Row]) -> int:
        """Add the bars that opened at `ts_us`, by leg, to these and to longer ones; returns their place.

        Raises:
            DataError: One does not follow what has come, or is not fit to trade on; then none is added.
        """
        at = self.count
        if at == self._size:
            raise DataError(f"there is no room for more than {at:,} bars.")
        for k, (leg, row) in enumerate(rows.items()):
            _TOLD.pack_into(self._told_bytes, k * _TOLD.size, leg, *row)
        unfit = growing.add_column(self.pages, at, ts_us, len(rows))
        if unfit != growing.ALL_FIT:
            told = self._told[unfit]
            _refuse(self.instruments[int(told[growing.LEG])], ts_us, told[growing.FIRST :])
        self.count = at + 1
        return at

    def complete(self, now_us: int) -> None:
        """Everything that closes by now is there: longer bars that end by then are whole."""
        if now_us >= self.pages[growing.ENDS_US, 0]:
            growing.join_all(self.pages, now_us)

    def join(self, intervals: Sequence[int]) -> dict[int, tuple[GrowingBars, ...]]:
        """By each longer interval in seconds, bars of all legs that grow with these."""
        longer = [seconds for seconds in intervals if seconds != self.interval_seconds]
        joined = {seconds: GrowingJoined(self._table, seconds) for seconds in longer}
        self._joined += joined.values()
        pages = [np.empty((0, len(growing.JOINED), PAGE), np.int64), *(one.pages[None] for one in self._joined)]
        self._book.put(joined=np.concatenate(pages))
        growing.join_all(self.pages, -FUTURE_US)
        return {seconds: one.bars for seconds, one in joined.items()}

    def column_closes_us(self, start: int, stop: int) -> Integers:
        """int64[bar]: when the bars `start` to `stop` close."""
        return self._closes_us[start:stop]

    def so_far(self) -> Panel:
        """A copy of what has come."""
        return Panel([bars.so_far() for bars in self.instruments], self.names)


def _refuse(bars: GrowingBars, ts_us: int, row: Floats) -> None:
    """Say why a bar is not taken.

    Raises:
        DataError: Always.
    """
    at, last_us = np.datetime64(ts_us, "us"), int(bars.ts_us[bars.count - 1]) if bars.count else -FUTURE_US
    if ts_us <= last_us:
        last = np.datetime64(last_us, "us")
        raise DataError(f"{bars.venue} {bars.symbol}: the bar of {at}Z comes after that of {last}Z.")
    told = ", ".join(f"{value:g}" for value in row)
    raise DataError(
        f"{bars.venue} {bars.symbol}: the bar of {at}Z is none (open, high, low, close, volume: {told}); prices "
        "are above 0, and open and close are between low and high."
    )


class GrowingJoined:
    """Bars of all legs joined into longer ones as they come, by the rule of `joining.coarser`.

    Attributes:
        bars: The longer bars, by leg.
        pages: What kernels read them by, see `kernels.growing.JOINED`.
    """

    def __init__(self, base: GrowingTable, interval_seconds: int) -> None:
        """base: the shorter bars, as far as they have come."""
        past = [coarser(bars.so_far(), interval_seconds) for bars in base.bars]
        # With gaps, each shorter bar may be the only one of its longer one.
        room = max(len(bars) - len(whole) for bars, whole in zip(base.bars, past, strict=True)) + 1
        table = GrowingTable(past, room)
        self.bars = table.bars
        ends_us = [int(whole.closes_us[-1]) if len(whole) else -FUTURE_US for whole in past]
        taken = [np.searchsorted(bars.ts_us, end_us) for bars, end_us in zip(base.bars, ends_us, strict=True)]
        self._book = Book(growing.JOINED)
        self.pages = self._book.pages
        self._book.put(
            **dict(zip(growing.JOINED, table.arrays, strict=False)), taken=np.array(taken, dtype=np.int64),
            unfinished=np.full(len(past), -1, dtype=np.int64), length_us=interval_seconds * MICROSECONDS,
            rows=np.full((len(past), growing.TOLD - growing.FIRST), np.nan), origin_us=origin_us(interval_seconds),
        )  # fmt: skip
