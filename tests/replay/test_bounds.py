"""Telemetry against the bounds of risk profiles."""

from __future__ import annotations

import pytest
from barstep.config.risk import Bounds, RiskProfile
from barstep.replay.bounds import ACCOUNT, OF_ACCOUNT, BoundsWatch, Seen, bound_status
from runtime_making import small_config, small_setup

HIGH_IS_BAD, LOW_IS_BAD = Bounds(warn=2.0, fail=4.0), Bounds(warn=0.0, fail=-10.0)
PROFILES = {
    "p": RiskProfile(telemetry_bounds={"avg_abs_z": HIGH_IS_BAD, OF_ACCOUNT: Bounds(warn=8.0, fail=15.0)}),
    "q": RiskProfile(telemetry_bounds={"capture": LOW_IS_BAD}),
}


@pytest.mark.parametrize(
    ("value", "bounds", "status"),
    [
        (1.9, HIGH_IS_BAD, "ok"), (2.0, HIGH_IS_BAD, "warn"), (3.9, HIGH_IS_BAD, "warn"), (4.0, HIGH_IS_BAD, "fail"),
        (0.1, LOW_IS_BAD, "ok"), (0.0, LOW_IS_BAD, "warn"), (-9.9, LOW_IS_BAD, "warn"), (-10.0, LOW_IS_BAD, "fail"),
    ],
)  # fmt: skip
def test_a_bound_that_is_reached_is_passed(value: float, bounds: Bounds, status: str) -> None:
    """From warn on a warning, from fail on a failure; where fail is the lesser one, downwards."""
    assert bound_status(value, bounds) == status


def test_an_episode_begins_where_a_level_is_reached_from_below() -> None:
    """Three runs beyond warn in a row are one alert; one that goes to fail at once is one of each."""
    seen = Seen()
    changed = [seen.take(value, HIGH_IS_BAD) for value in (1.0, 2.5, 2.6, 5.0, 2.5, 1.0, 9.0)]
    assert changed == [False, True, False, True, True, True, True]
    assert (seen.counts, seen.episodes) == ({"ok": 2, "warn": 3, "fail": 2}, {"warn": 2, "fail": 2})


def test_each_schedule_is_held_against_its_own_profile() -> None:
    """What its profile does not bound, or was not measured, is nothing; the first value is told, then changes."""
    watch = BoundsWatch(small_setup(small_config()).resolved, PROFILES)
    assert [one.status for one in watch.take("fast", 1, {"avg_abs_z": 1.0, "capture": -99.0})] == ["ok"]
    assert watch.take("fast", 2, {"avg_abs_z": 1.5}) == []
    (change,) = watch.take("fast", 3, {"avg_abs_z": 4.5})
    assert change == (3, "fast", "p", "avg_abs_z", 4.5, "fail")
    assert watch.take("slow", 3, {"avg_abs_z": 9.0}) == []
    assert watch.runs == {"fast": 3, "slow": 1}


def test_the_drawdown_is_that_of_the_account() -> None:
    """A schedule's own unit account is not held against it."""
    watch = BoundsWatch(small_setup(small_config()).resolved, PROFILES)
    assert watch.take("fast", 1, {OF_ACCOUNT: 99.0}) == []
    assert [one.status for one in watch.take_account(2, 9.0)] == ["warn"]
    assert [*watch.seen] == [(ACCOUNT, "p", OF_ACCOUNT)]
