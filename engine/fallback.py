"""When a feed stalls over to its fallback, and when it comes back: one rule for all histories and all loops.

It stands in docs/feeds.md. What it says of an interval depends on that interval and on those before it, so that the
bars of a shorter history are the first ones of a longer history. `feed_switch` says the same an interval at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .bars import MICROSECONDS, Bars, Integers

Booleans = NDArray[np.bool_]
FeedName = Literal["primary", "fallback"]
Reason = Literal["stalled", "recovered", "commanded"]

IN_A_ROW = 2
"""Intervals without a bar of the primary after which it is stalled, and with one after which it is back."""


@dataclass(frozen=True, kw_only=True)
class FeedUse:
    """An operator's word on which feed an instrument is to be read from.

    Attributes:
        at_us: From when on: it holds for bars that close at this instant or later.
        feed: `fallback` until told otherwise; `primary` lets it stall and recover by itself again.
    """

    at_us: int
    feed: FeedName


@dataclass(frozen=True, kw_only=True)
class FeedChange:
    """An instrument's bars come from another feed.

    Attributes:
        at_us: When: the close of the first interval that it holds for.
        instrument: The instrument.
        change: Which feed it is from then on.
        feed: The venue of that feed.
        before: The venue of the feed that was read until then.
        reason: Why.
    """

    at_us: int
    instrument: str
    change: FeedName
    feed: str
    before: str
    reason: Reason


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """An instrument's bars, each from the feed that was read at its time.

    Attributes:
        bars: The bars, under the primary's names.
        from_fallback: bool[bar], whether the fallback gave it.
        changes: Each change of feed, in order of time.
    """

    bars: Bars
    from_fallback: Booleans
    changes: tuple[FeedChange, ...]


def merge(primary: Bars, fallback: Bars | None, uses: Sequence[FeedUse] = ()) -> Merged:
    """Read an instrument from its primary feed and, while that is stalled, from its fallback.

    Args:
        primary: Bars of the primary feed; the history begins with the first of them.
        fallback: Bars of the fallback, of the same interval; None where there is none: a gap stays a gap.
        uses: What an operator says, in order of time.

    Returns:
        The bars. They are `primary` itself where the fallback was never read.

    Raises:
        DataError: The bars of the two open at different times.
    """
    if fallback is None or not len(primary) or (not uses and _never_stalls(primary, fallback)):
        return Merged(bars=primary, from_fallback=np.zeros(len(primary), dtype=np.bool_), changes=())
    times = _all_times(primary, fallback)
    closes_us = times + (primary.closes_us[0] - primary.ts_us[0])
    has_primary = _contains(primary.ts_us, times)
    on_fallback, commanded = _choose(has_primary, closes_us, uses)
    given = np.where(on_fallback, _contains(fallback.ts_us, times), has_primary)
    return Merged(
        bars=_taken(primary, fallback, times[given], on_fallback[given]) if on_fallback.any() else primary,
        from_fallback=on_fallback[given],
        changes=tuple(_changes(primary, fallback, closes_us, on_fallback, commanded)),
    )


def _never_stalls(primary: Bars, fallback: Bars) -> bool:
    """Whether the primary lacks no bar that the fallback has, so that there is nothing to look for."""
    if not len(fallback):
        return True
    return primary.is_gapless and int(fallback.numbers[-1] - primary.numbers[-1]) < IN_A_ROW


def _all_times(primary: Bars, fallback: Bars) -> Integers:
    """int64[interval]: opens of the intervals in which either has a bar, from the primary's first one on.

    Bars of one interval that close at different instants cannot tell at either whether the other one is missing.
    """
    both = np.concatenate((primary.ts_us, fallback.ts_us[fallback.ts_us >= primary.ts_us[0]]))
    both.sort(kind="stable")  # two rising runs, which are merged
    times: Integers = both[np.diff(both, prepend=both[0] - 1) != 0]
    apart = np.flatnonzero(np.diff(times // (primary.interval_seconds * MICROSECONDS)) == 0)
    if apart.size:
        one, other = times[apart[0] : apart[0] + 2].view("datetime64[us]")
        raise DataError(
            f"{primary.venue} {primary.symbol} and its fallback {fallback.venue} open at different times: "
            f"{one}Z and {other}Z are in one interval. A fallback has its primary's times; choose another one, or none."
        )
    return times


def _contains(rising: Integers, times: Integers) -> Booleans:
    """bool[time]: whether each of the times is one of the rising ones."""
    if not rising.size:
        return np.zeros(times.size, dtype=np.bool_)
    place = np.minimum(np.searchsorted(rising, times), rising.size - 1)
    found: Booleans = rising[place] == times
    return found


def _choose(has_primary: Booleans, closes_us: Integers, uses: Sequence[FeedUse]) -> tuple[Booleans, set[int]]:
    """bool[interval]: whether the fallback is read; and the intervals from which an operator's words hold."""
    on_fallback = _stalled(has_primary)
    commanded = set()
    for use in uses:
        start = int(np.searchsorted(closes_us, use.at_us))
        commanded.add(start)
        on_fallback[start:] = True if use.feed == "fallback" else _stalled(has_primary[start:])
    return on_fallback, commanded


def _stalled(has_primary: Booleans) -> Booleans:
    """bool[interval]: whether the primary is stalled, being read at first.

    So many intervals in a row decide; where fewer are alike, it stays what it was.
    """
    places = np.arange(has_primary.size)
    begins = np.diff(has_primary, prepend=~has_primary[:1])
    in_a_row = places - np.maximum.accumulate(np.where(begins, places, 0)) + 1
    decided = np.maximum.accumulate(np.where(in_a_row >= IN_A_ROW, places, -1))
    stalled: Booleans = (decided >= 0) & ~has_primary[decided]
    return stalled


def _taken(primary: Bars, fallback: Bars, times: Integers, from_fallback: Booleans) -> Bars:
    """The bars that open at these times, each from its feed."""
    columns = np.empty((5, times.size))
    for feed, mine in ((primary, ~from_fallback), (fallback, from_fallback)):
        columns[:, mine] = feed.values[:5, np.searchsorted(feed.ts_us, times[mine])]
    return Bars.from_arrays(
        times, *columns, interval_seconds=primary.interval_seconds, symbol=primary.symbol, venue=primary.venue
    )


def _changes(
    primary: Bars, fallback: Bars, closes_us: Integers, on_fallback: Booleans, commanded: set[int]
) -> list[FeedChange]:
    venues = (primary.venue, fallback.venue)
    return [
        change_to(primary.symbol, venues, bool(on_fallback[row]), int(closes_us[row]), commanded=row in commanded)
        for row in np.flatnonzero(np.diff(on_fallback, prepend=False)).tolist()
    ]


def change_to(
    instrument: str, venues: tuple[str, str], to_fallback: bool, at_us: int, *, commanded: bool
) -> FeedChange:
    """What is told of a change of feed.

    Args:
        instrument: The instrument.
        venues: Of its primary and of its fallback.
        to_fallback: Which of them it goes over to.
        at_us: The close of the first interval that it holds for.
        commanded: Whether an operator's word holds from that interval on.
    """
    return FeedChange(
        at_us=at_us,
        instrument=instrument,
        change="fallback" if to_fallback else "primary",
        feed=venues[to_fallback],
        before=venues[not to_fallback],
        reason="commanded" if commanded else "stalled" if to_fallback else "recovered",
    )
