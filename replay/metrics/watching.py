"""Has a session's metrics counted and shown while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from ...engine.scheduler.machine import SchedulerMachine
from ..clock import Clock
from ..event_loop import Listener, Timer
from ..pace import Pace
from ..resources import ResourceMonitor
from ..session import Session
from .around import Around, AroundRecorded
from .collector import MetricsCollector
from .scheduler import SchedulerMetrics


class CountedLoop(Protocol):
    """What turns a scheduler; see `EventLoop` and `LiveLoop`."""

    listeners: tuple[Listener, ...]
    timer: Timer | None


class CountedSession(Protocol):
    """A run of a scheduler."""

    @property
    def machine(self) -> SchedulerMachine:
        """The scheduler."""

    @property
    def loop(self) -> CountedLoop:
        """What turns it."""


def count(
    metrics: MetricsCollector, session: CountedSession, around: Around, clock: Clock, resources: ResourceMonitor
) -> SchedulerMetrics:
    """Count what a session does from now on, and have it shown."""
    counted = SchedulerMetrics(session.machine, clock, around, resources)
    session.loop.listeners += (counted,)
    session.loop.timer = counted.timer
    metrics.add(counted)
    return counted


@contextmanager
def measured(
    metrics: MetricsCollector, session: Session, clock: Clock, pace: Pace | None, should_stop: Callable[[], bool]
) -> Iterator[Callable[[], bool]]:
    """Show what a session does while the context is open, and what the process uses.

    Gives `should_stop` with what keeps it up to date: who runs the session asks it again and again, also while the
    next instant is waited for.

    Args:
        metrics: What shows it.
        session: An observed one, or one with a journal.
        clock: What times are measured by.
        pace: What holds it back; None: nothing does.
        should_stop: Whether to stop.
    """
    resources = ResourceMonitor(session.machine.setup.config.runtime.resource_limits, clock)
    around = AroundRecorded(session, (lambda: 0) if pace is None else (lambda: pace.lag_us))
    counted = count(metrics, session, around, clock, resources)

    def looking() -> bool:
        resources.sample()
        counted.look()
        return should_stop()

    try:
        yield looking
    finally:
        counted.publish()
