"""A replay whose telemetry is held against the bounds of its risk profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.setup import SchedulerSetup
from ..engine.scheduler.transitions import Event
from ..kernels.scheduler import layout
from ..kernels.scheduler.loop import CLOSING
from ..replay.announcer import Announcer
from ..replay.bounds import ACCOUNT, OF_ACCOUNT, BoundsWatch, Change
from ..replay.replaying import run_session
from ..replay.session import Session
from .headers_report import Bounded

Told = Callable[[Change], None]


def replay_watched(setup: SchedulerSetup, told: Told = lambda _: None) -> BoundsWatch:
    """Replay a setup's bars, and hold every run and the account against bounds.

    told: of each change of a metric's status.
    """
    session = Session(setup, observed=True)
    watch = BoundsWatch(setup.resolved, setup.profiles)
    watcher = _Watcher(session.machine, watch, told)
    session.loop.listeners += (Announcer(session.machine, emitters=[watcher]), watcher)
    run_session(session)
    return watch


def last_values(watch: BoundsWatch, setup: SchedulerSetup) -> Iterator[Bounded]:
    """What each schedule measured last, of what is bounded, in declared order, and then the account."""
    for one in (setup.resolved[s] for s in setup.order.tolist()):
        for metric, bounds in setup.profiles[one.risk_profile].telemetry_bounds.items():
            seen = watch.seen.get((one.name, one.risk_profile, metric))
            if seen is not None:
                yield Bounded(one.name, one.risk_profile, metric, seen.values[-1], bounds)
    for (schedule, profile, metric), seen in watch.seen.items():
        if schedule == ACCOUNT:
            yield Bounded(
                schedule, profile, metric, seen.values[-1], setup.profiles[profile].telemetry_bounds[OF_ACCOUNT]
            )


class _Watcher:
    """Hears of runs and of marks."""

    def __init__(self, machine: SchedulerMachine, watch: BoundsWatch, told: Told) -> None:
        self._machine, self._watch, self._told = machine, watch, told

    def emit(self, schedule: str, due_us: int, metrics: Mapping[str, float]) -> None:
        """Take what a run measured."""
        self._tell(self._watch.take(schedule, due_us, metrics))

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Nothing is bounded of events."""

    def instant(self, now_us: int, place: int) -> None:
        """Take the account's mark, where bars have closed."""
        if self._machine.timeline[CLOSING, place] >= 0:
            account = self._machine.arrays.account
            fall = 1.0 - float(account[layout.EQUITY]) / float(account[layout.PEAK])
            self._tell(self._watch.take_account(now_us, 100.0 * fall))

    def block(self, next_bar: int) -> None:
        """Nothing is bounded of blocks."""

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._told(change)
