"""A scheduler in event time in the hands of its operators."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from barstep.config.commands import UseFeed
from barstep.engine.capital_policies import FixedWeightAllocation
from barstep.engine.scheduler.simulation import simulate
from barstep.errors import ConfigError, UsageError
from barstep.replay.clock import SimulatedClock
from barstep.replay.journal.record import at_text, at_us
from barstep.replay.journal.writer import TradingDecisionJournal
from journal_making import FOLDER, LOG, NOW_US, DiskKeys, payload, records
from making import START_US
from replays import FILES
from runtime_making import small_config, small_runtime, small_setup
from scheduler_making import at, hour
from simulated_disk import SimulatedDisk


def commands_of(disk: SimulatedDisk) -> list[dict[str, Any]]:
    return [record for _, record in records(disk, FILES) if record["kind"] == "command"]


def test_left_alone_it_gives_the_backtest() -> None:
    """Run in one go or in pieces: decisions, weights and equity to the bit."""
    expected = simulate(small_setup(small_config())).digests
    assert small_runtime().run().digests == expected
    pieces = small_runtime()
    for number in (0.5, 7, 7, 20.25):
        pieces.run_until(at(number))
    assert pieces.now_us == hour(20)
    assert pieces.run().digests == expected


def test_a_suspension_holds_at_once_and_is_in_the_journal() -> None:
    """The snapshot says until when and how long still, the weights are shared out among the others, signals stop."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_until(at(9))
    runtime.suspend_schedule("fast", reason="maintenance", duration_seconds="90m", by="ann")
    (row,) = runtime.suspension_snapshot()
    since = at(9) + timedelta(microseconds=1)
    assert (row["name"], row["source"], row["schedules"], row["reason"]) == (
        "fast",
        "schedule",
        ["fast"],
        "maintenance",
    )
    assert (row["since"], row["expires_at"]) == (since, since + timedelta(minutes=90))
    assert (row["remaining_seconds"], row["active"]) == (5400.0, True)
    assert runtime.allocation_snapshot() == {"fast": 0.0, "slow": 1.0}
    (command,) = commands_of(disk)
    assert (command["by"], command["at"], command["command"]["schedule"]) == ("ann", at_text(hour(9) + 1), "fast")
    runtime.run_until(at(10))
    assert runtime.describe_schedules()[0]["last_run"]["reason"] == "suspended"
    runtime.run_until(at(11))
    assert runtime.suspension_snapshot() == []
    assert runtime.allocation_snapshot() == {"fast": 0.5, "slow": 0.5}
    assert runtime.describe_schedules()[0]["last_run"]["reason"] == ""


def test_a_command_before_the_first_instant_holds_in_it() -> None:
    """As one of the configuration does; the same commands in a backtest give the same."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.suspend_tag("calm", reason="not yet", until=at(8))
    assert [row["schedules"] for row in runtime.suspension_snapshot()] == [["slow"]]
    result = runtime.run()
    (command,) = commands_of(disk)
    assert at_us(command["at"]) == START_US
    config = small_config(initial_suspensions=[{"tag": "calm", "reason": "not yet", "until": at(8)}])
    expected = simulate(small_setup(config))
    assert result.digests == expected.digests
    assert result.interventions.drop("source").equals(expected.interventions.drop("source"))


def test_a_tag_holds_its_schedules_until_it_is_resumed() -> None:
    """All of them; a schedule that is suspended by its name, too, stays so."""
    runtime = small_runtime()
    runtime.run_until(at(5))
    runtime.suspend_tag("quick", reason="liquidations")
    runtime.suspend_schedule("slow")
    assert {(row["name"], *row["schedules"]) for row in runtime.suspension_snapshot()} == {
        ("quick", "fast", "slow"),
        ("slow", "slow"),
    }
    runtime.resume_tag("quick")
    assert [row["name"] for row in runtime.suspension_snapshot()] == ["slow"]
    runtime.resume_schedule("slow")
    assert runtime.suspension_snapshot() == []


def test_a_limit_holds_until_it_ends_or_is_cleared() -> None:
    """The effective limit is the least; when the override ends, the schedule's own is back without a run."""
    runtime = small_runtime()
    runtime.run_until(at(5))
    runtime.configure_signal_limit("hare", "p", 1, reason="thin books", duration_seconds=1800)
    (row,) = runtime.signal_limit_snapshot()
    assert (row["limit"], row["reason"], row["remaining_seconds"], row["active"]) == (1, "thin books", 1800.0, True)
    assert runtime.describe_schedules()[0]["signal_limit"] == 1
    runtime.run_until(at(5.6))
    assert runtime.describe_schedules()[0]["signal_limit"] == 2
    runtime.configure_signal_limit("hare", "p", 0)
    runtime.configure_signal_limit("hare", "p", None)
    assert runtime.signal_limit_snapshot() == []


def test_a_policy_is_taken_by_name_mapping_or_object() -> None:
    """At once with its weights, or with the next refresh; its interval only where that is asked for."""
    runtime = small_runtime()
    runtime.run_until(at(5))
    runtime.set_capital_policy(FixedWeightAllocation(weights={"fast": 3.0, "slow": 1.0}))
    assert runtime.allocation_snapshot() == {"fast": 0.75, "slow": 0.25}
    assert runtime.capital_policy_diagnostics()["name"] == "fixed_weight"
    written = {
        "name": "risk_profile",
        "profiles": {"p": 0.2, "q": 0.8},
        "profile_floor": 0.3,
        "rebalance_seconds": 7200,
    }
    runtime.replace_capital_policy(written, apply_policy_interval=True)
    assert runtime.allocation_snapshot() == {"fast": 0.75, "slow": 0.25}
    assert runtime.session.machine.state.allocation_rebalance_seconds == 7200.0
    runtime.set_allocation_rebalance_seconds("1d")
    runtime.run_until(at(9))
    assert runtime.allocation_snapshot() == {"fast": 0.75, "slow": 0.25}
    assert runtime.rebalance_capital() == pytest.approx({"fast": 0.3, "slow": 0.7})
    assert runtime.profile_allocation_snapshot() == pytest.approx({"p": 0.3, "q": 0.7})
    assert runtime.floor_adjustment_applied
    assert runtime.capital_allocation_state()["profile"] == pytest.approx({"p": 0.3, "q": 0.7})
    runtime.set_capital_policy("equal_weight", rebalance=False)
    assert runtime.allocation_snapshot() == pytest.approx({"fast": 0.3, "slow": 0.7})
    assert runtime.profile_allocation_snapshot() == {}


def test_the_live_allocation_is_that_of_the_result() -> None:
    """Snapshot, state and diagnostics after the last instant are those of the finished run."""
    runtime = small_runtime(config=small_config(capital_policy={"name": "smoothed", "base": "signal_strength"}))
    result = runtime.run()
    assert runtime.allocation_snapshot() == result.allocation_snapshot()
    assert runtime.capital_allocation_state() == result.capital_allocation_state()
    assert runtime.capital_policy_diagnostics() == result.capital_policy_diagnostics()


def test_modes_and_disabled_strategies_are_seen_at_once() -> None:
    """And told by the journal with their words."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_until(at(5))
    runtime.disable_strategy("hare", reason="review")
    assert [row["disabled"] for row in runtime.describe_schedules()] == [True, False]
    runtime.enable_strategy("hare")
    runtime.halt(reason="drill")
    assert (runtime.mode.name, runtime.mode.reason) == ("halted", "drill")
    runtime.reduce()
    runtime.resume()
    assert runtime.mode.name == "running"
    told = [(record["status"], record.get("risk_budget_bucket")) for record in commands_of(disk)]
    assert told == [("disabled", "manual"), ("restored", None), *[("accepted", None)] * 3]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda one: one.suspend_schedule("fats"), "Did you mean 'fast'"),
        (lambda one: one.suspend_tag("quik"), "Did you mean 'quick'"),
        (lambda one: one.configure_signal_limit("hare", "pp", 1), "unknown risk profile 'pp'"),
        (lambda one: one.disable_strategy("hair"), "unknown strategy 'hair'"),
        (lambda one: one.set_capital_policy("equal_weigth"), "equal_weight"),
        (lambda one: one.suspend_schedule("fast", duration_seconds="soon"), "duration"),
        (lambda one: one.suspend_schedule("fast", duration_seconds=5, until=at(30)), "until"),
        (lambda one: one.suspend_schedule("fast", until=at(1)), "must be after 'at'"),
        (lambda one: one.configure_signal_limit("hare", "p", -1), "limit"),
        (lambda one: one.command("suspend", schedule="fast"), "suspend"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(call: Any, text: str) -> None:
    """With what is allowed or the near name; the journal has no record of it."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_until(at(5))
    state = runtime.session.machine.state
    with pytest.raises((ConfigError, UsageError), match=text):
        call(runtime)
    assert runtime.session.machine.state == state
    assert commands_of(disk) == []


def test_feeds_of_recorded_bars_are_chosen_at_the_start() -> None:
    """Afterwards it is said where the command belongs, and nothing is journalled; by its method and by its name."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_until(at(5))
    with pytest.raises(UsageError, match=r"use_feed: recorded bars are read .* started with: `--commands FILE`"):
        runtime.use_feed("fallback")
    with pytest.raises(UsageError, match="use_feed: recorded bars"):
        runtime.command("use_feed", feed="primary", instrument="X")
    with pytest.raises(ConfigError, match="unknown instrument 'Z'"):
        runtime.use_feed("fallback", "Z")
    assert commands_of(disk) == []


def test_feeds_that_can_be_switched_are_told_once_it_is_written() -> None:
    """A loop whose bars are still to come hears of each word, after the journal has it."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    heard: list[tuple[UseFeed, int]] = []
    runtime.session.switch_feed = lambda word: heard.append((word, len(commands_of(disk))))
    runtime.run_until(at(5))
    runtime.use_feed("fallback", "X", by="ann")
    ((word, written),) = heard
    assert (word.feed, word.instrument, word.at, written) == ("fallback", "X", at(5) + timedelta(microseconds=1), 1)
    (command,) = commands_of(disk)
    assert (command["by"], command["command"]["command"]) == ("ann", "use_feed")


def test_everything_survives_a_kill() -> None:
    """Suspensions, limits, policy, weights, disabled strategies and mode are there again, and go on the same."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_until(at(5))
    runtime.suspend_schedule("slow", reason="x", until=datetime(2030, 1, 1, tzinfo=UTC))
    runtime.configure_signal_limit("hare", "p", 1)
    runtime.set_capital_policy("signal_strength")
    runtime.disable_strategy("tortoise")
    runtime.reduce(reason="y")
    again = small_runtime(disk.after_power_loss(names_kept=True))
    for snapshot in ("suspension_snapshot", "signal_limit_snapshot", "allocation_snapshot", "capital_allocation_state"):
        assert getattr(again, snapshot)() == getattr(runtime, snapshot)(), snapshot
    described, before = again.describe_schedules(), runtime.describe_schedules()
    assert [row.pop("last_run")["due_time"] for row in described] == [row.pop("last_run")["due_time"] for row in before]
    assert described == before
    assert again.mode == runtime.mode
    assert again.run().digests == runtime.run().digests


def test_after_the_last_bar_commands_still_hold() -> None:
    """And are there when the journal is opened again, also after it was closed in order."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run()
    runtime.suspend_schedule("fast", reason="for tomorrow")
    runtime.close()
    again = small_runtime(disk)
    assert [row["reason"] for row in again.suspension_snapshot()] == ["for tomorrow"]
    again.suspend_schedule("slow")
    third = small_runtime(disk.after_kill())
    assert [row["name"] for row in third.suspension_snapshot()] == ["fast", "slow"]
    third.close()


def test_with_a_clock_a_command_has_its_time() -> None:
    """Held between what is done and what comes next, wherever the clock stands."""
    disk, clock = SimulatedDisk(), SimulatedClock(hour(5.25))
    runtime = small_runtime(disk, clock)
    runtime.run_until(at(5))
    runtime.suspend_schedule("fast", duration_seconds=3600)
    clock.jump_us(-7_200_000_000)
    runtime.resume_schedule("fast")
    clock.jump_us(90_000_000_000)
    runtime.halt()
    times = [at_us(record["at"]) for record in commands_of(disk)]
    assert times == [hour(5.25), hour(5.25) + 1, hour(6) - 1]


def test_run_once_runs_each_schedule_at_its_latest_due_time() -> None:
    """What was due before is skipped and journalled; a second time nothing is left to be run."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_until(at(10))
    runtime.run_once()
    runs = [record for _, record in records(disk, FILES) if record["kind"] == "run" and at_us(record["at"]) > hour(10)]
    executed = {(run["schedule"], run["at"]) for run in runs if run["status"] == "executed"}
    assert executed == {("fast", at_text(hour(48))), ("slow", at_text(hour(48)))}
    assert len(runs) == 38 + 10
    again = small_runtime(disk.after_kill())
    again.run_once()
    assert len([1 for _, record in records(disk, FILES) if record["kind"] == "run"]) == len(runs) + 11 + 3
    assert again.result().digests == runtime.result().digests


def test_run_once_excuses_a_schedule_whose_latest_due_time_is_long_past() -> None:
    """It runs then, while others that were due at that instant are skipped; a restart says the same."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.run_once(at(46.5))
    runs = [record for _, record in records(disk, FILES) if record["kind"] == "run" and record["status"] == "executed"]
    assert {(run["schedule"], run["at"]) for run in runs} == {("fast", at_text(hour(46))), ("slow", at_text(hour(44)))}
    again = small_runtime(disk.after_kill())
    assert again.now_us == runtime.now_us
    assert again.run().digests == runtime.run().digests


def test_what_happens_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each refresh of the weights, the shares of profiles, what began and what ended."""
    caplog.set_level(logging.INFO, "barstep.scheduler")
    policy = {"name": "risk_profile", "profiles": {"p": 0.5, "q": 0.5}, "within_profile": "equal_weight"}
    runtime = small_runtime(config=small_config(capital_policy=policy))
    runtime.run_until(at(3))
    caplog.clear()
    runtime.suspend_schedule("fast", reason="r", duration_seconds=60)
    runtime.run_until(at(4))
    text = [record.getMessage() for record in caplog.records]
    until = at_text(hour(3) + 60_000_001)
    assert text[0] == f"{at_text(hour(3) + 1)}: suspension (schedule) fast began (reason=r, until={until})"
    assert text[1] == "Capital allocator risk_profile weights: fast=0.0000, slow=1.0000"
    assert text[2] == "Capital allocator risk_profile profiles: q=1.0000"
    assert "suspension (schedule) fast expired" in text[3]
    assert text[4] == "Capital allocator risk_profile weights: fast=0.5000, slow=0.5000"


def test_the_governor_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What it measured, and the limit."""
    caplog.set_level(logging.WARNING, "barstep.scheduler")
    governor = {"max_gross_exposure": 0.1, "on_breach": "limit", "signal_limit": 0}
    small_runtime(config=small_config(portfolio_governor=governor)).run()
    assert any("Portfolio governor: governor_limits gross exposure" in each.getMessage() for each in caplog.records)


def test_with_a_clock_a_command_has_its_time_also_after_a_restart() -> None:
    """No bar is taken yet then; what comes next is known all the same."""
    disk, clock = SimulatedDisk(), SimulatedClock(hour(5.25))
    runtime = small_runtime(disk, clock)
    while runtime.now_us < hour(5) or not runtime.session.loop.is_between_bars:
        runtime.session.loop.step()
    runtime.close()
    again = small_runtime(disk, clock)
    again.suspend_schedule("fast", duration_seconds=3600)
    clock.jump_us(90_000_000_000)
    again.halt()
    assert [at_us(record["at"]) for record in commands_of(disk)] == [hour(5.25), hour(6) - 1]


@pytest.mark.parametrize("by", ["commands", "health"])
def test_an_operator_is_not_taken_for_a_file_or_for_health(by: str) -> None:
    """A restart tells by these names what it knows itself."""
    with pytest.raises(UsageError, match="no operator gave"):
        small_runtime().halt(by=by)


def test_a_note_after_the_commands_of_the_start_does_not_begin_the_run() -> None:
    """What is written beside the loop tells nothing of what is done."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    runtime.halt()
    runtime.close()
    keys = DiskKeys(disk)
    genesis, wall = payload("genesis"), NOW_US
    with TradingDecisionJournal.open(FOLDER, "e", keys, log_id=LOG, genesis=genesis, now_us=wall, disk=disk) as journal:
        journal.append(payload("note", category="note", message="m", status="acknowledged", by="ann"))
        journal.commit()
    again = small_runtime(disk)
    assert (again.session.loop.has_begun, again.mode.name) == (False, "halted")


def test_the_governors_halt_is_a_record_and_its_end_is_none() -> None:
    """What an operator does to it, the command says; where the limit is still broken, it halts again."""
    config, disk = small_config(portfolio_governor={"max_gross_exposure": 0.1, "on_breach": "halt"}), SimulatedDisk()
    runtime = small_runtime(disk, config=config)
    while runtime.mode.name == "running":
        runtime.session.loop.step()
    runtime.resume()
    resumed_us = runtime.now_us
    while runtime.mode.name == "running":
        runtime.session.loop.step()
    runtime.halt()
    began = runtime.result().interventions.filter(pl.col("source") == "governor")["begin"].to_physical().to_list()
    told = [record for _, record in records(disk, FILES) if record["kind"] == "mode"]
    assert [at_us(record["at"]) for record in told] == began
    assert began[0] < resumed_us < began[1]
    assert {(record["mode"], record["reason"]) for record in told} == {("halted", "gross exposure")}
