"""Has a run's metrics counted and shown: over recorded bars, or live."""

from __future__ import annotations

from ..clock import Clock
from ..control.run import RecordedRun, Run
from ..live.run import LiveRun
from ..live.session import LiveSession
from ..pace import Pace
from ..resources import ResourceMonitor
from ..session import Session
from .around import Around, AroundLive, AroundRecorded
from .collector import MetricsCollector
from .scheduler import SchedulerMetrics


class Watched:
    """What is shown of a run, kept up to date while it runs.

    Attributes:
        resources: What the process uses.
    """

    def __init__(self, counted: SchedulerMetrics, resources: ResourceMonitor) -> None:
        self._counted, self.resources = counted, resources

    def look(self) -> None:
        """Measure and publish where it is time to; for the loop's own thread, now and then, also while it waits."""
        self.resources.sample()
        self._counted.look()

    def publish(self) -> None:
        """Publish how it stands at the end."""
        self._counted.publish()


def watch_session(metrics: MetricsCollector, session: Session, clock: Clock, *, pace: Pace | None = None) -> Watched:
    """Show what a session does from now on, and what the process uses.

    Args:
        metrics: What shows it.
        session: An observed one, or one with a journal.
        clock: What times are measured by.
        pace: What holds it back; None: nothing does.
    """
    resources = ResourceMonitor(session.machine.setup.config.runtime.resource_limits, clock)
    around = AroundRecorded(session, (lambda: 0) if pace is None else (lambda: pace.lag_us))
    return Watched(_counted(metrics, session, around, clock, resources), resources)


def watch_run(metrics: MetricsCollector, run: Run, clock: Clock, resources: ResourceMonitor) -> SchedulerMetrics:
    """Show what a run does from now on. resources: what the process uses, which somebody else measures."""
    if isinstance(run, LiveRun):
        return _counted(metrics, run.connected.session, AroundLive(run), clock, resources)
    if isinstance(run, RecordedRun):
        session = run.scheduler.session
        return _counted(metrics, session, AroundRecorded(session, lambda: run.lag_us), clock, resources)
    raise TypeError(f"{type(run).__name__} is no run that is known here")


def _counted(
    metrics: MetricsCollector, session: Session | LiveSession, around: Around, clock: Clock, resources: ResourceMonitor
) -> SchedulerMetrics:
    counted = SchedulerMetrics(session.machine, clock, around, resources)
    session.loop.listeners += (counted,)
    session.loop.timer = counted.timer
    metrics.add(counted)
    return counted
