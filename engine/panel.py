"""Many instruments' bars on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.durations import format_interval
from ..errors import UsageError, unknown_name
from ..kernels.book import PAGE
from ..kernels.columns import CLOSE, OPEN, RETURN
from ..kernels.portfolio import take_prices
from .bars import MICROSECONDS, Bars, Floats, Integers, describe_span

PRICES = RETURN
"""Columns of bars that trading reads: all before the return."""


class Panel:
    """Bars of several instruments, of one interval, on the union of their times.

    Attributes:
        instruments: The bars, in the order in which they were given.
        names: Their names: the symbol, with the venue before it where two have the same.
        ts_us: int64[bar], open times at which any of them has a bar.
        interval_seconds: Length of a bar.
        pages: What kernels read it by where it grows; see `kernels.growing.PANEL`. None of one that does not.
    """

    pages: Integers = np.empty((0, PAGE), dtype=np.int64)

    def __init__(self, instruments: Sequence[Bars], names: Sequence[str] | None = None) -> None:
        if not instruments:
            raise UsageError("a portfolio needs the bars of at least one instrument")
        intervals = {bars.interval_seconds for bars in instruments}
        if len(intervals) > 1:
            raise UsageError(f"the bars are {', '.join(map(str, sorted(intervals)))} seconds long; they must be alike")
        self.instruments = tuple(instruments)
        self.names = _names(instruments) if names is None else tuple(names)
        self.interval_seconds = instruments[0].interval_seconds
        first = instruments[0].ts_us
        self._aligned = all(_same_times(bars, instruments[0]) for bars in instruments[1:])
        self.ts_us = first if self._aligned else np.unique(np.concatenate([bars.ts_us for bars in instruments]))

    def __len__(self) -> int:
        return self.ts_us.size

    def __repr__(self) -> str:
        names = ", ".join(self.names)
        return f"Panel({names} {format_interval(self.interval_seconds)}, {describe_span(self.times)})"

    def until(self, end_us: int) -> Panel:
        """The bars that are closed at an instant."""
        return Panel(
            [bars.part(0, int(np.searchsorted(bars.closes_us, end_us, "right"))) for bars in self.instruments],
            self.names,
        )

    def place_of(self, name: str) -> int:
        """The place of an instrument among the others; UsageError where there is none of this name."""
        if name not in self.names:
            raise UsageError(unknown_name("instrument", str(name), self.names))
        return self.names.index(name)

    @property
    def end_us(self) -> int:
        """When the last bar of any of them closes, in microseconds since the epoch."""
        return int(self.ts_us[-1]) + self.interval_seconds * MICROSECONDS

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Open times as datetime64, UTC."""
        return self.ts_us.view("datetime64[us]")

    @property
    def has_gaps(self) -> bool:
        """Whether an instrument lacks a bar that another has, or time jumps."""
        return not self._aligned or not self.instruments[0].is_gapless

    @cached_property
    def numbers(self) -> Integers:
        """int64[bar]: open time over interval."""
        if self._aligned:
            return self.instruments[0].numbers
        return self.ts_us // (self.interval_seconds * MICROSECONDS)

    @cached_property
    def _pages(self) -> Integers:
        """int64[instrument × row, PAGE]: where the prices of each instrument's bars lie."""
        pages, rows = np.zeros((len(self.instruments), PRICES, PAGE), dtype=np.int64), np.arange(PRICES)
        for own, bars in zip(pages, self.instruments, strict=True):
            own[:, 0] = bars.values.__array_interface__["data"][0] + bars.values.strides[0] * rows
            own[:, 1] = len(bars)
        return pages.reshape(-1, PAGE)

    @cached_property
    def _places(self) -> list[Integers]:
        """For each instrument, the place of its last bar that opens at or before each time; -1 before its first."""
        return [np.searchsorted(bars.ts_us, self.ts_us, side="right") - 1 for bars in self.instruments]

    def closes(self, instrument: int) -> Floats:
        """float64[bar]: closes, the last one carried forward, 0 before the first."""
        bars = self.instruments[instrument]
        if self._aligned:
            return bars.close
        if not len(bars):
            return np.zeros(len(self))
        place = self._places[instrument]
        return np.where(place >= 0, bars.close[place], 0.0)

    def fill_prices(self, columns: Integers, others: Integers, out: Floats, before: int) -> None:
        """Write open, close and the rows `others` of the bars at `columns` to out[instrument, row].

        Column k goes to place before + k. The close is carried forward; the rest is NaN where an instrument has no bar.
        """
        if self._aligned:
            take_prices(self._pages, columns, others, out, before)
            return
        for i, bars in enumerate(self.instruments):
            rows, end = (OPEN, CLOSE, *others.tolist()), before + columns.size
            if not len(bars):
                out[i, list(rows), before:end] = np.nan
                continue
            place, absent = self._place_at(i, columns)
            for row in rows:
                out[i, row, before:end] = np.where(
                    place < 0 if row == CLOSE else absent, np.nan, bars.values[row, place]
                )

    def column_closes_us(self, start: int, stop: int) -> Integers:
        """int64[bar]: when the bars `start` to `stop` close."""
        return self.ts_us[start:stop] + self.interval_seconds * MICROSECONDS

    def fill_columns(
        self, first: int, stop: int, before: int, origin: int, others: Integers, prices: Floats, columns: Integers
    ) -> None:
        """Write the bars `first` to `stop` to the columns of a block from `before` on; nothing is known after the last.

        prices: float64[instrument, row, ·], see `fill_prices`; columns: int64[2, ·], numbers, and places from `origin`
        on.
        """
        wanted, end = np.arange(first, stop), before + stop - first
        prices[:, :, end:] = np.nan
        self.fill_prices(wanted, others, prices, before)
        columns[0, before:end], columns[1, before:end] = self.numbers[first:stop], wanted - origin

    def fill_own(self, instrument: int, values: Floats, columns: Integers, out: Floats) -> None:
        """Write an instrument's own values (float64[its bars]) at `columns` to out[0:n], 0 where it has no bar."""
        present, place = self.own_bars(instrument, columns)
        out[: columns.size] = 0.0
        out[present] = values[place]

    def own_bars(self, instrument: int, columns: Integers) -> tuple[Integers, Integers]:
        """Which of the `columns` an instrument has a bar at, and the places of these among its own bars."""
        if self._aligned:
            return np.arange(columns.size), columns
        place, absent = self._place_at(instrument, columns)
        present = np.flatnonzero(~absent)
        return present, place[present]

    def _place_at(self, instrument: int, columns: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Places among an instrument's own bars, and where it has none."""
        if not len(self.instruments[instrument]):
            return np.full(columns.size, -1), np.ones(columns.size, dtype=np.bool_)
        place = self._places[instrument][columns]
        return place, (place < 0) | (self.instruments[instrument].ts_us[place] != self.ts_us[columns])

    def benchmark(self) -> Floats:
        """float64[bar]: growth of the instruments, bought once in equal parts; before its first bar a part is cash."""
        growths = [
            np.where(closes > 0.0, closes / closes[closes > 0.0][0], 1.0)
            for closes in map(self.closes, range(len(self.names)))
            if closes.any()
        ]
        return np.mean(growths, axis=0) if growths else np.ones(len(self))

    def benchmark_growth(self) -> float:
        """Mean growth from each instrument's first close to its last: bought once in equal parts."""
        return float(np.mean([bars.close[-1] / bars.close[0] for bars in self.instruments if len(bars)]))


def _same_times(one: Bars, other: Bars) -> bool:
    if one.is_gapless and other.is_gapless:  # both ends say all
        return bool(one.ts_us[0] == other.ts_us[0] and one.ts_us[-1] == other.ts_us[-1])
    return np.array_equal(one.ts_us, other.ts_us)


def _names(instruments: Sequence[Bars]) -> tuple[str, ...]:
    symbols = [bars.symbol for bars in instruments]
    names = tuple(
        bars.symbol if symbols.count(bars.symbol) == 1 else f"{bars.venue}:{bars.symbol}" for bars in instruments
    )
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two instruments are named {name!r}; positions are told apart by their names")
    return names
