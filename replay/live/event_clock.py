"""What the venue's clock says now, by its word and the machine's own clock: what lateness is measured by."""

from __future__ import annotations

from collections.abc import Sequence

from ..channel.messages import Welcome
from ..clock import Clock


class EventClock:
    """A venue's clock between two of its words. It is the drift of a live loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_us, self._speed, self._heard_us = -1, 1.0, 0

    def hear(self, welcome: Welcome) -> None:
        """Take the venue's word for the time."""
        self._told_us, self._speed, self._heard_us = welcome.clock_us, welcome.speed, self._clock.monotonic_us()

    @property
    def goes_by_itself(self) -> bool:
        """Whether its time goes by whatever the loop does."""
        return self._told_us >= 0 and self._speed > 0.0

    @property
    def now_us(self) -> int | None:
        """The time in microseconds since the epoch; None where the venue has no clock."""
        if self._told_us < 0:
            return None
        return self._told_us + round((self._clock.monotonic_us() - self._heard_us) * self._speed)

    def drift_us(self, now_us: int) -> float:
        """Microseconds from a due time to the start of its runs, which is now."""
        event_us = self.now_us
        return 0.0 if event_us is None else float(max(event_us - now_us, 0))

    def excused(self, _now_us: int) -> Sequence[int]:
        """Nobody: what is too late is skipped."""
        return ()
