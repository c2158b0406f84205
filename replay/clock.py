"""Time: the one place that reads a clock.

Wall time says when something is; it may jump. Monotonic time says how long something took; it does not. Everything else
in barstep is given the one or the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

NANOSECONDS = 1_000
"""In a microsecond."""


class Clock(Protocol):
    """What a loop asks for the time."""

    def now_us(self) -> int:
        """Wall time, in microseconds since the epoch, UTC."""

    def monotonic_us(self) -> int:
        """Microseconds since some moment that stays the same; it never goes back."""

    def sleep_us(self, duration_us: int) -> None:
        """Wait; at once for 0 or less."""


_LONGEST_SLEEP_US = 50_000
"""Between two looks at the clock, which may have been set, and at whether to stop."""


def sleep_while(left_us: Callable[[], int], clock: Clock, should_stop: Callable[[], bool]) -> bool:
    """Sleep while there is time left; False where it is to stop before that."""
    while (left := left_us()) > 0:
        if should_stop():
            return False
        clock.sleep_us(min(left, _LONGEST_SLEEP_US))
    return True


class SystemClock:
    """The clocks of the machine."""

    def now_us(self) -> int:
        """Wall time, in microseconds since the epoch, UTC."""
        return time.time_ns() // NANOSECONDS

    def monotonic_us(self) -> int:
        """Microseconds since the machine was started."""
        return time.monotonic_ns() // NANOSECONDS

    def sleep_us(self, duration_us: int) -> None:
        """Wait; at once for 0 or less."""
        if duration_us > 0:
            time.sleep(duration_us / 1e6)


class SimulatedClock:
    """A clock that stands still until it is told otherwise.

    Attributes:
        wall_us: What `now_us` says.
        elapsed_us: What `monotonic_us` says.
    """

    def __init__(self, wall_us: int = 0) -> None:
        self.wall_us = wall_us
        self.elapsed_us = 0

    def now_us(self) -> int:
        """Wall time, in microseconds since the epoch, UTC."""
        return self.wall_us

    def monotonic_us(self) -> int:
        """Microseconds that were slept."""
        return self.elapsed_us

    def sleep_us(self, duration_us: int) -> None:
        """Let both times go on; at once for 0 or less."""
        self.wall_us += max(duration_us, 0)
        self.elapsed_us += max(duration_us, 0)

    def jump_us(self, by_us: int) -> None:
        """Set the wall clock forward or back, as an administrator or a time server does."""
        self.wall_us += by_us


def elapsed_ns() -> int:
    """Nanoseconds since some moment that stays the same, for how long something of microseconds took."""
    return time.perf_counter_ns()
