"""How long instants take, in buckets."""

from __future__ import annotations

from bisect import bisect_left

from ...engine.bars import MICROSECONDS
from ..clock import Clock
from .catalog import STEP_BUCKETS
from .published import Distribution


class StepTimer:
    """Times an instant in as many parts as it is done in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_us = -1
        self._spent_us = 0
        self._counts = [0] * (len(STEP_BUCKETS) + 1)
        self._total = 0.0

    def start(self) -> None:
        """What belongs to the next instant begins, or goes on."""
        if self._since_us < 0:
            self._since_us = self._clock.monotonic_us()

    def stop(self) -> None:
        """It is interrupted."""
        if self._since_us >= 0:
            self._spent_us += self._clock.monotonic_us() - self._since_us
            self._since_us = -1

    def finish(self, now_us: int) -> float:
        """The instant is done: count it, and give the seconds that it took. now_us: the monotonic time."""
        running_us = now_us - self._since_us if self._since_us >= 0 else 0
        seconds = (self._spent_us + running_us) / MICROSECONDS
        self._spent_us, self._since_us = 0, -1
        self._counts[bisect_left(STEP_BUCKETS, seconds)] += 1
        self._total += seconds
        return seconds

    def distribution(self) -> Distribution:
        """What was counted so far."""
        return Distribution(tuple(self._counts), self._total)
