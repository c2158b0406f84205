"""A scheduler that is run: what the command line and the service hold, whether its bars are recorded or live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..clock import Clock
from ..managed_scheduler import ManagedScheduler
from ..multi_strategy_scheduler import MultiStrategyScheduler
from ..pace import Pace
from ..resources import ResourceMonitor

_LOOK_US = 50_000
"""Between two looks at who asks, where nothing else is done."""


class Run(Protocol):
    """A run of a scheduler in one environment.

    Attributes:
        resources: What the process uses; None where nobody measures it.
    """

    resources: ResourceMonitor | None

    @property
    def scheduler(self) -> ManagedScheduler:
        """Commands and snapshots."""

    @property
    def lag_us(self) -> int:
        """How far what was done last was behind its moment, in microseconds of the clock."""

    @property
    def connection(self) -> str | None:
        """How the connection to the venue is: `connected`, or why it is not; None where bars are recorded."""

    @property
    def on_fallback(self) -> tuple[str, ...]:
        """Instruments that are read from their fallback now."""

    def run_once(self, should_stop: Callable[[], bool]) -> bool:
        """Run each schedule at its latest due time on closed bars; False where it was stopped before."""

    def run(self, should_stop: Callable[[], bool], between: Callable[[], None]) -> None:
        """Go on until it is to stop; `between` is called every 50 ms at least, and after each instant."""

    def close(self) -> None:
        """Let go of the journal, sealed where it can be."""


class RecordedRun:
    """A run over recorded bars. After the last one it stays, and can be managed.

    Attributes:
        scheduler: Commands and snapshots.
        lag_us: How far the last instant was behind its moment, in microseconds of the clock.
        resources: What the process uses; None where nobody measures it.
    """

    def __init__(self, scheduler: MultiStrategyScheduler, clock: Clock, speed: float | None) -> None:
        """speed: seconds of event time in a second of the clock; None: as fast as it goes."""
        self.scheduler = scheduler
        self.lag_us = 0
        self.resources: ResourceMonitor | None = None
        self._clock, self._speed = clock, speed
        self._is_running = False

    @property
    def connection(self) -> None:
        """There is no venue."""

    @property
    def on_fallback(self) -> tuple[str, ...]:
        """Feeds were merged when the run was set up; the journal says which was read when."""
        return ()

    def run_once(self, should_stop: Callable[[], bool]) -> bool:
        """Run each schedule at its latest due time on closed bars; False where it was stopped before.

        It stops between two bars, where the journal can be sealed.
        """
        loop = self.scheduler.session.loop
        return self.scheduler.run_once(should_stop=lambda: loop.is_between_bars and should_stop())

    def run(self, should_stop: Callable[[], bool], between: Callable[[], None]) -> None:
        """Do each instant at its moment, and go on until it is to stop."""
        loop, clock = self.scheduler.session.loop, self._clock
        pace = None if self._speed is None else Pace(clock, self._speed, loop.now_us)
        self._is_running = True

        def is_stopped() -> bool:
            between()
            return should_stop()

        while not is_stopped():
            instant = loop.next_us()
            if instant is None:
                clock.sleep_us(_LOOK_US)
            elif pace is None or pace.wait_for(instant, is_stopped):
                loop.step()
                self.lag_us = 0 if pace is None else pace.lag_us

    def close(self) -> None:
        """Let go of the journal, sealed where it can be; a bar that a run has begun is finished first."""
        self.scheduler.session.close(finish=self._is_running)
