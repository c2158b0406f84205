"""Holding event time back to a multiple of the time on the clock."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import UsageError
from .clock import Clock, sleep_while


class Pace:
    """Lets event time go by so many times as fast as the clock.

    Attributes:
        speed: Seconds of event time in a second.
        lag_us: How far the last instant was behind its moment, in microseconds of the clock.
    """

    def __init__(self, clock: Clock, speed: float, start_us: int) -> None:
        """start_us: the event time that is now.

        Raises:
            UsageError: The speed is not above 0.
        """
        if not 0.0 < speed < float("inf"):
            raise UsageError(f"the speed is {speed!r}; allowed is more than 0 seconds of event time a second.")
        self.speed = speed
        self.lag_us = 0
        self._clock, self._start_us = clock, start_us
        self._began_us = clock.monotonic_us()

    def wait_for(self, instant_us: int, should_stop: Callable[[], bool]) -> bool:
        """Sleep until an instant has come; False where it is to stop before that."""
        due_us = self._began_us + round((instant_us - self._start_us) / self.speed)
        if not sleep_while(lambda: due_us - self._clock.monotonic_us(), self._clock, should_stop):
            return False
        self.lag_us = self._clock.monotonic_us() - due_us
        return not should_stop()
