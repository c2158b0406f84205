"""The recorded bars of a scheduler: where they lie, the one interval that it trades on, and what stands in for what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from msgspec.structs import replace as replace_fields

from ..config.commands import AnyCommand, UseFeed
from ..config.core import CoreConfig
from ..config.durations import microseconds
from ..config.universes import Feed
from ..errors import UsageError, unknown_name
from .bars import Bars
from .configured import ResolvedSchedule
from .fallback import Booleans, FeedChange, FeedUse, Merged, merge
from .recorder import Recorder


@dataclass(frozen=True, kw_only=True)
class Feeds:
    """What a scheduler trades on. Each `symbol` is the instrument's name, whatever its venue calls it.

    Attributes:
        base_interval_seconds: Length of all these bars, the shortest that a schedule has.
        primary: Bars of every instrument that a schedule trades, in the order in which schedules name them first; from
            its fallback while its primary feed was stalled.
        secondary: Bars of the other venue, for instruments that a schedule of two venues trades.
        from_fallback: By instrument, bool[bar]: which of its bars the fallback gave. Who is not in it has no fallback.
        changes: When instruments went over to their fallbacks and back, in order of time.
    """

    base_interval_seconds: int
    primary: Mapping[str, Bars]
    secondary: Mapping[str, Bars]
    from_fallback: Mapping[str, Booleans] = field(default_factory=dict)
    changes: tuple[FeedChange, ...] = ()

    def until(self, end_us: int | None) -> Feeds:
        """What is known at an instant; None: all."""
        if end_us is None:
            return self
        primary, secondary = (
            {name: bars.part(0, int(np.searchsorted(bars.closes_us, end_us, "right"))) for name, bars in legs.items()}
            for legs in (self.primary, self.secondary)
        )
        return replace(
            self,
            primary=primary,
            secondary=secondary,
            from_fallback={name: given[: len(primary[name])] for name, given in self.from_fallback.items()},
            changes=tuple(change for change in self.changes if change.at_us <= end_us),
        )


@dataclass(frozen=True, kw_only=True)
class FeedSources:
    """What each feed has by itself, before one stands in for another. Each `symbol` is the instrument's name.

    Attributes:
        base_interval_seconds: Length of all these bars.
        primary: Bars of every instrument, in declared order.
        secondary: Bars of the other venue, for instruments that are traded in pairs.
        fallback: Bars of the fallback, for instruments that have one.
    """

    base_interval_seconds: int
    primary: Mapping[str, Bars]
    secondary: Mapping[str, Bars] = field(default_factory=dict)
    fallback: Mapping[str, Bars] = field(default_factory=dict)

    def merged(self, uses: Mapping[str, Sequence[FeedUse]] | None = None) -> Feeds:
        """The bars that are traded on, by the rule of docs/feeds.md.

        Args:
            uses: By instrument what an operator says of its feed, in order of time.

        Raises:
            DataError: The bars of a fallback open at other times than its primary's.
        """
        said = uses or {}
        merged: dict[str, Merged] = {
            name: merge(bars, self.fallback.get(name), said.get(name, ())) for name, bars in self.primary.items()
        }
        return Feeds(
            base_interval_seconds=self.base_interval_seconds,
            primary={name: one.bars for name, one in merged.items()},
            secondary=self.secondary,
            from_fallback={name: merged[name].from_fallback for name in self.fallback},
            changes=tuple(sorted((change for one in merged.values() for change in one.changes), key=_at)),
        )

    def commanded(self, commands: Iterable[AnyCommand]) -> Feeds:
        """The same with what the `use_feed` among commands say, which are in order of time.

        Raises:
            UsageError: One is for an instrument that is not traded, or that has no fallback.
            DataError: The bars of a fallback open at other times than its primary's.
        """
        uses: dict[str, list[FeedUse]] = {name: [] for name in self.fallback}
        for command in commands:
            if isinstance(command, UseFeed):
                for name in self.switchable(command.instrument):
                    uses[name].append(FeedUse(at_us=microseconds(command.at), feed=command.feed))
        return self.merged(uses)

    def switchable(self, instrument: str | None = None) -> tuple[str, ...]:
        """The instruments that an operator's word on feeds is about; None: all that have a fallback.

        Raises:
            UsageError: There is no such instrument, or it has no fallback.
        """
        if instrument is not None and instrument not in self.primary:
            raise UsageError(unknown_name("instrument", instrument, self.primary))
        if not self.fallback or (instrument is not None and instrument not in self.fallback):
            which = ", ".join(self.primary) if instrument is None else instrument
            raise UsageError(f"{which}: no fallback feed is recorded; set 'fallback' in instrument_universes.")
        return tuple(self.fallback) if instrument is None else (instrument,)


def read_feeds(config: CoreConfig, environment: str, schedules: Sequence[ResolvedSchedule]) -> Feeds:
    """Read the recorded bars of an environment that these schedules trade on; see `read_sources`."""
    return read_sources(config, environment, schedules).merged()


def read_sources(config: CoreConfig, environment: str, schedules: Sequence[ResolvedSchedule]) -> FeedSources:
    """Read what the feeds of an environment have of what these schedules trade.

    Bars lie in the feed's `folder`, else in the environment's `feed`, and are found by the venue, the symbol and the
    interval that the files' metadata say. Where there are none of the shortest interval, the longest ones that divide
    it are joined. A fallback without a `folder` that is not recorded is left out.

    Raises:
        UsageError: The environment has no recorded bars, or an instrument means two things, or intervals do not fit.
        DataError: A folder does not have the bars, or they are not fit to trade on.
    """
    base_seconds = base_interval_seconds(schedules)
    legs = (traded_feeds(config, schedules, which) for which in ("primary", "secondary", "fallback"))
    return _read_legs(config, environment, base_seconds, *legs)


def read_universe(
    config: CoreConfig,
    environment: str,
    universe: str | None,
    interval_seconds: int,
    instruments: Sequence[str] | None = None,
    *,
    secondary: bool = False,
) -> FeedSources:
    """Read what the feeds of a universe have, whatever is traded; see `read_sources`.

    Args:
        config: The configuration.
        environment: Its recorded bars.
        universe: The universe; None: the environment's.
        interval_seconds: Length of the bars.
        instruments: Names of some of its instruments; None: all.
        secondary: Whether to read the second legs of those that have one.
    """
    if interval_seconds < 1:
        raise UsageError(f"interval_seconds is {interval_seconds!r}; it must be a whole number of seconds above 0.")
    name = config.environments[environment].instrument_universe if universe is None else universe
    if name not in config.instrument_universes:
        raise UsageError(unknown_name("universe", name, config.instrument_universes))
    known = config.instrument_universes[name].instruments
    for wanted in instruments or ():
        if wanted not in known:
            raise UsageError(unknown_name("instrument", wanted, known))
    primary, second, fallback = (
        {
            one: _with_symbol(written, one)
            for one in (known if instruments is None else instruments)
            if (written := getattr(known[one], which)) is not None
        }
        for which in ("primary", "secondary", "fallback")
    )
    return _read_legs(config, environment, interval_seconds, primary, second if secondary else {}, fallback)


def _read_legs(
    config: CoreConfig,
    environment: str,
    interval_seconds: int,
    primary: Mapping[str, Feed],
    secondary: Mapping[str, Feed],
    fallback: Mapping[str, Feed],
) -> FeedSources:
    recorder = Recorder(config, environment, interval_seconds)
    return FeedSources(
        base_interval_seconds=interval_seconds,
        primary={name: recorder.read(name, feed) for name, feed in primary.items()},
        secondary={name: recorder.read(name, feed) for name, feed in secondary.items()},
        fallback={name: recorder.read(name, feed) for name, feed in fallback.items() if recorder.has(name, feed)},
    )


def _at(change: FeedChange) -> int:
    return change.at_us


def base_interval_seconds(schedules: Sequence[ResolvedSchedule]) -> int:
    """The shortest interval of the schedules, which divides all others.

    Raises:
        UsageError: One is no whole number of seconds, or no multiple of the shortest.
    """
    shortest = min(schedules, key=lambda one: one.schedule.interval)
    base = shortest.schedule.interval
    if base % 1.0:
        raise UsageError(f"schedule {shortest.name!r}: interval is {base:g} s; bars are whole seconds long.")
    for one in schedules:
        if one.schedule.interval % base:
            raise UsageError(
                f"schedule {one.name!r}: interval is {one.schedule.interval:g} s, which is no multiple of "
                f"{base:g} s, the shortest one (schedule {shortest.name!r}); longer bars are joined from the shortest."
            )
    return int(base)


def traded_feeds(
    config: CoreConfig, schedules: Sequence[ResolvedSchedule], which: Literal["primary", "secondary", "fallback"]
) -> dict[str, Feed]:
    """The feed of every instrument that is traded; as secondary, of those that a schedule of two venues trades.

    As fallback, of those that have one: it is the instrument's in all universes, where one of them names it.
    """
    feeds: dict[str, Feed] = {}
    for one in schedules:
        if which == "secondary" and not one.strategy.engine.needs_secondary:
            continue
        universe = config.instrument_universes[one.instrument_universe]
        for name in one.instruments:
            written = getattr(universe.instruments[name], which)
            if written is None and which == "fallback":
                continue
            if written is None:
                raise UsageError(
                    f"instrument {name!r} of universe {one.instrument_universe!r} has no {which} feed, which schedule "
                    f"{one.name!r} needs: {one.strategy.engine.name} reads two venues."
                )
            feed = _with_symbol(written, name)
            if feeds.setdefault(name, feed) != feed:
                which_one = "the fallback of instrument" if which == "fallback" else "instrument"
                raise UsageError(
                    f"{which_one} {name!r} is {_told(feeds[name])} for an earlier schedule and {_told(feed)} for "
                    f"{one.name!r} (universe {one.instrument_universe!r}); in one run a name is one instrument."
                )
    return feeds


def _with_symbol(written: str | Feed, name: str) -> Feed:
    feed = Feed(venue=written) if isinstance(written, str) else written
    return replace_fields(feed, symbol=feed.symbol or name)


def _told(feed: Feed) -> str:
    return f"{feed.venue} {feed.symbol}" + (f" in {feed.folder}" if feed.folder else "")
