"""Bars joined into longer ones, for schedules of a longer interval."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..data.dataset import Dataset, DatasetInfo
from ..data.durations import format_interval
from ..data.resample import origin_us, resample
from ..errors import DataError, UsageError
from .bars import MICROSECONDS, Bars, Integers
from .panel import Panel


def coarser(bars: Bars, interval_seconds: int, known_until_us: int | None = None) -> Bars:
    """Join bars into longer ones, as `data.resample` does; the same bars where they have that length.

    A longer bar holds nothing that ends after its own close, so a run may see it from then on. A first or last one
    that the bars cover in part is left out, if need be all; one with a gap inside is made of the bars that there are.
    So the longer bars of a shorter history are the first ones of a longer history.

    Args:
        bars: The shorter bars.
        interval_seconds: Length of the longer ones.
        known_until_us: Up to when these are all the bars that there are, in microseconds since the epoch, so that a
            longer one that ends by then is whole; None: up to the close of the last one.

    Raises:
        UsageError: The interval is no multiple of the bars'.
        DataError: A bar reaches over the end of a longer one.
    """
    if interval_seconds == bars.interval_seconds:
        return bars
    if interval_seconds % bars.interval_seconds:
        raise UsageError(f"{bars!r} cannot be joined to {format_interval(interval_seconds)}, which is no multiple.")
    _refuse_overlap(bars, interval_seconds)
    symbol, venue = bars.symbol, bars.venue
    if not _holds_a_whole_one(bars, interval_seconds, known_until_us):
        return Bars.from_arrays([], [], [], [], [], interval_seconds=interval_seconds, symbol=symbol, venue=venue)
    info = DatasetInfo(symbol=symbol, venue=venue, interval_seconds=bars.interval_seconds)
    shorter = Dataset(bars.to_frame(), info)
    return Bars.from_dataset(resample(shorter, interval_seconds, known_until_us=known_until_us).dataset)


def joined_legs(history: Panel, intervals: Iterable[int]) -> dict[int, tuple[Bars, ...]]:
    """By interval in seconds, shortest first, all legs' bars joined to that length.

    A leg without a bar at the history's end traded nothing then: what others have shows that time has gone on.
    """
    return {
        seconds: tuple(coarser(bars, seconds, history.end_us) for bars in history.instruments)
        for seconds in sorted(intervals)
    }


def _holds_a_whole_one(bars: Bars, interval_seconds: int, known_until_us: int | None) -> bool:
    """Whether any bar opens in a longer one that neither begins before the first bar nor ends after what is known."""
    opens_us = bars.ts_us - _since_open_us(bars, interval_seconds)
    ends_us = np.maximum(bars.closes_us[-1:], known_until_us or 0)
    whole = (opens_us >= bars.ts_us[:1]) & (opens_us + interval_seconds * MICROSECONDS <= ends_us)
    return bool(whole.any())


def _since_open_us(bars: Bars, interval_seconds: int) -> Integers:
    """int64[bar]: how long before each bar the longer one that it belongs to has opened."""
    return (bars.ts_us - origin_us(interval_seconds)) % (interval_seconds * MICROSECONDS)


def _refuse_overlap(bars: Bars, interval_seconds: int) -> None:
    """A bar that began before a longer one's end and ends after it would show the longer one what comes later."""
    most_us = (interval_seconds - bars.interval_seconds) * MICROSECONDS
    over = np.flatnonzero(_since_open_us(bars, interval_seconds) > most_us)
    if over.size:
        raise DataError(
            f"{bars.venue} {bars.symbol}: the bar of {format_interval(bars.interval_seconds)} at "
            f"{bars.times[over[0]]}Z reaches over the end of a bar of {format_interval(interval_seconds)}; "
            f"see such times with `barstep data check FILE`."
        )
