"""A run over recorded bars as the command line holds it."""

from __future__ import annotations

from itertools import pairwise

from barstep.replay.clock import SimulatedClock
from control_making import small_run
from journal_making import NOW_US, records
from replays import FILES
from scheduler_making import at, hour
from simulated_disk import SimulatedDisk


def test_it_goes_on_until_it_is_to_stop_and_can_be_managed_after_the_last_bar() -> None:
    """`between` is called before each instant and then every 50 ms."""
    clock = SimulatedClock(NOW_US)
    run = small_run(clock=clock)
    calls = list[int]()

    def between() -> None:
        calls.append(clock.elapsed_us)

    run.run(lambda: clock.elapsed_us >= 1_000_000, between)
    assert run.scheduler.session.loop.next_us() is None
    assert len(calls) > 48 and max(b - a for a, b in pairwise(calls)) <= 50_000
    run.scheduler.halt()
    assert run.scheduler.mode.name == "halted"


def test_by_the_clock_each_instant_waits_for_its_moment() -> None:
    """At 3600 times, an hour takes a second; `between` may give commands meanwhile."""
    clock = SimulatedClock(NOW_US)
    run = small_run(speed=3600.0, clock=clock)

    def between() -> None:
        if clock.elapsed_us == 2_500_000:
            run.scheduler.suspend_schedule("fast")

    run.run(lambda: clock.elapsed_us >= 5_000_000, between)
    assert run.scheduler.now_us == hour(4)
    (row,) = run.scheduler.suspension_snapshot()
    assert row["since"] > at(2) and row["since"] < at(3)


def test_stopped_by_the_clock_it_finishes_its_bar_and_seals() -> None:
    """The next segment begins with a checkpoint; a run that only was managed is left where it is."""
    disk, clock = SimulatedDisk(), SimulatedClock(NOW_US)
    run = small_run(disk, speed=3600.0, clock=clock)
    run.run(lambda: clock.elapsed_us >= 5_500_000, lambda: None)
    run.close()
    kinds = [record["kind"] for _, record in records(disk, FILES)]
    assert kinds[-1] == "checkpoint"
    managed = SimulatedDisk()
    run = small_run(managed)
    run.scheduler.halt()
    run.close()
    assert [record["kind"] for _, record in records(managed, FILES)][-1] == "command"


def test_once_runs_the_latest_due_times_and_stops_between_bars() -> None:
    """All of it; or, told to stop, a part that can be sealed and gone on with."""
    run = small_run()
    assert run.run_once(lambda: False)
    assert run.scheduler.describe_schedules()[0]["last_run"]["status"] == "executed"
    disk = SimulatedDisk()
    run, looks = small_run(disk), list[int]()

    def should_stop() -> bool:
        looks.append(1)
        return len(looks) > 5

    assert not run.run_once(should_stop)
    run.close()
    assert [record["kind"] for _, record in records(disk, FILES)][-1] == "checkpoint"
