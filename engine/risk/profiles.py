"""A risk profile by itself: its schedules alone on the account, the rest of the configuration as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl
from msgspec.structs import replace

from ...config.core import CoreConfig
from ...config.durations import instant_at
from ...config.risk import RiskProfile
from ...errors import UsageError, unknown_name
from ..configured import Chosen, ResolvedSchedule
from ..feeds import FeedSources, read_sources
from ..scheduler.backtest import set_up_scheduler
from ..scheduler.result import SchedulerResult
from ..scheduler.simulation import simulate


@dataclass(frozen=True, kw_only=True)
class ProfileAlone:
    """A risk profile of a scheduler.

    Attributes:
        name: Its name.
        chosen: The scheduler.
        schedules: Those that trade under it.
    """

    name: str
    chosen: Chosen
    schedules: tuple[ResolvedSchedule, ...]

    @property
    def limits(self) -> RiskProfile:
        """What it is held to."""
        return self.chosen.core.risk_profiles[self.name]

    @cached_property
    def config(self) -> CoreConfig:
        """The configuration with these schedules alone in the scheduler; its policy shares out all capital to them."""
        core, kept = self.chosen.core, {one.name for one in self.schedules}
        whole = self.chosen.scheduler
        alone = replace(
            whole,
            schedules={name: written for name, written in whole.schedules.items() if name in kept},
            initial_suspensions=[
                one for one in whole.initial_suspensions if one.schedule is None or one.schedule in kept
            ],
        )
        schedulers = {**core.runtime.multi_strategy_schedulers, self.chosen.name: alone}
        return replace(core, runtime=replace(core.runtime, multi_strategy_schedulers=schedulers))

    @cached_property
    def sources(self) -> FeedSources:
        """The recorded bars that it trades on."""
        return read_sources(self.chosen.core, self.chosen.environment, self.schedules)

    @property
    def warm_up_bars(self) -> int:
        """Bars of the market before the first run: twice what the schedule that waits longest asks for."""
        base = self.sources.base_interval_seconds
        return 2 * max(round(one.schedule.warmup_bars * one.schedule.interval / base) for one in self.schedules)

    def run(
        self, bars: FeedSources, start_us: int | None = None, funding: Mapping[str, pl.DataFrame] | None = None
    ) -> SchedulerResult:
        """The engine over some bars."""
        setup = set_up_scheduler(
            self.config,
            self.chosen.name,
            environment=self.chosen.environment,
            bars=bars,
            start=None if start_us is None else instant_at(start_us),
            funding=funding,
        )
        return simulate(setup)


def profiles_of(chosen: Chosen, names: Sequence[str] = ()) -> tuple[ProfileAlone, ...]:
    """The risk profiles of a scheduler's schedules, or some of them, sorted by name.

    Raises:
        UsageError: No schedule trades under a profile of that name.
    """
    used = sorted({one.risk_profile for one in chosen.resolved})
    for name in names:
        if name not in used:
            raise UsageError(unknown_name("risk profile", name, used))
    return tuple(
        ProfileAlone(
            name=name,
            chosen=chosen,
            schedules=tuple(one for one in chosen.resolved if one.risk_profile == name),
        )
        for name in (used if not names else sorted(set(names)))
    )
