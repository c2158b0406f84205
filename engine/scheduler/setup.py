"""All that a scheduler's backtest depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ...config.commands import AnyCommand
from ...config.core import CoreConfig
from ...config.risk import RiskProfile
from ...config.schedulers import Scheduler
from ...errors import UsageError
from ...kernels import venue
from ..bars import MICROSECONDS, Bars, Floats, Integers
from ..configured import ResolvedSchedule
from ..execution import Execution
from ..fallback import FeedChange
from ..panel import Panel
from ..policy_program import Traits


@dataclass(frozen=True, kw_only=True, eq=False)
class SchedulerSetup:
    """A scheduler with its bars: it can be run again, also with the other order in ambiguous bars.

    Attributes:
        name: The scheduler's name.
        environment: The environment's.
        config: The whole configuration.
        config_file: Its file, as it was given; empty where it was given as an object.
        config_digest: SHA-384 of what it says.
        scheduler: The scheduler as it is configured.
        resolved: Its schedules, sorted by name.
        order: int64[schedule], their places in declared order.
        profiles: Risk profiles by name.
        panel: The bars that are traded: of the instruments, then of the second legs of pairs.
        history: The same from the first bar there is.
        others: int64[leg], the second leg of each instrument's pairs; -1 where there is none.
        schedule_bars: By interval in seconds and instrument, the bars that schedules of longer intervals see.
        execution: Costs, sizes, orders and levels.
        rules: float64[schedule, leg, VENUE_RULES], what each position is traded by.
        feed_changes: When an instrument's bars came from its fallback, and from its own feed again, in order.
        rates: By an instrument's place, float64[its bars in history]: the funding rate paid at each open.
        commands: What an operator does, in order of time.
        without: Of suspensions, limits and governor those that are left out.
        drift_seconds: How late runs start.
        start_us: First due time at the earliest.
        end_us: Last due time at the latest, and last close.
        block_bars: Bars whose wishes are made at a time; the results do not depend on it.
    """

    name: str
    environment: str
    config: CoreConfig
    config_file: str
    config_digest: str
    scheduler: Scheduler
    resolved: tuple[ResolvedSchedule, ...]
    order: Integers
    profiles: Mapping[str, RiskProfile]
    panel: Panel
    history: Panel
    others: Integers
    schedule_bars: Mapping[int, tuple[Bars, ...]]
    execution: Execution
    rules: Floats
    feed_changes: tuple[FeedChange, ...]
    rates: Mapping[int, Floats]
    commands: tuple[AnyCommand, ...]
    without: frozenset[str]
    drift_seconds: float
    start_us: int
    end_us: int
    block_bars: int

    @cached_property
    def schedules(self) -> tuple[str, ...]:
        """Names of the schedules."""
        return tuple(one.name for one in self.resolved)

    @cached_property
    def telemetry_namespace(self) -> str:
        """First part of the names of its metrics."""
        return self.scheduler.telemetry_namespace or f"runtime.{self.name}"

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Their primary tags; empty where they have none."""
        return tuple(one.strategy.tags[0] if one.strategy.tags else "" for one in self.resolved)

    @cached_property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """What results can be added up by, for each schedule."""
        return {
            "schedule": self.schedules,
            "tag": self.tags,
            "strategy": tuple(one.strategy.name for one in self.resolved),
            "risk_profile": tuple(one.risk_profile for one in self.resolved),
        }

    @cached_property
    def traits(self) -> tuple[Traits, ...]:
        """What a capital policy may ask of them."""
        return tuple(one.traits for one in self.resolved)

    @cached_property
    def instruments(self) -> tuple[str, ...]:
        """Names of the instruments that are traded, in order; second legs are not among them."""
        return tuple(name for name, other in zip(self.panel.names, self.others, strict=True) if other != SECOND_LEG)

    def until(self, end_us: int) -> SchedulerSetup:
        """The same with another end, an earlier one: bars that close after it are left out.

        Raises:
            UsageError: No bar of the panel is closed then.
        """
        if int(self.history.ts_us[-1]) + self.history.interval_seconds * MICROSECONDS <= end_us:
            return self
        panel = self.panel.until(end_us)
        if not len(panel):
            raise UsageError("no bar has closed since the start; there is no result yet")
        changes = tuple(change for change in self.feed_changes if change.at_us <= end_us)
        return replace(self, panel=panel, history=self.history.until(end_us), feed_changes=changes, end_us=end_us)

    def other_order(self) -> SchedulerSetup:
        """The same with the other order in every ambiguous bar."""
        optimistic = self.execution.ambiguous_fills == "pessimistic"
        rules = self.rules.copy()
        rules[:, :, venue.OPTIMISTIC] = float(optimistic)
        word = "optimistic" if optimistic else "pessimistic"
        return replace(self, rules=rules, execution=replace(self.execution, ambiguous_fills=word))


def check_block_bars(block_bars: int) -> None:
    """Refuse to take no bars at a time.

    Raises:
        UsageError: It is under 1.
    """
    if block_bars < 1:
        raise UsageError(f"block_bars is {block_bars!r}; allowed is 1 or more")


NO_PAIR, SECOND_LEG = -1, -2
"""In place of an instrument's second leg: it has none; it is one itself."""
