"""Clocks."""

from __future__ import annotations

from barstep.replay.clock import SimulatedClock, SystemClock


def test_sleeping_moves_both_times_of_a_simulated_clock() -> None:
    """Who sleeps five microseconds is five later, by the wall and by the stopwatch; no time is negative."""
    clock = SimulatedClock(100)
    clock.sleep_us(5)
    clock.sleep_us(-7)
    assert (clock.now_us(), clock.monotonic_us()) == (105, 5)


def test_a_jump_moves_the_wall_clock_only() -> None:
    """Durations are measured right while somebody sets the clock."""
    clock = SimulatedClock(100)
    clock.jump_us(-60)
    assert (clock.now_us(), clock.monotonic_us()) == (40, 0)


def test_the_system_clock_counts_microseconds_since_the_epoch() -> None:
    """Its wall time lies between 2020 and 2200, and its monotonic time does not go back over a sleep."""
    clock = SystemClock()
    before = clock.monotonic_us()
    clock.sleep_us(0)
    clock.sleep_us(50)
    assert 1_577_836_800_000_000 < clock.now_us() < 7_258_118_400_000_000
    assert clock.monotonic_us() >= before + 50
