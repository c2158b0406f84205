"""A configured scheduler, with its capital policy, its limits and an operator's commands, as one backtest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from ...config.commands import AnyCommand
from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...config.durations import microseconds
from ...data.instants import read_instant
from ...errors import UsageError, unknown_name
from ...kernels import account, venue
from ..bars import MICROSECONDS, Bars, Floats, Integers
from ..configured import (
    ResolvedSchedule,
    check_given_commands,
    choose_scheduler,
    load_commands,
)
from ..execution import Execution
from ..feeds import Feeds, FeedSources, read_sources
from ..funding import funding_by_bar
from ..given_bars import GivenBars, given_sources
from ..joining import joined_legs
from ..panel import Panel
from ..portfolio import known_options, refuse_missing_volume
from .controls import WITHOUT
from .result import SchedulerResult
from .setup import NO_PAIR, SECOND_LEG, SchedulerSetup, check_block_bars
from .simulation import Progress, simulate

Moment = str | datetime | None

_SHORTEST_BLOCK, _LONGEST_BLOCK = 256, 2048
_NEAR = 2**14
"""Bars × schedules × instruments whose wishes are made at a time, between the shortest and the longest block."""


def backtest_scheduler(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    progress: Progress | None = None,
    **asked: Any,
) -> SchedulerResult:
    """Backtest a scheduler: its schedules at their cadences over one cash account, governed as it is configured.

    What happens when, and what each word means, stands in docs/scheduler.md.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        progress: Called with the bars that are done and all of them, after each block.
        **asked: Everything else that `set_up_scheduler` takes: environment, bars, start, end, commands, without,
            drift_seconds, funding, block_bars, and fields of `Execution`.

    Raises:
        ConfigError: The configuration or the commands are refused.
        UsageError: A name is unknown, a value out of range, or there are no bars to trade on.
        DataError: Bars are not there or not fit to trade on.
        AuthorizationError: The licence does not grant a strategy.
    """
    return simulate(set_up_scheduler(config, scheduler, **asked), progress)


def set_up_scheduler(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    environment: str = "demo",
    bars: GivenBars | None = None,
    start: Moment = None,
    end: Moment = None,
    commands: Sequence[AnyCommand] | str | Path = (),
    without: Iterable[Literal["suspensions", "limits", "governor"]] = (),
    drift_seconds: float = 0.0,
    funding: Mapping[str, pl.DataFrame] | None = None,
    block_bars: int | None = None,
    **options: Any,
) -> SchedulerSetup:
    """All that a run of a scheduler depends on, for any driver.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        environment: Its bars, capital, and what schedules leave open: a name, an alias or a type.
        bars: By instrument its bars, or those of both venues of a pair; `FeedSources`, where instruments have
            fallbacks, too; None: the environment's recorded bars.
        start: First due time at the earliest; bars before it warm the engines up. None: the first bar's open.
        end: Last due time, and last close, at the latest. None: the last bar's close.
        commands: What an operator does, or the file that says it.
        without: Interventions to leave out.
        drift_seconds: How late runs start, and their orders go out.
        funding: By an instrument's name, `timestamp` (UTC) and `rate`, the share of value that longs pay to shorts.
        block_bars: Bars whose wishes are made at a time; results do not depend on it. None: by the number of schedules
            and instruments.
        **options: Fields of `Execution`. Limits, levels, margin and volume are for schedules of one venue.

    Raises:
        ConfigError: The configuration or the commands are refused.
        UsageError: A name is unknown, a value out of range, or there are no bars to trade on.
        DataError: Bars are not there or not fit to trade on.
        AuthorizationError: The licence does not grant a strategy.
    """
    chosen = choose_scheduler(config, environment, scheduler)
    core, resolved = chosen.core, chosen.resolved
    given = (
        load_commands(commands, core, chosen.name)
        if isinstance(commands, str | Path)
        else check_given_commands(commands, core, chosen.name)
    )
    capital = core.environments[chosen.environment].capital
    execution = execution_of(options, capital)  # what is mistyped is told before a long read
    if block_bars is not None:
        check_block_bars(block_bars)
    feeds = _feeds(core, chosen.environment, resolved, bars, given)
    span = _Span(feeds, start, end)
    ordered = sorted(resolved, key=lambda one: one.name)
    if block_bars is None:
        block_bars = _block_bars(len(ordered) * len(span.instruments), len(span.panel))
    return SchedulerSetup(
        name=chosen.name,
        environment=chosen.environment,
        config=core,
        config_file="" if isinstance(config, CoreConfig) else str(config),
        config_digest=content_sha384(core),
        scheduler=chosen.scheduler,
        resolved=tuple(ordered),
        order=np.array([ordered.index(one) for one in resolved], dtype=np.int64),
        profiles=core.risk_profiles,
        panel=span.panel,
        history=span.history,
        others=span.others,
        schedule_bars=_schedule_bars(ordered, span),
        execution=execution,
        rules=rules_of(ordered, span.history, execution, funded=bool(funding)),
        feed_changes=tuple(change for change in feeds.changes if span.start_us < change.at_us <= span.end_us),
        rates=_rates(span, funding or {}),
        commands=given,
        without=_left_out(without),
        drift_seconds=_at_least_zero("drift_seconds", drift_seconds),
        start_us=span.start_us,
        end_us=span.end_us,
        block_bars=block_bars,
    )


def _block_bars(cells: int, bars: int) -> int:
    """So many that a block's own cost is small, and not so many that wishes leave the cache before they are traded."""
    return max(1, min(bars, _LONGEST_BLOCK, max(_SHORTEST_BLOCK, _NEAR // cells)))


def _feeds(
    core: CoreConfig,
    environment: str,
    resolved: Sequence[ResolvedSchedule],
    bars: GivenBars | None,
    commands: Sequence[AnyCommand],
) -> Feeds:
    """What is traded on, by what an operator says of feeds; bars that are given without fallbacks are those read."""
    if bars is None:
        return read_sources(core, environment, resolved).commanded(commands)
    sources = given_sources(core, resolved, bars)
    return sources.commanded(commands) if isinstance(bars, FeedSources) else sources.merged()


class _Span:
    """The bars between two instants, and those before them.

    Attributes:
        history: All legs from the first bar on, up to the end.
        panel: The same from the start on.
        instruments: Names of the instruments; second legs are not among them.
        others: int64[leg], see `SchedulerSetup`.
        start_us: The start.
        end_us: The end.
    """

    def __init__(self, feeds: Feeds, start: Moment, end: Moment) -> None:
        legs = [*feeds.primary.values(), *feeds.secondary.values()]
        names = [*feeds.primary, *(f"{bars.venue}:{name}" for name, bars in feeds.secondary.items())]
        self.instruments = tuple(feeds.primary)
        self.others = second_legs(list(feeds.primary), list(feeds.secondary))
        end_us = None if end is None else moment_us("end", end)
        start_us = None if start is None else moment_us("start", start)
        if start_us is not None and end_us is not None and start_us >= end_us:
            raise UsageError(f"the start is {_iso(start_us)}; it must be before the end, {_iso(end_us)}")
        self.history = Panel([_until(bars, end_us) for bars in legs], names)
        if not len(self.history):
            begin = min(int(bars.ts_us[0]) for bars in legs if len(bars))
            raise UsageError(f"no bar closes before the end, {_iso(end_us or begin)}; the bars begin at {_iso(begin)}")
        first_us, last_open_us = self.history.ts_us[[0, -1]].tolist()
        last_us = self.history.end_us
        self.start_us = first_us if start_us is None else self._outside_bars(max(start_us, first_us))
        self.end_us = last_us if end_us is None else min(end_us, last_us)
        if self.start_us > last_open_us:
            asked = _iso(start_us or first_us)
            raise UsageError(f"no bar opens at the start, {asked}, or later; the last opens at {_iso(last_open_us)}")
        traded = self.history.instruments
        if self.start_us > first_us:
            traded = tuple(_from(bars, self.start_us) for bars in traded)
        self.panel = self.history if self.start_us == first_us else Panel(traded, names)

    def _outside_bars(self, start_us: int) -> int:
        """The start; inside a bar that bar's close: what a run sees of the history is closed."""
        before = int(np.searchsorted(self.history.ts_us, start_us)) - 1
        if before < 0:
            return start_us
        return max(start_us, int(self.history.ts_us[before]) + self.history.interval_seconds * MICROSECONDS)


def second_legs(primary: Sequence[str], secondary: Sequence[str]) -> Integers:
    """int64[leg]: see `SchedulerSetup.others`.

    Args:
        primary: Names of the instruments.
        secondary: Of those that are traded in pairs.
    """
    first = [len(primary) + secondary.index(name) if name in secondary else NO_PAIR for name in primary]
    return np.array([*first, *(SECOND_LEG for _ in secondary)], dtype=np.int64)


def _until(bars: Bars, end_us: int | None) -> Bars:
    """The bars that are closed at an instant."""
    if end_us is None:
        return bars
    return bars.part(0, int(np.searchsorted(bars.closes_us, end_us, "right")))


def _from(bars: Bars, start_us: int) -> Bars:
    """The bars that open at an instant or later."""
    return bars.part(int(np.searchsorted(bars.ts_us, start_us)), len(bars))


def _schedule_bars(resolved: Sequence[ResolvedSchedule], span: _Span) -> dict[int, tuple[Bars, ...]]:
    """By interval, the bars of the instruments joined to that length."""
    return joined_legs(span.history, {int(one.schedule.interval) for one in resolved})


def execution_of(options: Mapping[str, Any], capital: float) -> Execution:
    """What orders cost and how they are made, by the fields of `Execution` that are given."""
    known_options(options, Execution.__dataclass_fields__)
    if options.get("units") is not None:
        raise UsageError("units is not for schedulers: their capital policy says how much each schedule trades")
    return Execution(**{"capital": capital, **options})


def rules_of(resolved: Sequence[ResolvedSchedule], history: Panel, execution: Execution, *, funded: bool) -> Floats:
    """float64[schedule, leg, VENUE_RULES]: what each position is traded by."""
    rules = np.empty((len(resolved), len(history.names), venue.VENUE_RULES))
    for s, one in enumerate(resolved):
        strategy, hedged = one.strategy, one.strategy.engine.needs_secondary
        own = execution.plain if hedged else execution
        rules[s] = own.rules(hedged=hedged, interval_seconds=history.interval_seconds, funded=funded and not hedged)
        if strategy.rebalance_threshold > 0.0:
            rules[s, :, account.THRESHOLD] = strategy.rebalance_threshold
        if "max_notional" in strategy.parameters:
            rules[s, :, account.MAX_NOTIONAL] = strategy.parameters["max_notional"]
    refuse_missing_volume(rules, history.instruments)
    return rules


def _rates(span: _Span, funding: Mapping[str, pl.DataFrame]) -> dict[int, Floats]:
    """By an instrument's place, float64[its bars]: the funding rate paid at each open."""
    for name in funding:
        if name not in span.instruments:
            raise UsageError(f"funding: {unknown_name('instrument', str(name), span.instruments)}")
    places = {span.history.place_of(name): rates for name, rates in funding.items()}
    return {i: funding_by_bar(span.history.instruments[i], rates) for i, rates in places.items()}


def _left_out(without: Iterable[str]) -> frozenset[str]:
    names = [without] if isinstance(without, str) else list(without)
    for name in names:
        if name not in WITHOUT:
            raise UsageError(f"without: {unknown_name('intervention', str(name), WITHOUT)}")
    return frozenset(names)


def _at_least_zero(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < float("inf"):
        raise UsageError(f"{name} is {value!r}; allowed is 0 or more")
    return float(value)


def moment_us(name: str, moment: str | datetime) -> int:
    """An instant, or the text of one, in microseconds since the epoch; what names no zone is in UTC.

    Raises:
        UsageError: The text is no instant.
    """
    instant = read_instant(name, moment) if isinstance(moment, str) else moment
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return microseconds(instant)


def _iso(us: int) -> str:
    return f"{np.datetime_as_string(np.datetime64(us, 'us'), unit='m')}Z"
