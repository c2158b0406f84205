"""The shares of capital at one time."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.scheduler.backtest import backtest_scheduler
from barstep.engine.scheduler.result import SchedulerResult
from scheduler_making import config_of, told_bars


def result_of(policy: object, **profile: object) -> SchedulerResult:
    config = config_of(
        {"a": {"strategy": "one"}, "b": {"strategy": "two", "risk_profile": "q"}, "c": {"strategy": "two"}},
        ["X"],
        {"p": profile, "q": {}},
        {"one": {"engine": "told", "tags": ["t"]}, "two": {"engine": "told", "tags": ["u", "t"]}},
        capital_policy=policy,
    )
    bars = told_bars(100.0 + np.arange(12) % 3, [0.5] * 12)
    return backtest_scheduler(config, "s", environment="e", bars={"X": bars})


def test_shares_are_added_up_by_profile_and_primary_tag() -> None:
    """After the ceilings of the profiles, which leave cash; raw and smoothed ones are the policy's."""
    policy = {"name": "fixed_weight", "weights": {"a": 2.0, "b": 1.0, "c": 1.0}}
    state = result_of(policy, strategy_allocations={"one": 0.5}).capital_allocation_state()
    assert state["raw"] == state["smoothed"] == {"a": 0.5, "b": 0.25, "c": 0.25}
    assert state["weights"] == {"a": 0.375, "b": 0.25, "c": 0.25}
    assert state["profile"] == {"p": 0.625, "q": 0.25}
    assert state["tag"] == {"t": 0.375, "u": 0.5}


def test_profiles_are_told_where_the_policy_budgets_by_them() -> None:
    """With whether the floor raised one; of another policy there are none."""
    budgets = {"name": "risk_profile", "profiles": {"p": 0.9, "q": 0.1}, "within_profile": "equal_weight"}
    allocation = result_of({**budgets, "profile_floor": 0.2}).allocation
    assert allocation.profiles() == pytest.approx({"p": 0.8, "q": 0.2})
    assert allocation.floor_adjustment_applied
    assert not result_of(budgets).allocation.floor_adjustment_applied
    other = result_of("equal_weight").allocation
    assert other.profiles() == {}
    assert not other.floor_adjustment_applied
    assert other.diagnostics()["weights"] == other.snapshot()
