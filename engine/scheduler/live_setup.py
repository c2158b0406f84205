"""All that a run of a scheduler depends on whose bars are still coming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...config.universes import Feed
from ...errors import UsageError
from ..bars import Bars
from ..configured import ResolvedSchedule, choose_scheduler
from ..feeds import base_interval_seconds, traded_feeds
from ..growing import FUTURE_US, GrowingPanel
from ..joining import joined_legs
from ..panel import Panel
from .backtest import execution_of, rules_of, second_legs
from .setup import SchedulerSetup


@dataclass(frozen=True, kw_only=True)
class LivePlan:
    """What a live run trades, before any bar is there.

    Attributes:
        config: The configuration.
        config_file: Its file; empty where it was given as an object.
        environment: The environment's name.
        scheduler: The scheduler's name.
        resolved: Its schedules in declared order.
        interval_seconds: Length of the bars.
        primary: By instrument its feed.
        secondary: The second venue's, for instruments that are traded in pairs.
        fallback: The fallback's, for instruments that have one.
    """

    config: CoreConfig
    config_file: str
    environment: str
    scheduler: str
    resolved: tuple[ResolvedSchedule, ...]
    interval_seconds: int
    primary: Mapping[str, Feed]
    secondary: Mapping[str, Feed]
    fallback: Mapping[str, Feed]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the legs: the instruments, then the second legs of pairs."""
        return (*self.primary, *(f"{feed.venue}:{name}" for name, feed in self.secondary.items()))

    @property
    def history_bars(self) -> int:
        """Bars before the start that the engines and their warm-up want, of the shortest interval."""
        return max(
            max(one.strategy.engine.history(dict(one.strategy.parameters)), one.schedule.warmup_bars)
            * round(one.schedule.interval / self.interval_seconds)
            for one in self.resolved
        )


def plan_live(config: CoreConfig | str | Path, environment: str, scheduler: str | None = None) -> LivePlan:
    """What a live run of a scheduler trades.

    Raises:
        ConfigError: The configuration is refused.
        UsageError: A name is unknown.
        AuthorizationError: The licence does not grant a strategy.
    """
    chosen = choose_scheduler(config, environment, scheduler)
    primary, secondary, fallback = (
        traded_feeds(chosen.core, chosen.resolved, which) for which in ("primary", "secondary", "fallback")
    )
    return LivePlan(
        config=chosen.core,
        config_file="" if isinstance(config, CoreConfig) else str(config),
        environment=chosen.environment,
        scheduler=chosen.name,
        resolved=chosen.resolved,
        interval_seconds=base_interval_seconds(chosen.resolved),
        primary=primary,
        secondary=secondary,
        fallback=fallback,
    )


def set_up_live(plan: LivePlan, legs: Sequence[Bars], start_us: int, room: int, **options: Any) -> SchedulerSetup:
    """All that a live run depends on: orders are market orders, and a venue says what became of them.

    Args:
        plan: What it trades.
        legs: By the plan's names, the bars that closed at the start or before.
        start_us: When it starts, in microseconds since the epoch.
        room: Bars that may still come.
        **options: Fields of `Execution` that market orders have: what they cost, and the lot.

    Raises:
        UsageError: An option is none of market orders.
    """
    core, scheduler = plan.config, plan.config.runtime.multi_strategy_schedulers[plan.scheduler]
    ordered = sorted(plan.resolved, key=lambda one: one.name)
    history = GrowingPanel(legs, plan.names, room)
    execution = execution_of(options, core.environments[plan.environment].capital)
    if not execution.is_plain:
        raise UsageError(
            "a live run sends market orders, and its venue fills them: limits, levels, leverage, impact and shares of "
            "volume are for backtests and replays."
        )
    return SchedulerSetup(
        name=plan.scheduler,
        environment=plan.environment,
        config=core,
        config_file=plan.config_file,
        config_digest=content_sha384(core),
        scheduler=scheduler,
        resolved=tuple(ordered),
        order=np.array([ordered.index(one) for one in plan.resolved], dtype=np.int64),
        profiles=core.risk_profiles,
        panel=history,
        history=history,
        others=second_legs(list(plan.primary), list(plan.secondary)),
        schedule_bars=_schedule_bars(ordered, history),
        execution=execution,
        rules=rules_of(ordered, history, execution, funded=False),
        feed_changes=(),
        rates={},
        commands=(),
        without=frozenset(),
        drift_seconds=0.0,
        start_us=start_us,
        end_us=FUTURE_US,
        block_bars=1,
    )


def with_all_bars(setup: SchedulerSetup, legs: Sequence[Bars], block_bars: int) -> SchedulerSetup:
    """A live run's setup with bars that do not grow any more, as a machine takes them in blocks.

    Args:
        setup: The live run's.
        legs: By leg all of its bars.
        block_bars: Bars whose wishes are made at a time.
    """
    history = Panel(legs, setup.history.names)
    longer = joined_legs(history, setup.schedule_bars)
    return replace(setup, panel=history, history=history, schedule_bars=longer, block_bars=block_bars)


def _schedule_bars(resolved: Sequence[ResolvedSchedule], history: GrowingPanel) -> Mapping[int, tuple[Bars, ...]]:
    longer = history.join(sorted({int(one.schedule.interval) for one in resolved}))
    return {history.interval_seconds: history.instruments, **longer}
