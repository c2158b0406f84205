"""Holding event time back."""

from __future__ import annotations

import pytest
from barstep.errors import UsageError
from barstep.replay.clock import SimulatedClock
from barstep.replay.pace import Pace


def _never() -> bool:
    return False


def test_a_minute_goes_by_in_a_second_at_sixty() -> None:
    """After each wait, the clock stands where the instant falls; nothing is added up."""
    clock = SimulatedClock(10**15)
    pace = Pace(clock, 60.0, start_us=5_000_000)
    for minutes in (1, 2, 7):
        assert pace.wait_for(5_000_000 + minutes * 60_000_000, _never)
        assert clock.monotonic_us() == minutes * 1_000_000


def test_an_instant_that_is_late_is_not_waited_for() -> None:
    """The lag is told, and the next instant falls where it would have."""
    clock = SimulatedClock()
    pace = Pace(clock, 1.0, start_us=0)
    clock.sleep_us(400)
    assert pace.wait_for(100, _never)
    assert pace.lag_us == 300
    assert pace.wait_for(1_000, _never)
    assert (clock.monotonic_us(), pace.lag_us) == (1_000, 0)


def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    """Who sets the clock back by an hour waits no longer for it."""
    clock = SimulatedClock()
    pace = Pace(clock, 1.0, start_us=0)
    clock.jump_us(-3_600_000_000)
    assert pace.wait_for(1_000_000, _never)
    assert clock.monotonic_us() == 1_000_000


def test_a_wait_is_given_up_when_it_is_to_stop() -> None:
    """A day's wait ends within a twentieth of a second of the wish to stop."""
    clock = SimulatedClock()
    pace = Pace(clock, 1.0, start_us=0)
    assert not pace.wait_for(86_400_000_000, lambda: clock.monotonic_us() >= 1_000_000)
    assert clock.monotonic_us() <= 1_050_000


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    """Said with its value and what is allowed."""
    with pytest.raises(UsageError, match="more than 0"):
        Pace(SimulatedClock(), speed, start_us=0)
