"""Event time that goes with a clock, whatever the clock does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.replay.clock import SimulatedClock
from barstep.replay.clock_running import run_by_clock
from barstep.replay.journal.record import at_text, at_us
from barstep.replay.session import Session
from hypothesis import given
from hypothesis import strategies as st
from journal_making import records
from making import HOUR_US, START_US
from replays import FILES, open_session
from scheduler_making import config_of, told_bars
from simulated_disk import SimulatedDisk

MINUTE_US = 60_000_000
BARS = 30


class UnrulyClock(SimulatedClock):
    """Jumps by the next of `jumps` after every so many sleeps, and stands still for some."""

    def __init__(self, wall_us: int, jumps: Sequence[int], *, every: int, freeze: int) -> None:
        super().__init__(wall_us)
        self._jumps, self._every, self._freeze, self._slept = list(jumps), every, freeze, 0

    def sleep_us(self, duration_us: int) -> None:
        self._slept += 1
        if self._slept % self._every == 0 and self._jumps:
            self.jump_us(self._jumps.pop(0))
        elif self._slept % self._every < self._freeze:
            self.elapsed_us += duration_us  # time goes by, the wall clock does not
        else:
            super().sleep_us(max(duration_us, 30 * MINUTE_US) if duration_us > 0 else 0)


def hourly(start_us: int = START_US, bars: int = BARS) -> SchedulerSetup:
    """Schedules of half an hour, an hour and a day, which may be 20 minutes late."""
    schedules = {
        "half": {"cadence_seconds": 1800.0, "max_drift_seconds": 1200.0},
        "hour": {"max_drift_seconds": 1200.0},
        "day": {"cadence_seconds": 86_400.0, "max_drift_seconds": 1200.0},
    }
    hours = (start_us - START_US) / HOUR_US + np.arange(bars)
    given = told_bars(100.0 + np.arange(bars) % 7, np.tile([1.0, -1.0, 0.5], bars)[:bars], hours=list(hours))
    return set_up_scheduler(config_of(schedules), "s", environment="e", bars={"X": given})


def due_times(setup: SchedulerSetup) -> Counter[tuple[str, int]]:
    found: Counter[tuple[str, int]] = Counter()
    for one in setup.resolved:
        cadence = round(one.schedule.cadence_seconds * 1e6)
        found.update(
            (one.name, due) for due in range(-(-setup.start_us // cadence) * cadence, setup.end_us + 1, cadence)
        )
    return found


def runs_of(disk: SimulatedDisk) -> list[dict[str, object]]:
    return [record for _, record in records(disk, FILES) if record["kind"] == "run"]


@given(
    jumps=st.lists(st.integers(-5 * HOUR_US, 5 * HOUR_US), max_size=6),
    every=st.integers(2, 9),
    freeze=st.integers(0, 1),
    early=st.integers(-2 * HOUR_US, 3 * HOUR_US),
)
def test_no_due_time_is_lost_or_doubled(jumps: list[int], every: int, freeze: int, early: int) -> None:
    """Each has one record: executed, or skipped where the clock was more than `max_drift_seconds` past it."""
    setup, disk = hourly(), SimulatedDisk()
    session = open_session(setup, disk, block_bars=1)
    clock = UnrulyClock(setup.start_us - early, jumps, every=every, freeze=freeze)
    assert run_by_clock(session.loop, clock)
    runs = runs_of(disk)
    assert Counter((run["schedule"], at_us(str(run["at"]))) for run in runs) == due_times(setup)
    for run in runs:
        late = float(str(run["drift_seconds"]))
        assert late >= 0.0
        assert (run["status"], run["reason"]) == (("skipped", "drift") if late > 1200.0 else ("executed", ""))
    session.close()


def test_nothing_is_done_before_its_time() -> None:
    """The clock has reached each instant when a listener hears of it, and a clock on time measures no drift."""
    setup = hourly()
    clock, session = SimulatedClock(setup.start_us - HOUR_US), Session(setup, block_bars=1)
    heard: list[tuple[int, int]] = []

    class Listener:
        def event(self, *_: object) -> None: ...

        def block(self, _next_bar: int) -> None: ...

        def instant(self, now_us: int, _place: int) -> None:
            heard.append((now_us, clock.now_us()))

    session.loop.listeners += (Listener(),)
    assert run_by_clock(session.loop, clock)
    assert heard
    assert all(now == at for now, at in heard)


def test_a_session_that_was_late_is_late_again_when_it_goes_on() -> None:
    """What its journal skipped is skipped by the fold, at the drift that was measured; later runs are on time."""
    setup, disk = hourly(), SimulatedDisk()
    session = open_session(setup, disk, block_bars=1)
    clock = SimulatedClock(setup.start_us)
    run_by_clock(session.loop, clock, START_US + 3 * HOUR_US)
    clock.jump_us(4 * HOUR_US + 17)
    run_by_clock(session.loop, clock, START_US + 12 * HOUR_US)
    before = runs_of(disk)
    resumed = open_session(setup, disk.after_kill(), block_bars=1)
    assert resumed.loop.now_us == session.loop.now_us
    assert runs_of(disk) == before
    skipped = [run for run in before if run["status"] == "skipped"]
    assert {run["schedule"] for run in skipped} == {"half", "hour"}
    assert float(str(skipped[0]["drift_seconds"])) == pytest.approx(3.5 * 3600 + 17e-6, abs=1e-9)
    resumed.loop.step()
    assert runs_of(disk)[-1]["drift_seconds"] == 0.0


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27"])
def test_a_day_of_23_or_25_hours_is_one_of_24(day: str) -> None:
    """Where summer time begins and ends: due times are UTC, each once, two to an hour also in the one that the local
    clock passes over or sees twice.
    """
    zone = ZoneInfo("Europe/Warsaw")
    midnight = datetime.fromisoformat(day).replace(tzinfo=zone)
    start_us = int(midnight.timestamp()) * 1_000_000
    setup, disk = hourly(start_us, 27), SimulatedDisk()
    session = open_session(setup, disk, block_bars=1)
    assert run_by_clock(session.loop, SimulatedClock(start_us - 60_000_000))
    runs = runs_of(disk)
    assert Counter((run["schedule"], at_us(str(run["at"]))) for run in runs) == due_times(setup)
    assert {run["status"] for run in runs} == {"executed"}
    half = [at_us(str(run["at"])) for run in runs if run["schedule"] == "half"]
    assert set(np.diff(half).tolist()) == {1_800_000_000}
    local = Counter(datetime.fromtimestamp(at / 1e6, UTC).astimezone(zone).strftime("%d %H:%M") for at in half)
    assert sorted(set(local.values())) == ([1] if day == "2024-03-31" else [1, 2])
    assert at_text(start_us) == str(runs[0]["at"])


def test_it_stops_when_it_is_told_to() -> None:
    """Also while it waits; what is left is done by the next call."""
    setup = hourly()
    session, clock = Session(setup, block_bars=1), SimulatedClock(setup.start_us)
    looks = iter([False] * 40)
    assert not run_by_clock(session.loop, clock, should_stop=lambda: next(looks, True))
    stopped = session.loop.now_us
    assert stopped < setup.end_us
    assert run_by_clock(session.loop, clock)
    assert session.loop.next_us() is None
