"""Where a loop in event time gets its bars from: instant by instant, each bar once, in order, none before its close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ..config.core import CoreConfig
from ..config.environments import choose_environment
from ..data.findings import iso_times
from ..engine.bars import MICROSECONDS, Bars
from ..engine.fallback import Booleans, FeedChange, FeedName, FeedUse
from ..engine.feeds import Feeds, FeedSources, read_universe
from ..errors import FeedError, UsageError, unknown_name
from .market_snapshot import FeedRole, MarketSnapshot

_BLOCK = 4096
"""Bars of a leg that are turned into Python numbers at a time."""

_BEFORE_ALL_US = -(2**63)


class Instant(NamedTuple):
    """What becomes known at one close.

    Attributes:
        close_us: When, in microseconds since the epoch, UTC.
        snapshots: The bars that close: of the instruments in declared order, then of the second legs of pairs.
        changes: Which instruments' bars come from another feed since the instant before.
    """

    close_us: int
    snapshots: list[MarketSnapshot]
    changes: tuple[FeedChange, ...]


class Feed(Protocol):
    """What a loop in event time asks for bars."""

    def next_us(self) -> int | None:
        """When the next bars close; None after the last ones."""

    def take(self) -> Instant:
        """The bars of that instant."""

    def use(self, feed: FeedName, *, at_us: int, instrument: str | None = None) -> None:
        """Read instruments from their primary or from their fallback from an instant on."""


class OHLCVStrategyFeed:
    """Recorded bars as they would have come: from the primary feed, from the fallback while that is stalled.

    When that is stands in docs/feeds.md. Parquet and SQLite give the same.

    Args:
        sources: What each feed has.
        start_us: First open, in microseconds since the epoch; bars before it are in `columns` and are not taken.
        end_us: Last close; what closes later is nowhere.

    Raises:
        FeedError: No feed has a bar in that time.
        DataError: The bars of a fallback open at other times than its primary's.
    """

    def __init__(self, sources: FeedSources, *, start_us: int | None = None, end_us: int | None = None) -> None:
        self._sources, self._end_us = sources, end_us
        self._interval_us = sources.base_interval_seconds * MICROSECONDS
        self._opened_us = _BEFORE_ALL_US if start_us is None else start_us - 1
        self._told_us = self._opened_us  # what is changed at the start itself is told with the first instant
        self._uses: dict[str, list[FeedUse]] = {name: [] for name in sources.fallback}
        self._feeds: Feeds
        self._ahead: tuple[FeedChange, ...]
        self._legs: list[Iterator[MarketSnapshot]]
        self._heads: list[MarketSnapshot | None]
        self._merge()
        if self.next_us() is None:
            raise FeedError(_nothing(sources, start_us, end_us))

    @classmethod
    def of_universe(
        cls,
        config: CoreConfig,
        environment: str = "demo",
        universe: str | None = None,
        *,
        interval_seconds: int,
        instruments: Sequence[str] | None = None,
        secondary: bool = False,
        start_us: int | None = None,
        end_us: int | None = None,
    ) -> OHLCVStrategyFeed:
        """The feed of a universe's instruments. That of a scheduler is made from `engine.feeds.read_sources`.

        Args:
            config: The configuration.
            environment: Whose recorded bars: a name, an alias or a type.
            universe: Whose instruments; None: the environment's.
            interval_seconds: Length of the bars.
            instruments: Names of some of them; None: all.
            secondary: Whether to read the second legs of those that have one.
            start_us: First open.
            end_us: Last close.

        Raises:
            UsageError: A name is unknown, or the environment has no recorded bars.
            DataError: Bars are not there or not fit to trade on.
        """
        chosen, _ = choose_environment(config.environments, environment)
        sources = read_universe(config, chosen, universe, interval_seconds, instruments, secondary=secondary)
        return cls(sources, start_us=start_us, end_us=end_us)

    def __iter__(self) -> Iterator[Instant]:
        """All instants that are left."""
        return self.events()

    def events(self) -> Iterator[Instant]:
        """All instants that are left, in order."""
        while self.next_us() is not None:
            yield self.take()

    def next_us(self) -> int | None:
        """When the next bars close; None after the last ones."""
        return min((head.close_us for head in self._heads if head is not None), default=None)

    def take(self) -> Instant:
        """The bars of that instant.

        Raises:
            FeedError: The last ones were taken.
        """
        close_us = self.next_us()
        if close_us is None:
            raise FeedError("the feed has no more bars: the last ones were taken.")
        snapshots = []
        for place, head in enumerate(self._heads):
            if head is not None and head.close_us == close_us:
                snapshots.append(head)
                self._heads[place] = next(self._legs[place], None)
        changes = tuple(change for change in self._ahead if change.at_us <= close_us)
        if changes:
            self._ahead = self._ahead[len(changes) :]
        self._told_us, self._opened_us = close_us, close_us - self._interval_us
        return Instant(close_us, snapshots, changes)

    def use(self, feed: FeedName, *, at_us: int, instrument: str | None = None) -> None:
        """Read instruments from their fallback until told otherwise, or from their primary, which may stall again.

        Args:
            feed: Which one.
            at_us: From when on: for bars that close at this instant or later. What was taken stays as it was.
            instrument: Which instrument; None: all that have a fallback.

        Raises:
            UsageError: There is no such feed, instrument or fallback, or bars of that instant were taken already.
        """
        if feed not in ("primary", "fallback"):
            raise UsageError(unknown_name("feed", str(feed), ("primary", "fallback")))
        if at_us <= self._told_us:
            at, told = iso_times(np.array([at_us, self._told_us]))
            raise UsageError(f"the feed cannot be changed at {at}: bars up to {told} were taken already.")
        for name in self._sources.switchable(instrument):
            self._uses[name] = sorted([*self._uses[name], FeedUse(at_us=at_us, feed=feed)], key=lambda use: use.at_us)
        self._merge()

    def columns(self) -> Feeds:
        """All bars up to the end, also those before the start, as a vectorised run reads them: the same bits."""
        return self._feeds

    def active(self, instrument: str) -> FeedName:
        """Which feed an instrument's last taken bar came from, or would have come from."""
        if instrument not in self._feeds.primary:
            raise UsageError(unknown_name("instrument", instrument, self._feeds.primary))
        told = [one for one in self._feeds.changes if one.instrument == instrument and one.at_us <= self._told_us]
        return told[-1].change if told else "primary"

    def _merge(self) -> None:
        """Bars by what was said of feeds until now. What was taken comes out the same: the rule looks back only."""
        feeds = self._feeds = self._sources.merged(self._uses).until(self._end_us)
        self._ahead = tuple(change for change in feeds.changes if change.at_us > self._told_us)
        self._legs = [self._primary_leg(name, bars) for name, bars in feeds.primary.items()]
        self._legs += [self._leg(name, bars, (bars.venue, "secondary")) for name, bars in feeds.secondary.items()]
        self._heads = [next(leg, None) for leg in self._legs]

    def _primary_leg(self, name: str, bars: Bars) -> Iterator[MarketSnapshot]:
        if name not in self._sources.fallback:
            return self._leg(name, bars, (bars.venue, "primary"))
        given, venue = self._feeds.from_fallback[name], self._sources.fallback[name].venue
        return self._leg(name, bars, (bars.venue, "primary"), (venue, "fallback"), given)

    def _leg(
        self,
        name: str,
        bars: Bars,
        own: tuple[str, FeedRole],
        other: tuple[str, FeedRole] | None = None,
        from_other: Booleans | None = None,
    ) -> Iterator[MarketSnapshot]:
        """The bars that were not taken yet, each with the feed it is from."""
        interval_us, seconds = self._interval_us, bars.interval_seconds
        first = int(np.searchsorted(bars.ts_us, self._opened_us, side="right"))
        for begin in range(first, len(bars), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            size = len(bars.ts_us[block])
            others = [False] * size if from_other is None else from_other[block].tolist()
            rows = zip(
                others, bars.numbers[block].tolist(), bars.ts_us[block].tolist(), *bars.values[:5, block].tolist(),
                strict=True,
            )  # fmt: skip
            for is_other, number, ts_us, opened, high, low, close, volume in rows:
                venue, role = other if is_other and other is not None else own
                yield MarketSnapshot(
                    instrument=name, venue=venue, feed=role, interval_seconds=seconds, number=number, ts_us=ts_us,
                    close_us=ts_us + interval_us, open=opened, high=high, low=low, close=close, volume=volume,
                )  # fmt: skip


def _nothing(sources: FeedSources, start_us: int | None, end_us: int | None) -> str:
    names = ", ".join(sources.primary)
    said = [(word, us) for word, us in (("from", start_us), ("to", end_us)) if us is not None]
    span = "".join(f" {word} {iso_times(np.array([us]))[0]}" for word, us in said)
    held = [bars for bars in sources.primary.values() if len(bars)]
    if not held:
        return f"no feed has bars of {names}."
    first, last = min(int(bars.ts_us[0]) for bars in held), max(int(bars.closes_us[-1]) for bars in held)
    begin, end = iso_times(np.array([first, last]))
    return f"no feed has bars of {names}{span}; they lie between {begin} and {end}."
