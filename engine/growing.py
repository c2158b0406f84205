"""Bars that are still coming: histories with room, on one axis of time that grows by a bar at each close.

What has not come yet opens in a future that no clock reaches, so that a search by time never meets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data.resample import origin_us
from ..errors import DataError
from ..kernels.columns import BAR_COLUMNS, CLOSE, OPEN, RETURN, VOLUME
from ..kernels.returns import log_returns
from .bars import MICROSECONDS, Bars, Floats, Integers
from .joining import coarser
from .panel import PRICES, Panel

FUTURE_US = 2**62
"""When a bar opens that has not come."""

Row = tuple[float, float, float, float, float]
"""Open, high, low, close, volume."""


@dataclass(frozen=True, eq=False)
class GrowingBars(Bars):
    """One instrument's bars, with room for more. Its length is the room; `count` says how many have come."""

    _counts: Integers = field(default_factory=lambda: np.zeros(2, dtype=np.int64))
    _starts: list[int] = field(default_factory=list)

    @classmethod
    def with_room(cls, bars: Bars, room: int) -> GrowingBars:
        """The bars of a history, and room for `room` more."""
        size = len(bars) + room
        times, values = np.full(size, FUTURE_US, dtype=np.int64), np.full((BAR_COLUMNS, size), np.nan)
        times[: len(bars)], values[:, : len(bars)] = bars.ts_us, bars.values
        growing = cls(bars.symbol, bars.venue, bars.interval_seconds, times, values)
        growing._counts[0] = len(bars)
        growing._starts.extend(bars.segment_starts.tolist() if len(bars) else [])
        for cached in (growing.numbers, growing.closes_us):
            cached.flags.writeable = True
        return growing

    @property
    def count(self) -> int:
        """How many bars have come."""
        return int(self._counts[0])

    @property
    def is_gapless(self) -> bool:
        """Whether each bar that has come follows the one before."""
        return len(self._starts) == 1

    @property
    def segment_starts(self) -> Integers:
        """Places where a run of consecutive bars begins."""
        return np.array(self._starts, dtype=np.int64)

    def append(self, ts_us: int, row: Row) -> None:
        """Add the bar that opened at `ts_us`.

        Raises:
            DataError: It does not open after the last one, is not fit to trade on, or there is no room.
        """
        at = self.count
        _refuse_unfit(self, ts_us, row)
        if at == len(self):
            raise DataError(f"{self.venue} {self.symbol}: there is no room for more than {at:,} bars.")
        self.ts_us[at], self.numbers[at] = ts_us, ts_us // (self.interval_seconds * MICROSECONDS)
        self.closes_us[at] = ts_us + self.interval_seconds * MICROSECONDS
        self.values[: VOLUME + 1, at] = row
        log_returns(self.values[CLOSE], self.values[RETURN], at, at + 1)
        if at == 0 or self.numbers[at] - self.numbers[at - 1] != 1:
            self._starts.append(at)
        self._counts[0] = at + 1

    def so_far(self) -> Bars:
        """A copy of the bars that have come."""
        return Bars(
            self.symbol,
            self.venue,
            self.interval_seconds,
            self.ts_us[: self.count].copy(),
            np.ascontiguousarray(self.values[:, : self.count]),
        )


def _refuse_unfit(bars: GrowingBars, ts_us: int, row: Row) -> None:
    opening, high, low, close, volume = row
    at = np.datetime64(ts_us, "us")
    if bars.count and ts_us <= int(bars.ts_us[bars.count - 1]):
        last = np.datetime64(int(bars.ts_us[bars.count - 1]), "us")
        raise DataError(f"{bars.venue} {bars.symbol}: the bar of {at}Z comes after that of {last}Z.")
    if not (0.0 < low <= min(opening, close) and max(opening, close) <= high < np.inf) or volume < 0.0:
        told = ", ".join(f"{value:g}" for value in row)
        raise DataError(
            f"{bars.venue} {bars.symbol}: the bar of {at}Z is none (open, high, low, close, volume: {told}); prices "
            "are above 0, and open and close are between low and high."
        )


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
        self.instruments = tuple(GrowingBars.with_room(bars, room) for bars in legs)
        self._aligned = False
        self.count, size = len(past), len(past) + room
        self.ts_us = np.full(size, FUTURE_US, dtype=np.int64)
        self.ts_us[: self.count] = past.ts_us
        self.numbers = self.ts_us // (self.interval_seconds * MICROSECONDS)
        self._places = [np.full(size, -1, dtype=np.int64) for _ in legs]
        for places, bars in zip(self._places, legs, strict=True):
            places[: self.count] = np.searchsorted(bars.ts_us, past.ts_us, side="right") - 1
        self._joined: list[GrowingJoined] = []
        self._latest = np.full((2, len(legs), PRICES), np.nan)
        for back in (2, 1):
            if self.count >= back:
                self._see(self.count - back)

    def append(self, ts_us: int, rows: Mapping[int, Row]) -> int:
        """Add the bars that opened at `ts_us`, by leg; returns their place.

        Raises:
            DataError: One does not follow what has come, or is not fit to trade on.
        """
        for leg, row in rows.items():
            _refuse_unfit(self.instruments[leg], ts_us, row)  # all or none
        at = self.count
        if at == len(self):
            raise DataError(f"there is no room for more than {at:,} bars.")
        for leg, row in rows.items():
            self.instruments[leg].append(ts_us, row)
        self.ts_us[at], self.numbers[at] = ts_us, ts_us // (self.interval_seconds * MICROSECONDS)
        for places, bars in zip(self._places, self.instruments, strict=True):
            places[at] = bars.count - 1
        self.count = at + 1
        self._see(at)
        self.complete(ts_us + self.interval_seconds * MICROSECONDS)
        return at

    def complete(self, now_us: int) -> None:
        """Everything that closes by now is there: longer bars that end by then are whole."""
        for joined in self._joined:
            joined.complete(now_us)

    def join(self, intervals: Sequence[int]) -> dict[int, tuple[GrowingBars, ...]]:
        """By each longer interval in seconds, bars of all legs that grow with these."""
        longer = {}
        for seconds in intervals:
            if seconds != self.interval_seconds:
                joined = [GrowingJoined(bars, seconds) for bars in self.instruments]
                longer[seconds] = tuple(one.bars for one in joined)
                self._joined += joined
        return longer

    def _see(self, column: int) -> None:
        """Keep the prices of the last two columns at hand: all others are read once, when they come."""
        self._latest[0] = self._latest[1]
        ts_us, latest = self.ts_us[column], self._latest[1]
        for leg, (places, bars) in enumerate(zip(self._places, self.instruments, strict=True)):
            place = places[column]
            if place >= 0 and bars.ts_us[place] == ts_us:
                latest[leg] = bars.values[:PRICES, place]
            else:
                latest[leg, OPEN] = latest[leg, VOLUME] = np.nan
                close = bars.values[CLOSE, place] if place >= 0 else np.nan
                latest[leg] = np.nan
                latest[leg, CLOSE] = close

    def fill_prices(self, columns: Integers, _others: Integers, out: Floats, before: int) -> None:
        """Write the prices of the last columns that have come; see `Panel.fill_prices`."""
        for k, column in enumerate(columns.tolist()):
            back = self.count - column  # 1: the last one
            if back > 2:
                raise DataError("only the last two bars of a history that grows are read again")
            out[:, :, before + k] = np.nan if back < 1 else self._latest[2 - back]

    def so_far(self) -> Panel:
        """A copy of what has come."""
        return Panel([bars.so_far() for bars in self.instruments], self.names)


class GrowingJoined:
    """Bars joined into longer ones as they come, by the rule of `joining.coarser`.

    Attributes:
        bars: The longer bars.
    """

    def __init__(self, base: GrowingBars, interval_seconds: int) -> None:
        """base: the shorter bars, as far as they have come."""
        past = coarser(base.so_far(), interval_seconds)
        room = len(base) - base.count + 1  # with gaps, each shorter bar may be the only one of its longer one
        self.bars = GrowingBars.with_room(past, room)
        self._base, self._taken = base, 0
        self._origin_us, self._length_us = origin_us(interval_seconds), interval_seconds * MICROSECONDS
        if self.bars.count:
            last_us = int(self.bars.closes_us[self.bars.count - 1])
            self._taken = int(np.searchsorted(base.ts_us, last_us))
        self._open_us, self._row = FUTURE_US, _NOTHING
        self._take_base()

    def complete(self, now_us: int) -> None:
        """Everything that closes by now is in the shorter bars."""
        self._take_base()
        if self._open_us + self._length_us <= now_us:
            self._finish()

    def _take_base(self) -> None:
        base = self._base
        while self._taken < base.count:
            ts_us, at = int(base.ts_us[self._taken]), self._taken
            opens_us = ts_us - (ts_us - self._origin_us) % self._length_us
            if opens_us != self._open_us:
                self._finish()
                self._open_us, self._row = opens_us, _NOTHING
            self._row = _joined(self._row, tuple(base.values[: VOLUME + 1, at].tolist()))
            self._taken += 1

    def _finish(self) -> None:
        """The longer bar that is open has ended; one that began before the first shorter one is left out."""
        if self._open_us != FUTURE_US and self._open_us >= int(self._base.ts_us[0]):
            self.bars.append(self._open_us, self._row)
        self._open_us, self._row = FUTURE_US, _NOTHING


_NOTHING: Row = (np.nan, -np.inf, np.inf, np.nan, np.nan)


def _joined(one: Row, other: Row) -> Row:
    """Two bars as one; what is no number is passed over."""
    return (
        other[0] if one[0] != one[0] else one[0],
        max(one[1], other[1]),
        min(one[2], other[2]),
        other[3],
        one[4] if other[4] != other[4] else other[4] if one[4] != one[4] else one[4] + other[4],
    )
