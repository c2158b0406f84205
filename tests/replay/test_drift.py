"""How late runs start."""

from __future__ import annotations

from barstep.replay.clock import SimulatedClock
from barstep.replay.drift import MeasuredDrift, OnlyLatest, RecordedDrift
from barstep.replay.journal.record import at_text, members
from runtime_making import small_config, small_setup
from scheduler_making import hour

SETUP = small_setup(small_config())
FAST, SLOW = 0, 1


def run_record(number: float, schedule: str, status: str, drift_seconds: float) -> bytes:
    at = at_text(hour(number))
    fields = {"schedule": schedule, "status": status, "drift_seconds": drift_seconds, "telemetry_namespace": "n"}
    return members({"kind": "run", "at": at, **fields})


def test_a_clock_measures_what_it_is_past_an_instant() -> None:
    """Never less than 0, and nobody is excused."""
    clock = SimulatedClock(hour(5) + 17)
    drift = MeasuredDrift(clock)
    assert (drift.drift_us(hour(5)), drift.drift_us(hour(6))) == (17.0, 0.0)
    assert list(drift.excused(hour(5))) == []


def test_a_journal_says_how_late_it_was() -> None:
    """To the microsecond; what it does not say is as stated, and who ran although it was too late is excused."""
    payloads = [
        members({"kind": "bars", "at": at_text(hour(1))}),
        run_record(1, "fast", "skipped", 0.1 + 0.2),
        run_record(2, "fast", "skipped", 7200.000001),
        run_record(2, "slow", "executed", 7200.000001),
        run_record(3, "fast", "executed", 0.0),
    ]
    drift = RecordedDrift(payloads, SETUP)
    assert [drift.drift_us(hour(number)) for number in (0, 1, 2, 3)] == [0.0, 300_000.0, 7_200_000_001.0, 0.0]
    assert [list(drift.excused(hour(number))) for number in (1, 2, 3)] == [[], [SLOW], []]
    assert SETUP.schedules == ("fast", "slow")


def test_only_the_latest_due_times_are_run() -> None:
    """Each schedule's own is excused; every other is later than any schedule may be, also just before the end."""
    drift = OnlyLatest(SETUP, hour(11.001))
    assert list(drift.excused(hour(11))) == [FAST]
    assert list(drift.excused(hour(8))) == [SLOW]
    assert list(drift.excused(hour(10))) == []
    longest_us = 30e6
    assert all(drift.drift_us(hour(number)) > longest_us for number in (8, 10, 11, 11.0009))
    assert OnlyLatest(SETUP, hour(11)).drift_us(hour(11)) == 0.0
