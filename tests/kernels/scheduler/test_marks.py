"""Marks by hand: equity of simple positions and pairs, the day's baselines, unit accounts, profiles that reduce."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels.columns import CLOSE
from barstep.kernels.scheduler import layout, marks
from contract import POISON
from hypothesis import given
from hypothesis import strategies as st
from schedules import DAY_US, HOUR_US, INF, NAN, Scheduler, Shape

pytestmark = pytest.mark.unit_kernel

MIDNIGHT = 3 * DAY_US


def with_pair() -> Scheduler:
    """Two instruments, of which the first has a second leg; a schedule of simple positions and one of pairs."""
    one = Scheduler(Shape(schedules=2, instruments=2, second_legs=1), lot=0.5, leverage=2.0)
    one.schedules[layout.HEDGES, 1] = 1.0
    one.close_at(10.0, 20.0, 9.0)
    return one


def mark(one: Scheduler, *closes: float) -> None:
    prices = np.full((len(closes), 5, 2), POISON)
    prices[:, CLOSE, 1] = closes
    marks.mark_account(1, prices, one.instruments, one.others, one.account)


def test_equity_is_cash_and_what_positions_are_worth() -> None:
    """Four lots of a half at 10, six short at 20, and a pair of eight: 20 − 60 + 4, binding 10 + 30 + 76."""
    one = with_pair()
    one.hold(0, 0, 4.0)
    one.hold(0, 1, -6.0)
    one.hold(1, 0, 8.0)
    equity, bound = marks.worth_of_all(layout.MARK, 1000.0, one.instruments, one.others)
    assert (equity, bound) == (964.0, 116.0)


def test_positions_against_each_other_are_worth_nothing_and_bind_both() -> None:
    """Five lots long of one schedule and five short of another: nothing is netted in what they bind."""
    one = Scheduler(Shape(schedules=2))
    one.close_at(10.0)
    one.hold(0, 0, 5.0)
    one.hold(1, 0, -5.0)
    assert marks.worth_of_all(layout.MARK, 1000.0, one.instruments, one.others) == (1000.0, 100.0)


def test_a_price_is_read_only_where_something_is_held() -> None:
    """An instrument that has not begun has no close; that does no harm while nobody holds it."""
    one = with_pair()
    one.close_at(NAN, 20.0, NAN)
    one.hold(0, 1, 2.0)
    assert marks.worth_of_all(layout.MARK, 1000.0, one.instruments, one.others) == (1020.0, 10.0)


def test_a_mark_takes_the_closes() -> None:
    """They become the last closes, 0 in place of none; the highest mark of both peaks is kept."""
    one = with_pair()
    one.hold(0, 0, 4.0)
    mark(one, 20.0, NAN, 9.0)
    assert one.instruments[layout.MARK].tolist() == pytest.approx([20.0, NAN, 9.0], nan_ok=True)
    assert one.instruments[layout.WORTH].tolist() == [20.0, 0.0, 9.0]
    slots = [layout.EQUITY, layout.PEAK, layout.GOVERNED_PEAK]
    assert one.account[slots].tolist() == [1040.0] * 3
    mark(one, 5.0, 20.0, 9.0)
    assert one.account[slots].tolist() == [1010.0, 1040.0, 1040.0]


def test_a_day_begins_with_the_last_mark_and_nothing_traded() -> None:
    """At midnight, or at the first instant after it, however many days later; inside a day nothing changes."""
    slots = [layout.DAY, layout.DAY_EQUITY, layout.TRADED]
    for now, begun in (
        (MIDNIGHT - 1, [2.0, 900.0, 77.0]), (MIDNIGHT, [3.0, 1000.0, 0.0]), (MIDNIGHT + HOUR_US, [3.0, 1000.0, 0.0]),
        (MIDNIGHT + 5 * DAY_US + 1, [8.0, 1000.0, 0.0]),
    ):  # fmt: skip
        one = Scheduler()
        one.account[slots] = [2.0, 900.0, 77.0]
        assert marks.begin_day(now, one.account) == (begun[0] > 2.0)
        assert one.account[slots].tolist() == begun


@given(seed=st.integers(0, 10**6))
def test_unit_accounts_are_marked_each_by_itself(seed: int) -> None:
    """Cash and the worth of simple positions and pairs, schedule by schedule, against the sum over its instruments."""
    rng = np.random.default_rng(seed)
    one = Scheduler(Shape(schedules=3, instruments=3, second_legs=2), lot=0.25)
    closes = rng.uniform(1.0, 9.0, 5)
    closes[2] = NAN  # not begun, and held by nobody
    one.instruments[layout.MARK] = closes
    one.instruments[layout.WORTH] = np.where(np.isnan(closes), 0.0, closes)
    one.unit_lots[:] = rng.integers(-9, 9, one.unit_lots.shape)
    one.unit_lots[:, 2] = 0.0
    one.unit_lots[1, 2:] = 0.0  # without a second leg there are no pairs
    one.schedules[layout.UNIT_CASH] = rng.uniform(900.0, 1100.0, 3)
    marks.mark_units(one.instruments, one.others, one.unit_lots, one.schedules)
    for s in range(3):
        worth = one.schedules[layout.UNIT_CASH, s]
        for i in range(2):
            worth += 0.25 * one.unit_lots[0, i, s] * closes[i]
            worth += 0.25 * one.unit_lots[1, i, s] * (closes[i] - closes[3 + i])
        assert one.schedules[layout.UNIT_EQUITY, s] == pytest.approx(worth, rel=1e-12)


def watch(one: Scheduler, equity: float, day: float = 3.0) -> list[float]:
    """Whether each profile reduces after a mark of this equity."""
    one.account[[layout.EQUITY, layout.DAY]] = [equity, day]
    marks.watch_profiles(7_000, one.profiles, one.account, one.events)
    return [float(flag) for flag in one.profiles[:, layout.IS_REDUCING]]


def test_a_profile_reduces_while_it_is_too_far_below_the_peak() -> None:
    """At the limit it does not; further below it does, until the account is back at it. Each change is an event."""
    one = Scheduler(Shape(profiles=2))
    one.profiles[:, layout.MAX_FALL] = [0.25, 0.5]
    assert watch(one, 750.0) == [0.0, 0.0]
    assert watch(one, 740.0) == [1.0, 0.0]
    assert watch(one, 700.0) == [1.0, 0.0]
    assert watch(one, 800.0) == [0.0, 0.0]
    assert one.noted == [
        (7_000, layout.PROFILE_REDUCES, 0, pytest.approx(0.26), 0.25),
        (7_000, layout.PROFILE_RECOVERS, 0, pytest.approx(0.2), 0.25),
    ]


def test_a_day_that_is_spent_stays_spent() -> None:
    """More than 10 % lost since midnight: what comes back the same day changes nothing; the next day begins anew."""
    one = Scheduler()
    one.profiles[0, layout.DAY_BUDGET] = 0.1
    assert watch(one, 900.0) == [0.0]
    assert watch(one, 890.0) == [1.0]
    assert watch(one, 1200.0) == [1.0]
    one.account[layout.DAY_EQUITY] = 1200.0
    assert watch(one, 1190.0, day=4.0) == [0.0]
    assert one.noted == [
        (7_000, layout.PROFILE_REDUCES, 0, pytest.approx(0.11), 0.1),
        (7_000, layout.PROFILE_RECOVERS, 0, pytest.approx(1.0 - 1190.0 / 1000.0), INF),
    ]


def test_the_limit_of_a_day_is_measured_from_its_baseline() -> None:
    """Far below the peak, and yet nothing was lost today."""
    one = Scheduler()
    one.profiles[0, layout.DAY_BUDGET] = 0.1
    one.account[[layout.PEAK, layout.DAY_EQUITY]] = [2000.0, 1000.0]
    assert watch(one, 950.0) == [0.0]
