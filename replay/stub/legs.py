"""The bars of the legs that a loop watches, looked up by instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...engine.bars import MICROSECONDS, Bars, Floats, Integers
from ...kernels.columns import CLOSE, HIGH, LOW, OPEN, VOLUME
from ..channel.messages import Bar


class Legs:
    """Bars of one interval, by the place of their leg.

    Attributes:
        bars: The bars of each leg.
        interval_us: Length of a bar.
    """

    def __init__(self, bars: Sequence[Bars]) -> None:
        self.bars = tuple(bars)
        self.interval_us = bars[0].interval_seconds * MICROSECONDS

    def __len__(self) -> int:
        return len(self.bars)

    @property
    def first_us(self) -> int:
        """First open of any leg."""
        return min(int(own.ts_us[0]) for own in self.bars if len(own))

    @property
    def last_us(self) -> int:
        """Last close of any leg."""
        return max(int(own.ts_us[-1]) for own in self.bars if len(own)) + self.interval_us

    def instants(self, start_us: int, end_us: int, step_us: int) -> Integers:
        """int64[·], rising: the start, and all opens, closes and multiples of the step up to the end."""
        opens = np.unique(np.concatenate([own.ts_us for own in self.bars]))
        grid = np.arange(-(-start_us // step_us) * step_us, end_us + 1, step_us, dtype=np.int64)
        every: Integers = np.unique(np.concatenate([[start_us], opens, opens + self.interval_us, grid]))
        return every[(every >= start_us) & (every <= end_us)]

    def closed(self, after_us: int, until_us: int) -> Iterator[Bar]:
        """Bars that close after one instant and at or before another, in order of time, then of the legs."""
        for ts_us, leg, place in sorted(self._between(after_us, until_us)):
            row = self.bars[leg].values[:, place]
            yield Bar(
                leg=leg, ts_us=ts_us, open=float(row[OPEN]), high=float(row[HIGH]), low=float(row[LOW]),
                close=float(row[CLOSE]), volume=float(row[VOLUME]),
            )  # fmt: skip

    def _between(self, after_us: int, until_us: int) -> Iterator[tuple[int, int, int]]:
        for leg, own in enumerate(self.bars):
            first, stop = np.searchsorted(
                own.ts_us, [after_us - self.interval_us, until_us - self.interval_us], "right"
            )
            for place in range(int(first), int(stop)):
                yield int(own.ts_us[place]), leg, place

    def open_at(self, leg: int, at_us: int) -> int | None:
        """The place of the bar of a leg that has opened and not closed at an instant; None where there is none."""
        own = self.bars[leg]
        place = int(np.searchsorted(own.ts_us, at_us, "right")) - 1
        return place if place >= 0 and at_us < own.ts_us[place] + self.interval_us else None

    def opening(self, at_us: int) -> Floats:
        """float64[leg]: opens of the bars that open at an instant, NaN where none does."""
        opens = np.full(len(self.bars), np.nan)
        for leg, own in enumerate(self.bars):
            place = int(np.searchsorted(own.ts_us, at_us))
            if place < len(own) and own.ts_us[place] == at_us:
                opens[leg] = own.values[OPEN, place]
        return opens

    def marks(self, at_us: int) -> Floats:
        """float64[leg]: last closes at an instant, NaN before the first."""
        marks = np.full(len(self.bars), np.nan)
        for leg, own in enumerate(self.bars):
            place = int(np.searchsorted(own.ts_us, at_us - self.interval_us, "right")) - 1
            if place >= 0:
                marks[leg] = own.values[CLOSE, place]
        return marks
