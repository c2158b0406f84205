"""The exchange's time, told by its own answers and the monotonic clock; the wall clock here has no part in it.

An answer that says S was sent after the request left and before it arrived here. So `elapsed since the answer` after S
is a time that has surely come at the exchange, and `elapsed since the request` after S one that it has not yet passed.
"""

from __future__ import annotations

from ...errors import FeedError
from ..clock import Clock

MEASURED_AGAIN_US = 10_000_000
"""How old a measurement may be before it is made again. A quartz clock is off by some 100 microseconds in this time."""
_WHOLE_MILLISECOND_US = 1_000
"""What an exchange that states milliseconds leaves out."""


class ServerTime:
    """Bounds of the exchange's time.

    Args:
        clock: Whose monotonic time is used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_least_us: int | None = None
        self._ahead_most_us = 0
        self._measured_us = 0
        self._is_doubted = True

    def measured(self, server_us: int, *, asked_us: int, answered_us: int) -> None:
        """Take a measurement in.

        Args:
            server_us: What the exchange said.
            asked_us: Monotonic time before the request.
            answered_us: Monotonic time after the answer.
        """
        self._ahead_least_us = server_us - answered_us
        self._ahead_most_us = server_us + _WHOLE_MILLISECOND_US - asked_us
        self._measured_us = answered_us
        self._is_doubted = False

    def doubt(self) -> None:
        """The exchange has called a time stamp wrong: measure again."""
        self._is_doubted = True

    @property
    def is_known(self) -> bool:
        """Whether it was ever measured."""
        return self._ahead_least_us is not None

    @property
    def is_due(self) -> bool:
        """Whether it is time to measure again."""
        return self._is_doubted or self._clock.monotonic_us() - self._measured_us >= MEASURED_AGAIN_US

    def earliest_us(self) -> int:
        """The exchange's time, or up to one round trip before it: what closed by this time has closed.

        Raises:
            FeedError: It was never measured.
        """
        if self._ahead_least_us is None:
            raise FeedError("the exchange's time is not known: it has not answered yet.")
        return self._clock.monotonic_us() + self._ahead_least_us

    def latest_us(self) -> int:
        """The exchange's time, or up to one round trip after it."""
        self.earliest_us()
        return self._clock.monotonic_us() + self._ahead_most_us
