"""Engines that raise in event time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from barstep.config.commands import AnyCommand
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.engine.scheduler.simulation import simulate
from barstep.replay.builders import build_multi_strategy_runtime
from barstep.replay.clock import SimulatedClock
from barstep.replay.journal.record import at_text
from barstep.replay.journal_replay import replay_journal
from barstep.replay.key_files import KeyFolder
from barstep.replay.multi_strategy_scheduler import MultiStrategyScheduler
from barstep.replay.session import Session
from barstep.replay.what_if import what_if
from failing import BARS, CLOSES, WISHES, config_with_a_failing_engine
from journal_making import LOG, NOW_US, DiskKeys, records
from replays import FILES, open_session
from scheduler_making import hour, told_bars
from simulated_disk import PowerLossError, SimulatedDisk


def failing_setup(fails: dict[int, int], start: float | None = None, **more: Any) -> SchedulerSetup:
    """Two schedules that wish the same; the engine of one raises at some bars as often as is said."""
    if start is not None:
        more["start"] = at_text(hour(start))
    bars = {"X": told_bars(CLOSES, WISHES)}
    setup = set_up_scheduler(config_with_a_failing_engine(), "s", environment="e", bars=bars, **more)
    kernel = next(one.strategy.engine.kernel for one in setup.resolved if one.name == "bad")
    kernel.__globals__["FAILS"].update(fails)
    return setup


def health_records(disk: SimulatedDisk) -> list[tuple[int, str, int]]:
    """Hour after the start, status and attempt."""
    hours = {at_text(hour(number)): number for number in range(BARS + 1)}
    return [
        (hours[record["at"]], record["status"], record["attempt"])
        for _, record in records(disk, FILES)
        if record["kind"] == "health"
    ]


def accepted(decisions: pl.DataFrame) -> pl.DataFrame:
    return decisions.filter(pl.col("status") == "accepted")


def finished(setup: SchedulerSetup, disk: SimulatedDisk, block_bars: int) -> Session:
    session = open_session(setup, disk, block_bars=block_bars)
    session.run()
    session.close()
    return session


@pytest.mark.parametrize("block_bars", [1, 4])
def test_a_schedule_that_fails_is_isolated_and_tried_again_later_and_later(block_bars: int) -> None:
    """After 2, 4 and 8 hours; then it is as if nothing had been, and the other schedule never noticed.

    Of several bars that are taken at once, that one fails is seen first, then which.
    """
    disk = SimulatedDisk()
    session = finished(failing_setup({20: 3 if block_bars == 1 else 4}), disk, block_bars)
    first = 21  # when the bar closes
    isolated = [(first, "isolated", 1), (first + 2, "isolated", 2), (first + 6, "isolated", 3)]
    assert health_records(disk) == [*isolated, (first + 14, "restored", 3)]
    runs = [record for _, record in records(disk, FILES) if record["kind"] == "run" and record["schedule"] == "good"]
    assert len(runs) == BARS + 1
    assert {run["reason"] for run in runs} == {""}
    told = [record["command"]["reason"] for _, record in records(disk, FILES) if record["kind"] == "command"]
    assert told == ["engine failed: ValueError: bar 20 is not to my taste"] * 3
    decided = accepted(session.result().decisions).filter(pl.col("schedule") == "bad")
    hours = (decided["due_time"].to_physical().to_numpy() - hour(0)) // 3_600_000_000
    assert not ((hours >= first) & (hours < first + 14)).any()
    assert (hours >= first + 14).any()


@pytest.mark.parametrize("start", [None, 25.0])
def test_its_twin_is_given_the_commands_and_makes_the_same_decisions(start: float | None) -> None:
    """A backtest whose engine never failed accepts the same, weighs the same and earns the same; also after a warm-up
    that failed.
    """
    disk = SimulatedDisk()
    lived = finished(failing_setup({20: 3}, start), disk, 1).result()
    commands = [record["command"] for _, record in records(disk, FILES) if record["kind"] == "command"]
    twin = simulate(failing_setup({}, start, commands=msgspec.convert(commands, list[AnyCommand])))
    assert len(commands) == 3
    assert accepted(lived.decisions).equals(accepted(twin.decisions))
    assert (lived.digests["weights"], lived.digests["equity"]) == (twin.digests["weights"], twin.digests["equity"])


@pytest.mark.parametrize("killed_after", [24, 26, 40])
@pytest.mark.parametrize("block_bars", [1, 9])
def test_a_session_that_goes_on_holds_back_what_had_failed(killed_after: int, block_bars: int) -> None:
    """Although the engine would not fail any more: what was written comes out again, and the end is the same."""
    expected = finished(failing_setup({20: 3}), SimulatedDisk(), 1).result()
    disk = SimulatedDisk()
    session = open_session(failing_setup({20: 3}), disk, block_bars=1)
    for _ in range(killed_after):
        session.loop.step()
    left = [0, 1, 2, 3][3 - len([one for one in health_records(disk) if one[1] == "isolated"])]
    disk = disk.after_kill()
    setup = failing_setup({})
    resumed = open_session(setup, disk, block_bars=block_bars)
    kernel = next(one.strategy.engine.kernel for one in setup.resolved if one.name == "bad")
    kernel.__globals__["FAILS"][20] = left
    resumed.loop.block_bars = 1
    resumed.run()
    assert resumed.result().digests == expected.digests


def test_a_journal_of_a_late_and_failing_session_is_done_again(tmp_path: Path) -> None:
    """Record by record, although nothing is late and nothing fails then; what is executed and skipped is the same."""
    config, bars = config_with_a_failing_engine(), {"X": told_bars(CLOSES, WISHES)}
    (tmp_path / "keys").mkdir(mode=0o700)
    KeyFolder(tmp_path / "keys").init()
    clock = SimulatedClock(hour(0))
    where = {"journal": tmp_path / "audit", "keys": tmp_path / "keys", "bars": bars}
    with build_multi_strategy_runtime(config, "e", clock=clock, **where) as runtime:
        resolved = runtime.session.machine.setup.resolved
        kernel = next(one.strategy.engine.kernel for one in resolved if one.name == "bad")
        kernel.__globals__["FAILS"][20] = 2
        runtime.run_by_clock(at_text(hour(40)))
        clock.jump_us(5 * 3_600_000_000)
        runtime.run_by_clock(at_text(hour(50)))
        runtime.suspend_schedule("good", duration_seconds=60)
        runtime.run_once()
        result = runtime.result()
    again = replay_journal(tmp_path / "audit" / "e.jsonl", config, bars=bars)
    assert again.diverged is None
    assert again.compared > 150
    (tmp_path / "policy.yaml").write_text("name: equal_weight\n")
    found = what_if(tmp_path / "audit" / "e.jsonl", config, tmp_path / "policy.yaml", bars=bars)
    assert found.actual.digests == found.other.digests == result.digests


def test_a_what_if_holds_back_what_failed_in_the_session(tmp_path: Path) -> None:
    """Also where it would fail again: both sides are as the session was."""
    config, bars = config_with_a_failing_engine(), {"X": told_bars(CLOSES, WISHES)}
    setup, disk = failing_setup({20: BARS}), SimulatedDisk()
    session = Session.open(setup, tmp_path / "audit", DiskKeys(disk), log_id=LOG, now_us=NOW_US, block_bars=1)
    session.run()
    session.close()
    (tmp_path / "policy.yaml").write_text("name: equal_weight\n")
    found = what_if(tmp_path / "audit" / "e.jsonl", config, tmp_path / "policy.yaml", bars=bars)
    assert found.actual.digests == found.other.digests == session.result().digests


def test_a_recovery_is_told_at_its_bar_also_where_that_was_taken_before_a_command() -> None:
    """What comes next was looked at, then somebody gave a command: the journal can be gone on with."""
    setup, disk = failing_setup({20: 1}), SimulatedDisk()
    with MultiStrategyScheduler(config_with_a_failing_engine(), open_session(setup, disk, block_bars=1)) as one:
        one.run_until(at_text(hour(22)))
        one.rebalance_capital()
    assert health_records(disk) == [(21, "isolated", 1)]
    finished(setup, disk, 1)
    assert health_records(disk) == [(21, "isolated", 1), (23, "restored", 1)]


def test_nobody_shortens_what_an_operator_suspended() -> None:
    """It stays suspended for as long as it was, and the reason says both."""
    setup = failing_setup({20: 1})
    with MultiStrategyScheduler(config_with_a_failing_engine(), Session(setup, block_bars=1, observed=True)) as one:
        one.suspend_schedule("bad", reason="by hand")
        one.run_until(at_text(hour(30)))
        (held,) = one.suspension_snapshot()
        assert (held["name"], held["expires_at"]) == ("bad", None)
        assert held["reason"].startswith("engine failed: ValueError") and held["reason"].endswith("by hand)")
        (row,) = [row for row in one.describe_schedules() if row["schedule"] == "bad"]
        assert row["failures"] == 0
        one.resume_schedule("bad")
        one.run()
        assert accepted(one.result().decisions).filter(pl.col("schedule") == "bad").height > 0


def test_a_backtest_raises() -> None:
    """What fails there is the caller's to see."""
    with pytest.raises(ValueError, match="bar 20"):
        simulate(failing_setup({20: 1}))


def test_a_failure_at_the_start_that_was_written_in_part_is_the_same_failure() -> None:
    """Where the power is lost amid the first group, whatever of it got to the disk."""
    for sectors in range(12):
        disk = SimulatedDisk()
        session = open_session(failing_setup({0: 1}), disk, block_bars=1)
        disk.stops_at = len(disk.calls) + 2
        with pytest.raises(PowerLossError):
            session.loop.step()
        after = disk.after_power_loss(names_kept=True, sectors=sectors)
        finished(failing_setup({0: 1}), after, 1)
        assert health_records(after)[0] == (0, "isolated", 1)
