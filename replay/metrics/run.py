"""Has the metrics of a run that is managed counted and shown: over recorded bars, or live."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..clock import Clock
from ..control.run import RecordedRun, Run
from ..journal.writer import TradingDecisionJournal
from ..live.run import LiveRun
from ..resources import ResourceMonitor
from .around import AroundRecorded, ShadowLooks
from .collector import MetricsCollector
from .scheduler import SchedulerMetrics
from .watching import count


class AroundLive:
    """Beside a live run."""

    def __init__(self, run: LiveRun) -> None:
        self._run, self._session = run, run.connected.session

    @property
    def now_us(self) -> int:
        """The venue's time."""
        done_us = max(self._session.loop.now_us, self._session.machine.setup.start_us)
        return done_us + self._run.lag_us

    @property
    def lag_us(self) -> int:
        """How far what is done is behind the venue's clock."""
        return self._run.lag_us

    @property
    def is_connected(self) -> bool:
        """Whether the venue answers."""
        return self._run.connected.is_connected

    def on_fallback(self, _now_us: int) -> Collection[str]:
        """Instruments that are read from their fallback."""
        return self._run.on_fallback

    @property
    def orders(self) -> Mapping[str, int]:
        """How many orders were sent and ended since this process began, by status."""
        return self._session.writer.tally

    @property
    def journal(self) -> TradingDecisionJournal:
        """Where it is written down."""
        return self._session.journal

    @property
    def shadow(self) -> ShadowLooks | None:
        """What computes the day again."""
        return self._run.connected.shadow


def watch_run(metrics: MetricsCollector, run: Run, clock: Clock, resources: ResourceMonitor) -> SchedulerMetrics:
    """Show what a run does from now on. resources: what the process uses, which somebody else measures."""
    if isinstance(run, LiveRun):
        return count(metrics, run.connected.session, AroundLive(run), clock, resources)
    if isinstance(run, RecordedRun):
        session = run.scheduler.session
        return count(metrics, session, AroundRecorded(session, lambda: run.lag_us), clock, resources)
    raise TypeError(f"{type(run).__name__} is no run that is known here")
