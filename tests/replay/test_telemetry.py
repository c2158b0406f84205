"""What runs measured, for whoever publishes it."""

from __future__ import annotations

import pytest
from barstep.config.reading import PACKAGED
from barstep.replay.builders import build_multi_strategy_runtime
from barstep.replay.telemetry import InMemoryTelemetryEmitter
from journal_making import records
from replays import FILES
from runtime_making import small_runtime
from scheduler_making import at
from simulated_disk import SimulatedDisk

ALWAYS = {
    "signals", "latency_ms", "drift_seconds", "failures", "avg_confidence", "allocator_raw_weight",
    "allocator_smoothed_weight", "allocator_profile_weight", "suspended", "suspension_tag_indicator",
    "suspension_remaining_seconds",
}  # fmt: skip


def test_every_run_emits_what_the_journal_has_of_it() -> None:
    """One emission a run, in order; signals and means are those of the run's record."""
    disk, emitter = SimulatedDisk(), InMemoryTelemetryEmitter()
    small_runtime(disk, emitters=[emitter]).run()
    runs = [record for _, record in records(disk, FILES) if record["kind"] == "run"]
    assert len(emitter.runs) == len(runs) > 0
    for (schedule, _, metrics), run in zip(emitter.runs, runs, strict=True):
        assert metrics.keys() >= ALWAYS
        assert (schedule, metrics["signals"]) == (run["schedule"], run["signals"])
        assert metrics["avg_confidence"] == run["telemetry"].get("avg_confidence", 0.0)


def test_a_suspended_schedule_has_zero_telemetry() -> None:
    """No signals, no confidence, no weight; for how long still, and whether by a tag."""
    emitter = InMemoryTelemetryEmitter()
    runtime = small_runtime(emitters=[emitter])
    runtime.run_until(at(3))
    assert emitter.last("fast")["suspended"] == 0.0
    runtime.suspend_tag("quick", until=at(10))
    runtime.run_until(at(4))
    fast = emitter.last("fast")
    assert {name: fast[name] for name in ("signals", "avg_confidence", "allocator_raw_weight")} == {
        "signals": 0.0, "avg_confidence": 0.0, "allocator_raw_weight": 0.0,
    }  # fmt: skip
    assert (fast["suspended"], fast["suspension_tag_indicator"]) == (1.0, 1.0)
    assert fast["suspension_remaining_seconds"] == 6 * 3600.0
    runtime.suspend_schedule("fast")
    runtime.run_until(at(5))
    assert "suspension_remaining_seconds" not in emitter.last("fast")


def test_the_allocators_weights_are_those_in_force() -> None:
    """Raw, smoothed, and of the profile's schedules together."""
    emitter = InMemoryTelemetryEmitter()
    runtime = small_runtime(emitters=[emitter])
    runtime.set_capital_policy({"name": "fixed_weight", "weights": {"fast": 3, "slow": 1}})
    runtime.run_until(at(4))
    assert emitter.last("slow")["allocator_raw_weight"] == 0.25
    assert emitter.last("slow")["allocator_profile_weight"] == 0.25
    assert emitter.last("fast")["allocator_smoothed_weight"] == 0.75


def test_each_engine_emits_its_own_measures() -> None:
    """By the names that the dashboards know; the policy's telemetry says the same of the window."""
    emitter = InMemoryTelemetryEmitter()
    with build_multi_strategy_runtime(PACKAGED, emitters=[emitter], start="2023-06-01", end="2023-06-20") as runtime:
        runtime.run()
    frame = emitter.to_frame()
    own = {
        "mean_reversion_schedule": ["avg_abs_zscore", "avg_realized_volatility"],
        "volatility_schedule": ["allocation_error_pct", "realized_vs_target_vol_pct", "avg_realized_volatility"],
        "arbitrage_schedule": ["secondary_delay_ms", "spread_capture_bps"],
    }
    for schedule, names in own.items():
        seen = frame.filter(frame["schedule"] == schedule)
        assert all(seen[name].null_count() < seen.height for name in names), schedule
    assert frame.filter(frame["schedule"] == "trend_schedule")["spread_capture_bps"].null_count() > 0


def test_the_volatility_is_that_of_the_unit_account() -> None:
    """With one schedule that has all the capital and trades without costs, that of the account from run to run."""
    emitter = InMemoryTelemetryEmitter()
    runtime = small_runtime(emitters=[emitter])
    runtime.set_capital_policy({"name": "fixed_weight", "weights": {"fast": 1}})
    runtime.run()
    equity = runtime.result().equity["equity"].to_numpy()
    returns = equity[1:] / equity[:-1] - 1.0
    expected = returns.std(ddof=1) * (365 * 24) ** 0.5
    assert emitter.last("fast")["avg_realized_volatility"] == pytest.approx(expected, rel=0.02)
