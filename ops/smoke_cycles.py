"""Which due times a smoke test looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..config.durations import instant_at
from ..engine.bars import MICROSECONDS
from ..engine.scheduler.arrays import WINDOW_RUNS
from ..engine.scheduler.backtest import moment_us
from ..engine.scheduler.setup import SchedulerSetup
from ..errors import UsageError, unknown_name
from ..replay.journal.record import at_text


@dataclass(frozen=True, kw_only=True)
class Cycles:
    """The due times of the cycles.

    Attributes:
        due_us: By schedule, as a place in the setup, its due times in rising order: one a cycle.
        start: When the run begins.
        end: When it ends.
    """

    due_us: Mapping[int, tuple[int, ...]]
    start: datetime
    end: datetime

    @property
    def count(self) -> int:
        """How many there are."""
        return len(next(iter(self.due_us.values())))


def chosen_schedules(setup: SchedulerSetup, strategy: str | None) -> list[int]:
    """Places of the schedules of a strategy, by its name, else by its engine's; None: of all.

    Raises:
        UsageError: No schedule runs it.
    """
    resolved = setup.resolved
    if strategy is None:
        return list(range(len(resolved)))
    for names in ([one.strategy.name for one in resolved], [one.strategy.engine.name for one in resolved]):
        if strategy in names:
            return [s for s, name in enumerate(names) if name == strategy]
    known = {name for one in resolved for name in (one.strategy.name, one.strategy.engine.name)}
    raise UsageError(f"scheduler {setup.name!r}: {unknown_name('strategy', strategy, known)}")


def plan_cycles(setup: SchedulerSetup, chosen: Sequence[int], count: int, start: str | datetime | None) -> Cycles:
    """The due times of `count` cycles: the last ones that the bars hold, or the first ones from `start` on.

    Args:
        setup: The scheduler over all of its bars.
        chosen: Places of the schedules that are looked at.
        count: How many cycles.
        start: From when on.

    Raises:
        UsageError: The bars do not hold as many after the warm-up of a schedule.
    """
    if count < 1:
        raise UsageError(f"cycles is {count!r}; allowed is 1 or more.")
    start_us = None if start is None else moment_us("start", start)
    due_us = {s: _due_times(setup, s, count, start_us) for s in chosen}
    begin = min(_lead_in(setup, s, due[0]) for s, due in due_us.items())
    last = max(due[-1] for due in due_us.values())
    return Cycles(due_us=due_us, start=instant_at(begin), end=instant_at(last))


def _due_times(setup: SchedulerSetup, s: int, count: int, start_us: int | None) -> tuple[int, ...]:
    cadence = _cadence_us(setup, s)
    first = -(-max(_warm_us(setup, s), start_us or 0) // cadence)
    last = setup.end_us // cadence
    if last - first + 1 < count:
        since = "after warm-up" if start_us is None else f"after warm-up and {at_text(start_us)}"
        raise UsageError(
            f"schedule {setup.schedules[s]!r}: the recorded bars end at {at_text(setup.end_us)} and hold "
            f"{max(last - first + 1, 0)} of its due times {since}; {count} cycles need {count}. Ask for fewer cycles"
            f"{'' if start_us is None else ', begin earlier'} or record more bars."
        )
    begin = first if start_us is not None else last - count + 1
    return tuple((begin + k) * cadence for k in range(count))


def _lead_in(setup: SchedulerSetup, s: int, due_us: int) -> int:
    """The due time from which on the runs before the cycles fill the window of telemetry."""
    cadence = _cadence_us(setup, s)
    return max(due_us - WINDOW_RUNS * cadence, -(-_warm_us(setup, s) // cadence) * cadence)


def _warm_us(setup: SchedulerSetup, s: int) -> int:
    """When as many bars as the schedule and its engine ask for have closed of all of its instruments."""
    one = setup.resolved[s]
    needed = max(one.schedule.warmup_bars, one.strategy.engine.history(one.strategy.parameters), 1)
    warm = setup.history.ts_us[0]
    for name in one.instruments:
        closes = setup.schedule_bars[int(one.schedule.interval)][setup.instruments.index(name)].closes_us
        if needed > len(closes):
            raise UsageError(
                f"schedule {one.name!r}: needs {needed} bars of {name} to be warm; the recorded ones are {len(closes)}."
            )
        warm = max(warm, closes[needed - 1])
    return int(warm)


def _cadence_us(setup: SchedulerSetup, s: int) -> int:
    return round(setup.resolved[s].schedule.cadence_seconds * MICROSECONDS)
