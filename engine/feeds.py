"""The recorded bars of a scheduler: where they lie, and the one interval that it trades on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec.structs import replace as replace_fields

from ..config.core import CoreConfig
from ..config.universes import Feed
from ..data.dataset import Dataset, DatasetInfo
from ..data.durations import format_interval
from ..data.folder import DatasetFolder, open_folder
from ..data.presets import EMBEDDED_FOLDER
from ..data.resample import origin_us, resample
from ..errors import DataError, UsageError, nearest, unknown_name
from .bars import MICROSECONDS, Bars, Integers, load
from .configured import ResolvedSchedule

EMBEDDED = "embedded"
"""What stands for the folder of the datasets that come with barstep."""

GivenBars = Mapping[str, Bars | tuple[Bars, Bars]]
"""By the instrument's name its bars, or those of the primary and of the secondary venue."""


@dataclass(frozen=True, kw_only=True)
class Feeds:
    """What a scheduler trades on. Each `symbol` is the instrument's name, whatever its venue calls it.

    Attributes:
        base_interval_seconds: Length of all these bars, the shortest that a schedule has.
        primary: Bars of every instrument that a schedule trades, in the order in which schedules name them first.
        secondary: Bars of the other venue, for instruments that a schedule of two venues trades.
    """

    base_interval_seconds: int
    primary: Mapping[str, Bars]
    secondary: Mapping[str, Bars]


def read_feeds(config: CoreConfig, environment: str, schedules: Sequence[ResolvedSchedule]) -> Feeds:
    """Read the recorded bars of an environment that these schedules trade on.

    They lie in the feed's `folder`, else in the environment's `feed`, and are found by the venue, the symbol and the
    interval that the files' metadata say. Where there are none of the shortest interval, the longest ones that divide
    it are joined.

    Raises:
        UsageError: The environment has no recorded bars, or an instrument means two things, or intervals do not fit.
        DataError: A folder does not have the bars, or they are not fit to trade on.
    """
    base_seconds = base_interval_seconds(schedules)
    recorder = _Recorder(config, environment, base_seconds)
    primary, secondary = _traded_feeds(config, schedules, "primary"), _traded_feeds(config, schedules, "secondary")
    return Feeds(
        base_interval_seconds=base_seconds,
        primary={name: recorder.read(name, feed) for name, feed in primary.items()},
        secondary={name: recorder.read(name, feed) for name, feed in secondary.items()},
    )


def given_feeds(config: CoreConfig, schedules: Sequence[ResolvedSchedule], bars: GivenBars) -> Feeds:
    """Take the bars that a caller has, in the place of recorded ones. What no schedule trades is left aside.

    Raises:
        UsageError: An instrument or its secondary is missing, a name is unknown, or an interval is not the shortest
            that a schedule has.
    """
    known = {name for universe in config.instrument_universes.values() for name in universe.instruments}
    for name in bars:
        if name not in known:
            raise UsageError(f"bars: {unknown_name('instrument', str(name), known)}")
    base_seconds = base_interval_seconds(schedules)
    primary = {name: _given(bars, name) for name in _instruments(schedules)}
    pairs = [one for one in schedules if one.strategy.engine.needs_secondary]
    secondary = {name: _given_secondary(bars, name, one.name) for one in pairs for name in one.instruments}
    for own in (*primary.values(), *secondary.values()):
        if own.interval_seconds != base_seconds:
            raise UsageError(
                f"bars: those of {own.venue} {own.symbol} are {format_interval(own.interval_seconds)} long; the "
                f"shortest interval of a schedule is {format_interval(base_seconds)}, and all must have it."
            )
    return Feeds(base_interval_seconds=base_seconds, primary=primary, secondary=secondary)


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


def coarser(bars: Bars, interval_seconds: int) -> Bars:
    """Join bars into longer ones, as `data.resample` does; the same bars where they have that length.

    A longer bar holds nothing that ends after its own close, so a run may see it from then on. A first or last one
    that the bars cover in part is left out, if need be all; one with a gap inside is made of the bars that there are.
    So the longer bars of a shorter history are the first ones of a longer history.

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
    if not _holds_a_whole_one(bars, interval_seconds):
        return Bars.from_arrays([], [], [], [], [], interval_seconds=interval_seconds, symbol=symbol, venue=venue)
    info = DatasetInfo(symbol=symbol, venue=venue, interval_seconds=bars.interval_seconds)
    return Bars.from_dataset(resample(Dataset(bars.to_frame(), info), interval_seconds).dataset)


def _holds_a_whole_one(bars: Bars, interval_seconds: int) -> bool:
    """Whether any bar opens in a longer one that neither begins before the first bar nor ends after the last one."""
    opens_us = bars.ts_us - _since_open_us(bars, interval_seconds)
    ends_us = bars.ts_us[-1:] + bars.interval_seconds * MICROSECONDS
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


class _Recorder:
    """Reads the recorded bars of one environment; a folder is looked through once."""

    def __init__(self, config: CoreConfig, environment: str, base_seconds: int) -> None:
        self._config, self._environment, self._base_seconds = config, environment, base_seconds
        self._folders: dict[Path, DatasetFolder] = {}

    def read(self, name: str, feed: Feed) -> Bars:
        path = self._folder(name, feed)
        if path not in self._folders:
            self._folders[path] = open_folder(path)
        recorded = load(self._folders[path].find(feed.venue, feed.symbol or name, self._base_seconds))
        bars = coarser(recorded, self._base_seconds)
        if not len(bars):
            whole = f"one whole bar of {format_interval(self._base_seconds)}"
            raise DataError(f"{path}: {recorded!r} does not hold {whole}.")
        return replace(bars, symbol=name)

    def _folder(self, name: str, feed: Feed) -> Path:
        environments = self._config.environments
        written = feed.folder or environments[self._environment].feed
        if written is None:
            recorded = [other for other, one in environments.items() if one.feed is not None]
            others = f" Environments that have one: {', '.join(recorded)}." if recorded else ""
            raise UsageError(
                f"environment {self._environment!r} has no recorded bars of {name}: set its 'feed' to a folder or to "
                f"{EMBEDDED}, or 'folder' at the instrument's {feed.venue} feed.{others}"
            )
        return EMBEDDED_FOLDER if written == EMBEDDED else Path(written)


def _instruments(schedules: Sequence[ResolvedSchedule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in schedules for name in one.instruments))


def _traded_feeds(
    config: CoreConfig, schedules: Sequence[ResolvedSchedule], which: Literal["primary", "secondary"]
) -> dict[str, Feed]:
    """The feed of every instrument that is traded; as secondary, of those that a schedule of two venues trades."""
    feeds: dict[str, Feed] = {}
    for one in schedules:
        if which == "secondary" and not one.strategy.engine.needs_secondary:
            continue
        universe = config.instrument_universes[one.instrument_universe]
        for name in one.instruments:
            written = getattr(universe.instruments[name], which)
            if written is None:
                raise UsageError(
                    f"instrument {name!r} of universe {one.instrument_universe!r} has no {which} feed, which schedule "
                    f"{one.name!r} needs: {one.strategy.engine.name} reads two venues."
                )
            feed = _with_symbol(written, name)
            if feeds.setdefault(name, feed) != feed:
                raise UsageError(
                    f"instrument {name!r} is {_told(feeds[name])} for an earlier schedule and {_told(feed)} for "
                    f"{one.name!r} (universe {one.instrument_universe!r}); in one run a name is one instrument."
                )
    return feeds


def _with_symbol(written: str | Feed, name: str) -> Feed:
    feed = Feed(venue=written) if isinstance(written, str) else written
    return replace_fields(feed, symbol=feed.symbol or name)


def _told(feed: Feed) -> str:
    return f"{feed.venue} {feed.symbol}" + (f" in {feed.folder}" if feed.folder else "")


def _given(bars: GivenBars, name: str) -> Bars:
    if name not in bars:
        raise UsageError(f"bars: none of {name!r} are given.{nearest(name, bars)} Given: {', '.join(bars) or 'none'}.")
    given = bars[name]
    return replace(given[0] if isinstance(given, tuple) else given, symbol=name)


def _given_secondary(bars: GivenBars, name: str, schedule: str) -> Bars:
    given = bars[name]
    if not isinstance(given, tuple):
        raise UsageError(
            f"bars: those of {name!r} are of one venue and schedule {schedule!r} reads two; give (primary, secondary)."
        )
    return replace(given[1], symbol=name)
