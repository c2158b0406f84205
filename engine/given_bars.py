"""Bars that a caller has, in the place of recorded ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..config.core import CoreConfig
from ..data.durations import format_interval
from ..errors import UsageError, nearest, unknown_name
from .bars import Bars
from .configured import ResolvedSchedule
from .feeds import FeedSources, base_interval_seconds

BarsByName = Mapping[str, Bars | tuple[Bars, Bars]]
GivenBars = BarsByName | FeedSources
"""By the instrument's name its bars, or those of the primary and of the secondary venue; or these with fallbacks."""


def given_sources(config: CoreConfig, schedules: Sequence[ResolvedSchedule], given: GivenBars) -> FeedSources:
    """Take the bars that a caller has. What no schedule trades is left aside.

    Raises:
        UsageError: An instrument or its secondary is missing, a name is unknown, or an interval is not the shortest
            that a schedule has.
    """
    bars = _by_name(given) if isinstance(given, FeedSources) else given
    known = {name for universe in config.instrument_universes.values() for name in universe.instruments}
    for name in bars:
        if name not in known:
            raise UsageError(f"bars: {unknown_name('instrument', str(name), known)}")
    base_seconds = base_interval_seconds(schedules)
    instruments = tuple(dict.fromkeys(name for one in schedules for name in one.instruments))
    primary = {name: _given(bars, name) for name in instruments}
    pairs = [one for one in schedules if one.strategy.engine.needs_secondary]
    secondary = {name: _given_secondary(bars, name, one.name) for one in pairs for name in one.instruments}
    fallbacks = given.fallback if isinstance(given, FeedSources) else {}
    fallback = {name: replace(fallbacks[name], symbol=name) for name in instruments if name in fallbacks}
    for own in (*primary.values(), *secondary.values(), *fallback.values()):
        if own.interval_seconds != base_seconds:
            raise UsageError(
                f"bars: those of {own.venue} {own.symbol} are {format_interval(own.interval_seconds)} long; the "
                f"shortest interval of a schedule is {format_interval(base_seconds)}, and all must have it."
            )
    return FeedSources(base_interval_seconds=base_seconds, primary=primary, secondary=secondary, fallback=fallback)


def _by_name(given: FeedSources) -> dict[str, Bars | tuple[Bars, Bars]]:
    second = given.secondary
    return {name: (bars, second[name]) if name in second else bars for name, bars in given.primary.items()}


def _given(bars: BarsByName, name: str) -> Bars:
    if name not in bars:
        raise UsageError(f"bars: none of {name!r} are given.{nearest(name, bars)} Given: {', '.join(bars) or 'none'}.")
    given = bars[name]
    return replace(given[0] if isinstance(given, tuple) else given, symbol=name)


def _given_secondary(bars: BarsByName, name: str, schedule: str) -> Bars:
    given = bars[name]
    if not isinstance(given, tuple):
        raise UsageError(
            f"bars: those of {name!r} are of one venue and schedule {schedule!r} reads two; give (primary, secondary)."
        )
    return replace(given[1], symbol=name)
