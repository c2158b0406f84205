"""The scheduler of a load test: the configured one, with as many schedules and signals as are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from ..config.core import CoreConfig
from ..config.durations import instant_at
from ..config.environments import Environment
from ..config.risk import RiskProfile
from ..config.runtime import Runtime
from ..config.schedulers import Schedule, Scheduler
from ..config.strategies import Strategy
from ..config.universes import Instrument, Universe
from ..engine.bars import Bars
from ..engine.configured import ResolvedSchedule, choose_scheduler
from .gate_inputs import MINUTE, bars_of, candles

ENGINE = "volatility_target"
EVERY_WISH_IS_NEW = {"rebalance_threshold": 0.0, "max_allocation": 100.0}
"""Exposure follows volatility, which is another one at every bar: each run has a signal of each instrument."""
PAST_BARS = 200
"""Before the first iteration; the engine wants 97."""


class LoadedScheduler:
    """What a load test runs.

    Attributes:
        config: A configuration of one scheduler and one environment.
        name: The scheduler.
        environment: The environment.
        bars: By instrument, minutes that are made from a fixed seed.
        start: When the first iteration is due.
    """

    def __init__(
        self,
        core: CoreConfig,
        environment: str,
        scheduler: str | None,
        *,
        iterations: int,
        schedules: int,
        signals: int,
    ) -> None:
        """Take over what a scheduler costs by: its capital policy, and whose schedules are of which profile and tags.

        Limits, suspensions, the governor and what profiles allow are left out: every signal is to be accepted.

        Raises:
            ConfigError: The configuration is refused.
            UsageError: A name is unknown.
            AuthorizationError: The licence does not grant a strategy.
        """
        chosen = choose_scheduler(core, environment, scheduler)
        self.name, self.environment = chosen.name, chosen.environment
        names = [f"LOAD{k:03d}" for k in range(signals)]
        place = core.environments[self.environment]
        self.config = CoreConfig(
            runtime=Runtime(
                multi_strategy_schedulers={self.name: _scheduler(chosen.scheduler, chosen.resolved, schedules)},
                resource_limits=core.runtime.resource_limits,
            ),
            risk_profiles=dict.fromkeys(core.risk_profiles, RiskProfile()),
            strategies={one.strategy.name: _strategy(one) for one in chosen.resolved},
            environments={self.environment: _offline(place, self.name)},
            instrument_universes={"load": Universe(instruments=dict.fromkeys(names, Instrument(primary=place.venue)))},
        )
        self.bars: dict[str, Bars] = {
            name: bars_of(candles(PAST_BARS + iterations, seed=k), name, place.venue) for k, name in enumerate(names)
        }

    @property
    def start(self) -> datetime:
        """The close of the last bar that was there before."""
        return instant_at(int(next(iter(self.bars.values())).ts_us[PAST_BARS]))


def _scheduler(own: Scheduler, resolved: Sequence[ResolvedSchedule], count: int) -> Scheduler:
    """Its schedules in declared order, again and again until there are as many, all due every minute."""
    schedules = {}
    for k in range(count):
        again, one = k // len(resolved), resolved[k % len(resolved)]
        schedules[f"{one.name}_{again + 1}" if again else one.name] = Schedule(
            strategy=one.strategy.name, cadence_seconds=MINUTE, interval=MINUTE, risk_profile=one.risk_profile
        )
    return Scheduler(
        schedules=schedules,
        telemetry_namespace=own.telemetry_namespace,
        capital_policy=own.capital_policy,
        allocation_rebalance_seconds=own.allocation_rebalance_seconds,
    )


def _strategy(one: ResolvedSchedule) -> Strategy:
    return Strategy(
        engine=ENGINE, risk_profile=one.risk_profile, tags=list(one.strategy.tags), parameters={**EVERY_WISH_IS_NEW}
    )


def _offline(place: Environment, scheduler: str) -> Environment:
    """The environment's capital and venue, on bars that are made."""
    return replace(
        place,
        type="demo",
        offline=True,
        feed=None,
        adapter_address=None,
        mtls_bundle=None,
        adapter_token_env=None,
        instrument_universe="load",
        scheduler=scheduler,
    )
