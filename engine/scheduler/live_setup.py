"""All that a run of a scheduler depends on whose bars are still coming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...config.environments import choose_environment
from ...config.licence import active_licence
from ...config.universes import Feed
from ...errors import UsageError, unknown_name
from ..bars import Bars
from ..configured import ResolvedSchedule, catalog_of, load_core_config, resolve_schedules
from ..feeds import base_interval_seconds, traded_feeds
from ..growing import FUTURE_US, GrowingPanel
from ..guard import CapabilityGuard
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
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    chosen, _ = choose_environment(core.environments, environment)
    name = core.environments[chosen].scheduler if scheduler is None else scheduler
    schedulers = core.runtime.multi_strategy_schedulers
    if name not in schedulers:
        raise UsageError(unknown_name("scheduler", name, schedulers))
    resolved = resolve_schedules(core, core.environments[chosen], schedulers[name], catalog_of(core))
    guard = CapabilityGuard(active_licence().capabilities)
    for one in resolved:
        guard.require_strategy(one.strategy.name, one.strategy.capability)
    primary, secondary, fallback = (
        traded_feeds(core, resolved, which) for which in ("primary", "secondary", "fallback")
    )
    return LivePlan(
        config=core,
        config_file="" if isinstance(config, CoreConfig) else str(config),
        environment=chosen,
        scheduler=name,
        resolved=tuple(resolved),
        interval_seconds=base_interval_seconds(resolved),
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


def _schedule_bars(resolved: Sequence[ResolvedSchedule], history: GrowingPanel) -> Mapping[int, tuple[Bars, ...]]:
    longer = history.join(sorted({int(one.schedule.interval) for one in resolved}))
    return {history.interval_seconds: history.instruments, **longer}
