"""A running scheduler's metrics: counted as it goes, published at most every quarter of a second."""

from __future__ import annotations

import math

from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.transitions import Event
from ..clock import Clock
from ..resources import ResourceMonitor
from .around import Around
from .catalog import METRICS
from .counts import Counts
from .limits import configured_limits
from .published import Labels, Published, Value
from .readings import Readings
from .stopwatch import StepTimer

PUBLISH_US = 250_000
"""Least time between two publications, on the monotonic clock."""


class SchedulerMetrics:
    """A listener of a scheduler's loop, to stand behind the journal's.

    It only reads: what the loop decides is the same with it and without.

    Attributes:
        published: What a scrape is answered with.
        timer: Times the loop's instants.
    """

    def __init__(
        self, machine: SchedulerMachine, clock: Clock, around: Around, resources: ResourceMonitor | None = None
    ) -> None:
        """machine: an observed one. around: what is beside it.

        resources: what the process uses, as others measure it; None: not shown.
        """
        self.timer = StepTimer(clock)
        self._clock = clock
        self._counts = Counts(machine)
        self._readings = Readings(machine, self._counts, around, self.timer, resources)
        self._limits = list(configured_limits(machine.setup))
        self.published: Published = {}
        self.publish()

    def event(self, _now_us: int, event: Event, by: str) -> None:
        """Count engines that were isolated."""
        self._counts.event(event, by)

    def instant(self, now_us: int, place: int) -> None:
        """Count what an instant has brought."""
        clock_us = self._clock.monotonic_us()
        self._counts.instant(now_us, place, self.timer.finish(clock_us))
        if clock_us - self._published_us >= PUBLISH_US:
            self.publish()

    def block(self, next_bar: int) -> None:
        """Nothing is counted of blocks."""

    def look(self) -> None:
        """Publish where it is time to: what waits between two instants calls it now and then."""
        if self._clock.monotonic_us() - self._published_us >= PUBLISH_US:
            self.publish()

    def publish(self) -> None:
        """Put what is now in the place of what was published; for the loop's own thread, between two instants."""
        found: dict[str, list[tuple[Labels, Value]]] = {name: [] for name in METRICS}
        for name, labels, value in (*self._readings.all(), *self._limits):
            if not (isinstance(value, float) and math.isnan(value)):
                found[name].append((labels, value))
        self.published = found
        self._published_us = self._clock.monotonic_us()
