"""A scheduler over recorded bars, as operators and programs handle it: run it, hold it back, look at it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..config.durations import instant_at
from ..engine.scheduler.backtest import moment_us
from ..engine.scheduler.result import SchedulerResult
from .clock_running import run_by_clock
from .drift import OnlyLatest
from .managed_scheduler import ManagedScheduler, Moment
from .session import Session


class MultiStrategyScheduler(ManagedScheduler):
    """A session over recorded bars: it is managed, and it is run from here.

    Attributes:
        session: What is run, with its journal.
        clock: What `run_by_clock` goes by, and commands where one was given; by default the machine's.
    """

    session: Session

    def run(self) -> SchedulerResult:
        """Do everything that is left, as fast as it goes."""
        self.session.run()
        return self.result()

    def run_until(self, instant: Moment, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Do every instant up to this one, itself included; False where it was stopped before one of them."""
        until_us = moment_us("the instant", instant)
        while not (stopped := should_stop()) and (following := self.session.loop.next_us()) is not None:
            if following > until_us:
                break
            self.session.loop.step()
        return not stopped

    def run_by_clock(self, until: Moment | None = None, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Do each instant when the clock reaches it; see `clock_running.run_by_clock`."""
        return run_by_clock(
            self.session.loop, self.clock, None if until is None else moment_us("the instant", until), should_stop
        )

    def run_once(self, until: Moment | None = None, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Run each schedule once, at its latest due time on closed bars, and skip those before it.

        A schedule that has had its latest run already has none.

        Args:
            until: The last instant that is looked at; None: that of the last bar.
            should_stop: Looked at before each instant.

        Returns:
            Whether all was done; False where it was stopped before.
        """
        until_us = self._setup.end_us if until is None else min(moment_us("the instant", until), self._setup.end_us)
        self.session.loop.drift = OnlyLatest(self._setup, until_us)
        try:
            return self.run_until(instant_at(until_us), should_stop)
        finally:
            self.session.loop.drift = None

    def result(self) -> SchedulerResult:
        """What came of it so far, up to the last close; it may be asked at any time.

        Raises:
            UsageError: No bar has closed yet.
        """
        return self.session.result()

    def close(self) -> None:
        """Let go of the journal; it is sealed where all bars that were taken are done."""
        self.session.close(finish=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
