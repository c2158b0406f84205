"""The slow reference of the scheduler itself: worked by hand, and beside the single backtest where the two coincide."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from making import HOUR_US, QUICK, START_US, second_venue, walk_bars
from plain_scheduler import PlainRun, walk
from plain_scheduler_compare import compare
from plain_scheduler_governance import microseconds
from scheduler_making import at, config_of, hour, told_bars

FREE = {"fee_bps": 0.0, "lot": 0.01}


def quantities(run: PlainRun, schedule: str = "a") -> list[tuple[float, float, float]]:
    """(hour, quantity, price) of a schedule's fills."""
    return [
        ((bar - START_US) / HOUR_US, pytest.approx(quantity), pytest.approx(price))
        for bar, name, _, quantity, price, _, _ in run.fills
        if name == schedule
    ]  # fmt: skip


def told(run: PlainRun, schedule: str = "a") -> list[tuple[float, float, str, str]]:
    """(hour, wish, status, reason) of a schedule's decisions."""
    return [
        ((due - START_US) / HOUR_US, side * exposure, status, reason)
        for due, name, _, side, exposure, _, status, reason, _ in run.decisions
        if name == schedule
    ]


def shares(run: PlainRun) -> list[tuple[float, dict[str, float]]]:
    return [((time - START_US) / HOUR_US, weights) for time, weights in run.weights]


def known(run: PlainRun, time: float) -> dict[str, Any]:
    """What the refresh of that hour was told of schedule a."""
    frame = dict(run.telemetry)[hour(time)]
    return frame.filter(pl.col("schedule") == "a").to_dicts()[0]


def test_orders_fill_at_the_open_that_the_decision_falls_on() -> None:
    """1000 at 100 are 10 units for a wish of 1, 5 for 0.5; the wish of hour 0 is known and filled at hour 1."""
    bars = told_bars([100.0, 110.0, 110.0, 120.0], [1.0, 1.0, 0.5, 0.5])
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, **FREE)
    assert told(run) == [(1, 1.0, "accepted", ""), (3, 0.5, "accepted", "")]
    assert quantities(run) == [(1, 10.0, 100.0), (3, -5.0, 110.0)]  # 0.5 × 1100 / 110 = 5
    assert run.equity == [(hour(1), 1000.0), (hour(2), 1100.0), (hour(3), 1100.0), (hour(4), 1150.0)]


def test_a_refresh_moves_a_target_and_an_expiry_between_due_times_is_one() -> None:
    """The second schedule is suspended from 3:00 to 4:30: its half goes to the first one, and is taken back at 5:00."""
    bars = told_bars([100.0] * 7, [1.0] * 7)
    night = [{"at": at(3), "command": "suspend_schedule", "schedule": "b", "until": at(4.5)}]
    run = walk(config_of({"a": {}, "b": {}}), "s", "e", {"X": bars}, commands=night, **FREE)
    half, whole = {"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 0.0}
    assert [row for row in shares(run) if row[0] in (2, 3, 4, 4.5)] == [(2, half), (3, whole), (4, whole), (4.5, half)]
    # Of 1000, b keeps its 5 units, so cash pays for 5 - 5 = 0 more until b has sold: the order is cut to nothing.
    assert quantities(run, "b") == [(1, 5.0, 100.0)]
    assert quantities(run) == [(1, 5.0, 100.0)]
    assert [(time, kind) for time, name, _, _, kind in run.orders if name == "a"] == [
        (hour(1), "signal"), (hour(3), "move"), (hour(4), "move"),
    ]  # fmt: skip


def test_a_moved_target_is_sized_by_the_equity_of_its_run() -> None:
    """Wishes of 0.5 on halves: 2.5 units; alone 0.5 × 1025 / 110 = 4.65 units, so 2.15 more; then back to 2.32."""
    bars = told_bars([100.0, 110.0, 110.0, 110.0, 110.0, 110.0], [0.5] * 6)
    night = [{"at": at(2), "command": "suspend_tag", "tag": "slow", "duration_seconds": 9000.0}]
    strategies = {"st": {"engine": "told", "tags": ["slow"]}}
    config = config_of({"a": {}, "b": {"strategy": "st"}}, strategies=strategies)
    run = walk(config, "s", "e", {"X": bars}, commands=night, **FREE)
    assert run.equity[1][1] == pytest.approx(1000 + 2 * 2.5 * 10)  # the order of b fills at 1:00, too
    # 0.5 × 1050 / 110 = 4.7727 → 4.77 lots of 0.01; half of it from 4:30 on: 0.25 × 1050 / 110 = 2.386 → 2.38
    assert quantities(run) == [(1, 2.5, 100.0), (2, 2.27, 110.0), (5, 2.38 - 4.77, 110.0)]
    assert quantities(run, "b") == [(1, 2.5, 100.0)]  # 2.5 at a target that is what it was: no order


def test_the_surest_signals_go_first_and_a_flip_that_is_cut_goes_to_zero() -> None:
    """One signal a run: Y is surer than X; later X wants to flip and is cut, Y goes first again."""
    x = told_bars([100.0] * 6, [0.25, 0.25, 0.25, -0.25, -0.25, -0.25], 0.25)
    y = told_bars([100.0] * 6, [0.25, 0.25, 0.25, 0.5, 0.5, 0.5], 0.75)
    run = walk(config_of({"a": {"max_signals": 1}}, ("X", "Y")), "s", "e", {"X": x, "Y": y}, **FREE)
    rows = [(row[0], row[2], row[3] * row[4], row[6], row[7]) for row in run.decisions]
    assert (
        rows
        == [
            (hour(1), "X", 0.25, "refused", "limit"),
            (hour(1), "Y", 0.25, "accepted", ""),
            (hour(2), "X", 0.25, "accepted", ""),
            (hour(4), "X", 0.0, "accepted", "limit"),
            (hour(4), "Y", 0.5, "accepted", ""),
            (hour(5), "X", -0.25, "accepted", ""),
            (hour(6), "X", -0.25, "refused", "limit"),
        ][: len(rows)]
    )
    assert [(f[2], f[3]) for f in run.fills] == [
        ("Y", pytest.approx(2.5)), ("X", pytest.approx(2.5)), ("X", pytest.approx(-2.5)), ("Y", pytest.approx(2.5)),
        ("X", pytest.approx(-2.5)),
    ]  # fmt: skip


def test_an_override_holds_until_its_end_and_lowering_is_not_counted() -> None:
    """No signals at all until 3:00, and not at 3:00 any more; the wish of 0 at 5:00 needs no room."""
    bars = told_bars([100.0] * 6, [0.5, 0.5, 0.5, 0.5, 0.0, 0.0])
    night: list[dict[str, Any]] = [
        {"at": at(0), "command": "set_signal_limit", "strategy": "told", "profile": "p", "limit": 0, "until": at(3)},
        {"at": at(4), "command": "set_signal_limit", "strategy": "told", "profile": "p", "limit": 0},
    ]
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, commands=night, **FREE)
    refused = [(time, 0.5, "refused", "limit") for time in (1, 2)]
    assert told(run) == [*refused, (3, 0.5, "accepted", ""), (5, 0.0, "accepted", "")]
    free = walk(config_of({"a": {}}), "s", "e", {"X": bars}, commands=night, without={"limits"}, **FREE)
    assert told(free)[0] == (1, 0.5, "accepted", "")


def test_a_suspension_with_flatten_closes_at_the_next_open_and_compares_afresh() -> None:
    """Suspended at 2:30: closed at 3:00, refused at 3:00 and 4:00, accepted again at 5:00."""
    bars = told_bars([100.0, 110.0, 120.0, 120.0, 120.0, 120.0], [1.0] * 6)
    night: list[dict[str, Any]] = [
        {"at": at(2.5), "command": "suspend_schedule", "schedule": "a", "flatten": True},
        {"at": at(5), "command": "resume_schedule", "schedule": "a"},
    ]
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, commands=night, **FREE)
    refused = [(time, 1.0, "refused", "suspended") for time in (3, 4)]
    assert told(run) == [(1, 1.0, "accepted", ""), *refused, (5, 1.0, "accepted", "")]
    assert quantities(run) == [(1, 10.0, 100.0), (3, -10.0, 120.0), (5, 10.0, 120.0)]
    kept = walk(config_of({"a": {}}), "s", "e", {"X": bars}, commands=night, without={"suspensions"}, **FREE)
    assert quantities(kept) == [(1, 10.0, 100.0)]


def test_a_disabled_strategy_keeps_what_it_holds() -> None:
    """Its signal to leave is refused; enabled again it is asked afresh."""
    bars = told_bars([100.0] * 5, [1.0, 1.0, 0.0, 0.0, 0.0])
    night: list[dict[str, Any]] = [
        {"at": at(2), "command": "disable_strategy", "strategy": "told"},
        {"at": at(4), "command": "enable_strategy", "strategy": "told"},
    ]
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, commands=night, **FREE)
    assert told(run)[1:] == [(3, 0.0, "refused", "disabled"), (4, 0.0, "accepted", "")]
    assert quantities(run) == [(1, 10.0, 100.0), (4, -10.0, 100.0)]


def test_the_governor_scales_to_its_limits() -> None:
    """Wanted 1 of at most 0.5: half. At 80 equity is 1000 - 5 × 20 = 900, a fall of 10 %: limit 5 gives a half too."""
    bars = told_bars([100.0, 80.0, 80.0, 80.0], [1.0] * 4)
    gross = config_of({"a": {}}, portfolio_governor={"max_gross_exposure": 0.5})
    run = walk(gross, "s", "e", {"X": bars}, **FREE)
    # At 0:00 nothing is accepted yet; from 1:00 on the wish of the run itself counts.
    assert [scale for _, scale in run.governor] == [1.0, 0.5, 0.5, 0.5, 0.5]
    assert quantities(run) == [(1, 5.0, 100.0)]
    fall = config_of({"a": {}}, portfolio_governor={"max_drawdown_pct": 5.0})
    run = walk(fall, "s", "e", {"X": bars}, **FREE)
    # 10 units; at 2:00 equity 800, a fall of 20 %: 5 / 20 of 800 / 80 = 2.5 units. Then 2.5 × 0 more: still 20 %.
    assert quantities(run) == [(1, 10.0, 100.0), (2, -7.5, 80.0)]
    assert [scale for _, scale in run.governor] == [1.0, 1.0, 0.25, 0.25, 0.25]


def test_a_schedule_that_may_not_run_counts_with_what_it_holds() -> None:
    """b holds 2.5 of 10 units and is suspended; a may then want 0.5 - 0.25 = 0.25 of its 0.5: the scale is a half."""
    bars = told_bars([100.0] * 4, [0.5] * 4)
    night = [{"at": at(2), "command": "suspend_schedule", "schedule": "b"}]
    config = config_of({"a": {}, "b": {}}, portfolio_governor={"max_gross_exposure": 0.5})
    run = walk(config, "s", "e", {"X": bars}, commands=night, **FREE)
    assert [scale for _, scale in run.governor] == [1.0, 1.0, 0.5, 0.5, 0.5]
    assert quantities(run) == [(1, 2.5, 100.0)]  # 0.5 × 1.0 × 0.5 is what 0.5 × 0.5 was


def test_a_halt_lasts_until_an_operator_resumes_and_the_peak_starts_anew() -> None:
    """A fall of 20 % halts at 2:00: the wish of 0 is refused until 4:00, and then not again."""
    bars = told_bars([100.0, 80.0, 80.0, 80.0, 80.0], [1.0, 0.0, 0.0, 0.0, 0.0])
    config = config_of({"a": {}}, portfolio_governor={"max_drawdown_pct": 5.0, "on_breach": "halt"})
    night = [{"at": at(4), "command": "resume"}]
    run = walk(config, "s", "e", {"X": bars}, commands=night, **FREE)
    halted = [(time, 0.0, "refused", "halted") for time in (2, 3)]
    assert told(run) == [(1, 1.0, "accepted", ""), *halted, (4, 0.0, "accepted", "")]


def test_a_broken_limit_allows_each_run_so_many_signals() -> None:
    """After a fall of 10 % of 5 units, one of two raising signals passes; lowering ones are not counted."""
    x = told_bars([100.0, 80.0, 80.0, 80.0], [0.5, 0.6, 0.0, 0.0], 0.25)
    y = told_bars([100.0] * 4, [0.0, 0.25, 0.25, 0.25], 0.75)
    governor = {"max_drawdown_pct": 5.0, "on_breach": "limit", "signal_limit": 1}
    run = walk(config_of({"a": {}}, ("X", "Y"), portfolio_governor=governor), "s", "e", {"X": x, "Y": y}, **FREE)
    rows = [((r[0] - START_US) / HOUR_US, r[2], r[6], r[7]) for r in run.decisions]
    assert rows == [
        (1, "X", "accepted", ""), (2, "X", "refused", "governor"), (2, "Y", "accepted", ""), (3, "X", "accepted", ""),
    ]  # fmt: skip


def test_turnover_is_used_up_until_midnight() -> None:
    """0.5 of 1000 is traded at 22:00, at most 0.4 a day: the wish of 0.75 waits from 23:00 on; midnight opens a day."""
    wishes = [0.0] * 21 + [0.5, 0.75, 0.75, 0.75]
    bars = told_bars([100.0] * 25, wishes)
    config = config_of({"a": {}}, portfolio_governor={"max_turnover_per_day": 0.4})
    run = walk(config, "s", "e", {"X": bars}, **FREE)
    assert told(run) == [(22, 0.5, "accepted", ""), (23, 0.75, "refused", "governor"), (24, 0.75, "accepted", "")][:3]
    assert quantities(run) == [(22, 5.0, 100.0), (24, 2.5, 100.0)]


def test_the_profile_cuts_to_the_room_and_refuses_where_there_is_none() -> None:
    """At most 40 %: a has 4 of its 5 units, b none at all; leverage 0.5 leaves 5 units over two instruments."""
    bars = told_bars([100.0] * 4, [1.0] * 4)
    both = {"a": {}, "b": {}}
    run = walk(config_of(both, profiles={"p": {"max_position_pct": 40.0}}), "s", "e", {"X": bars}, **FREE)
    assert quantities(run) == [(1, 4.0, 100.0)]
    assert told(run) == [(1, 1.0, "accepted", "")]  # a cut is no refusal, and is not asked again
    assert told(run, "b") == [(time, 1.0, "refused", "risk") for time in (1, 2, 3, 4)]
    geared = config_of({"a": {}}, ("X", "Y"), profiles={"p": {"max_leverage": 0.75}})
    run = walk(geared, "s", "e", {"X": bars, "Y": bars}, **FREE)
    assert [(fill[2], fill[3]) for fill in run.fills] == [("X", pytest.approx(5.0)), ("Y", pytest.approx(2.5))]


def test_a_flip_has_the_room_of_what_it_leaves() -> None:
    """a holds all 4 units that the cap allows: b has no room, and a may turn to 4 on the other side."""
    bars = told_bars([100.0] * 4, [0.8, 0.8, -0.8, -0.8])
    schedules = {"b": {"cadence_seconds": 10_800.0}, "a": {}}  # b is first, but due at 3:00 alone
    config = config_of(schedules, profiles={"p": {"max_position_pct": 40.0}})
    run = walk(config, "s", "e", {"X": bars}, **FREE)
    assert told(run, "b") == [(3, -0.8, "refused", "risk")]
    assert quantities(run) == [(1, 4.0, 100.0), (3, -8.0, 100.0)]


def test_a_flip_without_room_on_the_other_side_closes() -> None:
    """2 Y at 300 are 600 of an equity of 1400, and the cap is 0.4 × 1400 = 560: X may only be left."""
    x = told_bars([100.0] * 4, [0.2, -0.2, -0.2, -0.2])
    y = told_bars([100.0, 300.0, 300.0, 300.0], [0.2] * 4)
    config = config_of({"a": {}}, ("X", "Y"), profiles={"p": {"max_leverage": 0.4}})
    run = walk(config, "s", "e", {"X": x, "Y": y}, **FREE)
    assert told(run)[2:] == [(2, 0.0, "accepted", "risk"), (3, -0.2, "refused", "risk"), (4, -0.2, "refused", "risk")]
    assert [(fill[2], fill[3]) for fill in run.fills] == [
        ("X", pytest.approx(2.0)), ("Y", pytest.approx(2.0)), ("X", pytest.approx(-2.0)),
    ]  # fmt: skip


def test_a_profile_that_lost_its_days_budget_lets_nothing_grow_until_midnight() -> None:
    """2 % of 1000: 5 units that fall by 6 lost 30 at 23:00; the flip closes, and is asked again at midnight."""
    closes = [100.0] * 22 + [94.0, 94.0, 94.0]
    bars = told_bars(closes, [0.0] * 20 + [0.5, 0.5, -0.5, -0.5, -0.5])
    profiles = {"p": {"daily_risk_budget_pct": 2.0}}
    run = walk(config_of({"a": {}}, profiles=profiles), "s", "e", {"X": bars}, **FREE)
    assert told(run) == [(21, 0.5, "accepted", ""), (23, 0.0, "accepted", "risk"), (24, -0.5, "accepted", "")]


def test_wishes_that_sum_to_more_than_one_are_divided() -> None:
    """X alone has all; once Y wants as much, both have half, X by a move of the same run."""
    x, y = told_bars([100.0] * 4, [1.0] * 4), told_bars([100.0] * 4, [0.0, 0.0, 1.0, 1.0])
    run = walk(config_of({"a": {}}, ("X", "Y")), "s", "e", {"X": x, "Y": y}, **FREE)
    assert [(fill[2], fill[3]) for fill in run.fills] == [
        ("X", pytest.approx(10.0)), ("X", pytest.approx(-5.0)), ("Y", pytest.approx(5.0)),
    ]  # fmt: skip


def test_a_stop_is_not_undone_until_the_wish_leaves_its_side() -> None:
    """Stopped at 95 in the bar of 2:00; the wish of 1 stands until 4:00, is 0 at 5:00 and 1 again at 6:00."""
    closes = [100.0, 100.0, 94.0, 94.0, 94.0, 94.0, 94.0]
    bars = told_bars(closes, [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, stop_loss_pct=5.0, **FREE)
    assert quantities(run) == [(1, 10.0, 100.0), (2, -10.0, 95.0), (6, 10.1, 94.0)]  # 950 / 94 = 10.106
    assert [row[:2] for row in told(run)] == [(1, 1.0), (5, 0.0), (6, 1.0)]


def test_an_order_too_old_is_asked_again() -> None:
    """Decided at 1:00; the next bar opens at 4:00, the fourth after the last: given up, and asked at 5:00."""
    bars = told_bars([100.0] * 4, [1.0] * 4, hours=[0, 4, 5, 6])
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, **FREE)
    assert told(run) == [(1, 1.0, "accepted", ""), (5, 1.0, "accepted", "")]
    assert quantities(run) == [(5, 10.0, 100.0)]
    near = told_bars([100.0] * 4, [1.0] * 4, hours=[0, 3, 4, 5])
    assert quantities(walk(config_of({"a": {}}), "s", "e", {"X": near}, **FREE)) == [(3, 10.0, 100.0)]


def test_warmup_and_drift_refuse() -> None:
    bars = told_bars([100.0] * 3, [1.0] * 3)
    run = walk(config_of({"a": {"warmup_bars": 2, "max_drift_seconds": 30.0}}), "s", "e", {"X": bars}, **FREE)
    assert told(run) == [(1, 1.0, "refused", "warmup"), (2, 1.0, "accepted", "")]
    assert shares(run)[:3] == [(0, {"a": 0.0}), (1, {"a": 0.0}), (2, {"a": 1.0})]
    late = walk(config_of({"a": {}}), "s", "e", {"X": bars}, drift_seconds=31.0, **FREE)
    assert told(late) == [(time, 1.0, "refused", "drift") for time in (1, 2, 3)]
    assert not late.fills


def test_telemetry_is_that_of_a_schedule_standing_alone() -> None:
    """The unit account has 10 units whatever the weight: 1000, 1000, 1100, 990. Returns 0, 10 % and -10 %."""
    bars = told_bars([100.0, 110.0, 99.0, 110.0, 110.0], [1.0] * 5, 0.5)
    profiles = {"p": {"max_drawdown_pct": 20.0}}
    config = config_of(
        {"a": {}, "b": {}}, profiles=profiles, capital_policy={"name": "fixed_weight", "weights": {"b": 1}}
    )
    run = walk(config, "s", "e", {"X": bars}, **FREE)
    row = known(run, 4)  # the runs up to 3:00
    assert row["signals"] == 1.0 and row["last_signals"] == 0.0
    assert row["avg_confidence"] == pytest.approx(0.5)  # the run at 0:00 saw no bar and counts with nothing
    returns = [0.0, 0.1, -0.1]
    assert row["realized_volatility"] == pytest.approx(np.std(returns, ddof=1) * np.sqrt(365 * 24))
    assert row["max_drawdown_pct"] == pytest.approx(10.0) and row["drawdown_pressure"] == pytest.approx(0.5)
    later = known(run, 5)  # at 4:00 the account is at its peak again
    assert later["max_drawdown_pct"] == pytest.approx(10.0) and later["drawdown_pressure"] == pytest.approx(0.0)


def test_a_silent_run_counts_with_a_confidence_of_zero() -> None:
    """The run at 1:00 is 0.5 sure, the one at 2:00 is suspended: 0.25 on average, and no equity of its own."""
    bars = told_bars([100.0] * 4, [1.0] * 4, 0.5)
    night = [{"at": at(2), "command": "suspend_schedule", "schedule": "a"}]
    row = known(walk(config_of({"a": {}, "b": {}}), "s", "e", {"X": bars}, commands=night, **FREE), 3)
    assert row["avg_confidence"] == pytest.approx(0.25) and row["last_confidence"] == 0.0
    assert row["signals"] == 1.0 and row["avg_signals"] == pytest.approx(1 / 3)
    assert row["realized_volatility"] is None  # one return, from 0:00 to 1:00


@pytest.mark.parametrize(
    ("command", "times"),
    [
        ({"command": "rebalance_capital"}, [(0, 1.0), (1.5, 1.0), (6, 1.0)]),
        ({"command": "set_capital_policy"}, [(0, 1.0), (1.5, 0.0), (6, 0.0)]),
        ({"command": "set_capital_policy", "rebalance": False}, [(0, 1.0), (4, 0.0)]),
        ({"command": "set_capital_policy", "apply_policy_interval": True}, [(0, 1.0), (1.5, 0.0), (4, 0.0), (6, 0.0)]),
        ({"command": "replace_capital_policy"}, [(0, 1.0), (4, 0.0)]),
        ({"command": "set_allocation_rebalance_seconds", "seconds": 10_800.0}, [(0, 1.0), (3, 1.0), (6, 1.0)]),
    ],
)
def test_when_weights_are_computed_anew(command: dict[str, Any], times: list[tuple[float, float]]) -> None:
    """Every 4 hours where something is due, counted from the last time; a command comes at 1:30."""
    first = {"name": "fixed_weight", "weights": {"a": 1}}
    second = {"name": "fixed_weight", "weights": {"b": 1}, "rebalance_seconds": 7200.0}
    config = config_of({"a": {}, "b": {}}, capital_policy=first, allocation_rebalance_seconds=14_400.0)
    asked = [{"at": at(1.5), "policy": second, **command}]
    run = walk(config, "s", "e", {"X": told_bars([100.0] * 6, [0.0] * 6)}, commands=asked, **FREE)
    assert [(time, weights["a"]) for time, weights in shares(run)] == times


def test_a_stopped_target_is_not_moved() -> None:
    """Both are stopped in the bar of 1:00; that b goes at 3:00 doubles the share of a, and changes nothing."""
    bars = told_bars([100.0, 90.0, 90.0, 90.0, 90.0], [1.0] * 5)
    night = [{"at": at(3), "command": "suspend_schedule", "schedule": "b"}]
    run = walk(config_of({"a": {}, "b": {}}), "s", "e", {"X": bars}, commands=night, stop_loss_pct=5.0, **FREE)
    assert quantities(run) == [(1, 5.0, 100.0), (1, -5.0, 95.0)]


@pytest.mark.parametrize(("threshold", "moves"), [(0.2, 1), (0.3, 0)])
def test_a_target_is_moved_past_the_threshold(threshold: float, moves: int) -> None:
    """A wish of 0.5 from a weight of 0.5 to one of 1 moves by 0.25 of the schedule's capital."""
    bars = told_bars([100.0] * 4, [0.5] * 4)
    night = [{"at": at(2), "command": "suspend_schedule", "schedule": "b"}]
    config = config_of({"a": {}, "b": {}})
    run = walk(config, "s", "e", {"X": bars}, commands=night, rebalance_threshold=threshold, **FREE)
    assert len(quantities(run)) == 1 + moves


def test_a_reducing_loop_passes_what_lowers() -> None:
    """0.5 → 0.25 passes, 0.75 does not, and the flip is a wish of 0."""
    bars = told_bars([100.0] * 5, [0.5, 0.25, 0.75, -0.5, -0.5])
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, commands=[{"at": at(2), "command": "reduce"}], **FREE)
    assert told(run)[1:] == [
        (2, 0.25, "accepted", ""), (3, 0.75, "refused", "halted"), (4, 0.0, "accepted", "halted"),
        (5, -0.5, "refused", "halted"),
    ]  # fmt: skip
    assert quantities(run) == [(1, 5.0, 100.0), (2, -2.5, 100.0), (4, -2.5, 100.0)]


def test_a_lowering_wish_whose_order_would_raise_waits_while_nothing_may_grow() -> None:
    """At 3:00 the wish goes from 0.5 to 0.4 and the weight from 0.5 to 1: 4 units are more than 2.5, at 4:00."""
    bars = told_bars([100.0] * 5, [0.5, 0.5, 0.4, 0.4, 0.4])
    night: list[dict[str, Any]] = [
        {"at": at(3), "command": "suspend_schedule", "schedule": "b"},
        {"at": at(3), "command": "reduce"},
        {"at": at(4), "command": "resume"},
    ]
    run = walk(config_of({"a": {}, "b": {}}), "s", "e", {"X": bars}, commands=night, **FREE)
    assert told(run)[1:] == [(3, 0.4, "accepted", "")]
    assert quantities(run) == [(1, 2.5, 100.0), (4, 1.5, 100.0)]


def test_a_pair_binds_both_legs() -> None:
    """0.95 of 1000 over 190 are 5 units. Where the legs meet, they are worth 0 and bind 1000 of the 950 there are."""
    primary = told_bars([100.0] * 4, [1.0] * 4)
    secondary = told_bars([90.0, 90.0, 100.0, 100.0], [0.0] * 4)
    alone = told_bars([100.0] * 4, [0.0, 0.0, 1.0, 1.0])
    profiles = {"p": {"instrument_buckets": {"b": ["X"]}}, "q": {"instrument_buckets": {"b": ["Y"]}}}
    config = config_of(
        {"a": {"strategy": "told_pair"}, "b": {"risk_profile": "q"}}, ("X", "Y"), profiles,
        capital_policy={"name": "fixed_weight", "weights": {"a": 0.95, "b": 0.05}},
    )  # fmt: skip
    run = walk(config, "s", "e", {"X": (primary, secondary), "Y": alone}, **FREE)
    assert quantities(run) == [(1, 5.0, 100.0), (1, -5.0, 90.0)]
    assert [worth for _, worth in run.equity] == pytest.approx([1000.0, 1000.0, 950.0, 950.0])
    assert told(run, "b") == [(3, 1.0, "accepted", ""), (4, 1.0, "accepted", "")]  # cut to nothing, and asked again


def test_ceilings_cut_in_proportion_and_leave_cash() -> None:
    """Of the profile's whole weight the strategy may have 0.4; its two schedules have two thirds: 0.2 each."""
    profiles = {"p": {"strategy_allocations": {"st": 0.4}}}
    schedules = {"a": {"strategy": "st"}, "b": {"strategy": "st"}, "c": {}}
    config = config_of(schedules, profiles=profiles, strategies={"st": {"engine": "told"}})
    run = walk(config, "s", "e", {"X": told_bars([100.0] * 2, [1.0] * 2)}, **FREE)
    assert run.weights[-1][1] == pytest.approx({"a": 0.2, "b": 0.2, "c": 1 / 3})


def test_longer_bars_are_joined_and_fill_at_the_shortest() -> None:
    """A wish of a two-hour bar is that of the joined volumes; it is due each hour, and seen at its close."""
    first = told_bars([100.0] * 6, [-5.0, -4.0, -5.0, -4.5, -5.0, -5.0], 0.0)  # 10 × (500 + 600) = wish 1 joined
    run = walk(config_of({"a": {"interval": 7200.0}}), "s", "e", {"X": first}, **FREE)
    assert told(run) == [(2, 1.0, "accepted", ""), (4, 0.5, "accepted", ""), (6, 0.0, "accepted", "")]
    assert quantities(run) == [(2, 10.0, 100.0), (4, -5.0, 100.0)]


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        ("mean_reversion", {"stop_loss_pct": 2.0, "take_profit_pct": 2.0, "slippage_bps": 3.0}),
        ("daily_trend_momentum", {"trailing_stop_pct": 1.5, "borrow_pct": 5.0}),
        ("grid_trading", {"max_volume_share": 0.002, "impact_bps": 20.0}),
        ("volatility_target", {"leverage": 3.0, "maintenance_margin_pct": 1.0, "min_notional": 500.0}),
        ("sma_crossover", {"limit_offset_bps": 40.0, "maker_fee_bps": 2.0, "tick": 0.01}),
        ("cross_exchange_arbitrage", {"slippage_bps": 2.0}),
    ],
)
def test_one_schedule_of_weight_one_is_the_single_backtest(engine: str, options: dict[str, float]) -> None:
    """Same fills and equity as `bs.backtest`, over gaps too."""
    bars = walk_bars(300, 5, gaps=0.1)
    other = second_venue(bars)
    strategies = {"st": {"engine": engine, "parameters": QUICK[engine]}}
    config = config_of({"a": {"strategy": "st"}}, strategies=strategies, engine_files=(), capital=1e5)
    run = walk(config, "s", "e", {"X": (bars, other)}, **options)
    pair = {"secondary": other} if engine == "cross_exchange_arbitrage" else {}
    alone = bs.backtest(bars, engine, **pair, **QUICK[engine], **options)
    fills = alone.fills
    assert [fill[0] for fill in run.fills] == fills["time"].dt.epoch("us").to_list()
    assert [fill[6] for fill in run.fills] == fills["kind"].to_list()
    np.testing.assert_allclose([fill[3] for fill in run.fills], fills["quantity"], rtol=1e-9, atol=3e-8)
    np.testing.assert_allclose([worth for _, worth in run.equity], alone.equity_values, rtol=1e-9)
    assert len(fills) > 10


def test_schedules_of_fixed_weights_are_a_portfolio() -> None:
    """Three strategies with 0.5, 0.3 and 0.2, each in one instrument: the fills of `bs.portfolio`."""
    engines, weights = ["mean_reversion", "daily_trend_momentum", "grid_trading"], [0.5, 0.3, 0.2]
    bars = {name: replace(walk_bars(300, seed, gaps=0.1), symbol=name) for name, seed in (("X", 1), ("Y", 51))}
    only = {name: {"instrument_buckets": {"all": [name]}} for name in bars}
    profiles = {"p": {}, **only}
    schedules = {name: {"strategy": name, "risk_profile": "XYX"[k]} for k, name in enumerate(engines)}
    strategies = {name: {"engine": name, "parameters": QUICK[name]} for name in engines}
    config = config_of(
        schedules, ("X", "Y"), profiles, strategies, engine_files=(), capital=1e5,
        capital_policy={"name": "fixed_weight", "weights": dict(zip(engines, weights, strict=True))},
    )  # fmt: skip
    run = walk(config, "s", "e", bars)
    plan = [
        bs.Allocation(strategy=name, weight=weight, parameters=QUICK[name], instruments=["XYX"[k]])
        for k, (name, weight) in enumerate(zip(engines, weights, strict=True))
    ]
    fills = bs.portfolio(list(bars.values()), plan).fills
    theirs = sorted(zip(fills["time"].dt.epoch("us"), fills["schedule"], fills["quantity"], strict=True))
    ours = sorted((fill[0], fill[1], fill[3]) for fill in run.fills)
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    np.testing.assert_allclose([row[2] for row in ours], [row[2] for row in theirs], rtol=1e-9, atol=3e-8)
    assert len(ours) > 50


class Copied:
    """A result that says what a walk says, as frames."""

    def __init__(self, run: PlainRun) -> None:
        names = ["schedule", "instrument", "side", "exposure", "confidence", "status", "reason", "weight"]
        self.decisions = _frame(run.decisions, ["due", *names])
        self.capital_weights = _frame(
            [(time, *each.values()) for time, each in run.weights], ["time", *run.weights[0][1]]
        )
        self.fills = _frame(run.fills, ["timestamp", "schedule", "instrument", "quantity", "price", "fee", "kind"])
        self.equity = _frame([(time - HOUR_US, worth) for time, worth in run.equity], ["timestamp", "equity"])


def _frame(rows: list[Any], names: list[str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    return frame.with_columns(pl.col(names[0]).cast(pl.Datetime("us", "UTC")))


@pytest.mark.parametrize(
    ("table", "column", "factor"),
    [
        ("decisions", "exposure", 1.0 + 1e-12), ("decisions", "weight", 1.0 + 1e-8),
        ("capital_weights", "a", 1.0 + 1e-8), ("fills", "price", 1.0 + 1e-8), ("equity", "equity", 1.0 + 1e-8),
    ],
)  # fmt: skip
def test_compare_finds_what_differs_and_nothing_else(table: str, column: str, factor: float) -> None:
    bars = told_bars([100.0, 110.0, 110.0, 120.0], [1.0, 1.0, 0.5, 0.5])
    run = walk(config_of({"a": {}}), "s", "e", {"X": bars}, **FREE)
    copied = Copied(run)
    assert compare(run, copied) == []
    setattr(copied, table, getattr(copied, table).with_columns(pl.col(column) * factor))
    assert len([line for line in compare(run, copied) if not line.startswith("  ")]) == 1
    setattr(copied, table, getattr(copied, table)[:-1])
    assert any("rows, the result has" in line for line in compare(run, copied))


def test_core_multi_runs_through_a_month_of_the_embedded_data() -> None:
    """Several reasons are met, most schedules trade, and the money adds up."""
    config = bs.load_core_config(PACKAGED)
    bars = {
        f"{symbol}USDT": (
            bs.load(EMBEDDED_FOLDER / f"binance_{symbol}USDT_1h.parquet"),
            bs.load(EMBEDDED_FOLDER / f"kraken_{symbol}USDT_1h.parquet"),
        )
        for symbol in ("BTC", "ETH", "SOL")
    }
    start, end = (microseconds(datetime(2023, 1, day, tzinfo=UTC)) for day in (1, 31))
    noon = datetime(2023, 1, 20, 12, tzinfo=UTC)
    night = [{"at": noon, "command": "suspend_tag", "tag": "core", "duration_seconds": 259_200.0}]
    run = walk(config, "core_multi", "demo", bars, start_us=start, end_us=end, commands=night)
    reasons = Counter(row[7] for row in run.decisions)
    assert {"", "warmup", "limit", "suspended"} <= reasons.keys()
    assert len({row[1] for row in run.fills}) > 4
    assert len(run.equity) == 30 * 24
    spent = sum(quantity * price + fee for _, _, _, quantity, price, fee, _ in run.fills)
    held = sum(_last_worth(run, name, given, end) for name, given in bars.items())
    assert run.equity[-1][1] == pytest.approx(100_000.0 - spent + held, rel=1e-12)


def _last_worth(run: PlainRun, name: str, given: tuple[bs.Bars, bs.Bars], end: int) -> float:
    """What all schedules hold of an instrument at the end, on both venues."""
    closes = [float(bars.close[int(np.searchsorted(bars.ts_us, end)) - 1]) for bars in given]
    legs = [sum(fill[3] for fill in run.fills if fill[2] == leg) for leg in (name, f"{given[1].venue}:{name}")]
    return legs[0] * closes[0] + legs[1] * closes[1]
