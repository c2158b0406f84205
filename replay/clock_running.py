"""Event time that goes with a clock: an instant is done when the clock has reached it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .clock import Clock, sleep_while
from .drift import MeasuredDrift
from .event_loop import EventLoop


def run_by_clock(
    loop: EventLoop, clock: Clock, until_us: int | None = None, should_stop: Callable[[], bool] = lambda: False
) -> bool:
    """Do each instant once the clock has reached it; late ones at once, with the drift that is measured.

    A clock that is set back makes the next instant wait, one that is set forward makes it late; each is done once.

    Args:
        loop: What turns the scheduler.
        clock: The time.
        until_us: The last instant to do, in microseconds since the epoch; None: all there are.
        should_stop: Looked at before each instant and while waiting.

    Returns:
        Whether everything was done; False where it was stopped before.
    """
    loop.drift = MeasuredDrift(clock)
    try:
        while not should_stop():
            instant = loop.next_us()
            if instant is None or (until_us is not None and instant > until_us):
                return True
            if sleep_while(partial(_left_us, instant, clock), clock, should_stop):
                loop.step()
        return False
    finally:
        loop.drift = None


def _left_us(instant_us: int, clock: Clock) -> int:
    return instant_us - clock.now_us()
