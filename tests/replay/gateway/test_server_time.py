"""The exchange's time lies between its bounds, whatever the wall clock does."""

from __future__ import annotations

import pytest
from barstep.errors import FeedError
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.server_time import MEASURED_AGAIN_US, ServerTime
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**8))
def test_the_true_time_lies_between_the_bounds(skew_us: int, there_us: int, back_us: int, later_us: int) -> None:
    """However long request and answer take and however wrong the clock here is: earliest <= true <= latest."""
    clock = SimulatedClock(10**15 + skew_us)
    time = ServerTime(clock)
    asked_us = clock.monotonic_us()
    clock.sleep_us(there_us)
    stated_us = (10**15 + clock.elapsed_us) // 1_000 * 1_000
    clock.sleep_us(back_us)
    time.measured(stated_us, asked_us=asked_us, answered_us=clock.monotonic_us())
    clock.sleep_us(later_us)
    clock.jump_us(skew_us)
    true_us = 10**15 + clock.elapsed_us
    assert time.earliest_us() <= true_us <= time.latest_us()
    assert time.latest_us() - time.earliest_us() == there_us + back_us + 1_000


def test_it_is_measured_again() -> None:
    """It is due at first, after a while, and when the exchange has called a time stamp wrong."""
    clock = SimulatedClock()
    time = ServerTime(clock)
    assert time.is_due
    with pytest.raises(FeedError, match="not known"):
        time.earliest_us()
    time.measured(5_000, asked_us=0, answered_us=0)
    assert not time.is_due
    clock.sleep_us(MEASURED_AGAIN_US)
    assert time.is_due
    time.measured(5_000, asked_us=0, answered_us=clock.monotonic_us())
    time.doubt()
    assert time.is_due
