"""A sweep's metrics: how far it is, and how fast it goes."""

from __future__ import annotations

from ...engine.bars import MICROSECONDS
from ..clock import Clock
from .published import Published


class SweepMetrics:
    """Publishes the rows of a sweep as they are done.

    Attributes:
        published: What a scrape is answered with.
    """

    def __init__(self, sweep: str, clock: Clock) -> None:
        """sweep: its name."""
        self._labels, self._clock = (sweep,), clock
        self._began_us = clock.monotonic_us()
        self._kept: int | None = None
        self.published: Published = {}

    def rows(self, done: int, rows: int) -> None:
        """So many are done, of so many. What is told first was kept from before, and is not counted to the rate."""
        if self._kept is None:
            self._kept, self._began_us = done, self._clock.monotonic_us()
        seconds = (self._clock.monotonic_us() - self._began_us) / MICROSECONDS
        values = {"sweep_rows": float(rows), "sweep_rows_done": float(done)}
        if seconds > 0.0:
            values["sweep_rows_per_second"] = (done - self._kept) / seconds
        self.published = {name: [(self._labels, value)] for name, value in values.items()}
