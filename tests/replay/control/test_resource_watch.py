"""What a running loop's process uses: in its status and, where a limit is passed, in its journal."""

from __future__ import annotations

from barstep.config.runtime import ResourceLimits
from barstep.engine.bars import MICROSECONDS
from barstep.replay.clock import SimulatedClock
from barstep.replay.control.resource_watch import KIND, ResourceWatch
from barstep.replay.control.status import status_of
from barstep.replay.resources import EVERY_US, Reading, ResourceMonitor
from control_making import small_run
from journal_making import records
from replays import FILES
from scheduler_making import at
from simulated_disk import SimulatedDisk

LIMITS = ResourceLimits(cpu_pct=100.0, memory_mb=100.0)


def test_a_limit_that_is_passed_is_in_the_journal_and_changes_nothing_else() -> None:
    """A record when it is passed and one when it is well again; all others are those of a run that nobody measured."""
    plain, disk, clock = SimulatedDisk(), SimulatedDisk(), SimulatedClock()
    memory = [50.0, 50.0, 120.0, 130.0, 60.0]
    run = small_run(disk)
    watch = ResourceWatch(run, ResourceMonitor(LIMITS, clock, lambda: Reading(0.0, memory.pop(0), 0.0, 0.0)))
    told = []
    for hour in range(1, 9):
        run.scheduler.run_until(at(hour))
        clock.sleep_us(EVERY_US // 2)
        watch.look()
        told.append(status_of(run)["resources"]["status"])
    assert told == ["ok", "ok", "ok", "breach", "breach", "breach", "breach", "ok"]
    run.scheduler.run()
    run.close()
    other = small_run(plain)
    for hour in range(1, 9):
        other.scheduler.run_until(at(hour))
    other.scheduler.run()
    other.close()
    written, unmeasured = ([one for _, one in records(each, FILES)] for each in (disk, plain))
    measured = [one for one in written if one["kind"] == KIND]
    assert [(one["status"], one["memory_mb"]["status"], one["memory_mb"]["usage"]) for one in measured] == [
        ("breach", "breach", 120.0), ("ok", "ok", 60.0),
    ]  # fmt: skip
    own = [one for one in written if one["kind"] != KIND]
    skipped = {"sealed", "checkpoint"}
    assert [one for one in own if one["kind"] not in skipped] == [
        one for one in unmeasured if one["kind"] not in skipped
    ]
    assert measured[0]["at"] > own[1]["at"] and EVERY_US > MICROSECONDS


def test_a_run_that_was_measured_goes_on_where_its_journal_ends() -> None:
    """What is done again passes the records of resources over."""
    disk, clock = SimulatedDisk(), SimulatedClock()
    memory = [50.0, 120.0]
    run = small_run(disk)
    watch = ResourceWatch(run, ResourceMonitor(LIMITS, clock, lambda: Reading(0.0, memory.pop(0), 0.0, 0.0)))
    run.scheduler.run_until(at(5))
    clock.sleep_us(EVERY_US)
    watch.look()
    run.scheduler.run_until(at(9))
    later = disk.after_kill()
    again = small_run(later)
    assert again.scheduler.session.caught_up > 0
    again.scheduler.run()
    assert KIND in {one["kind"] for _, one in records(later, FILES)}


def test_nobody_measures_a_run_that_is_looked_at() -> None:
    """Its status says so."""
    assert status_of(small_run())["resources"] is None
