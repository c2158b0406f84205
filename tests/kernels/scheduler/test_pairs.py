"""Orders of pairs by hand: two legs at the opens of both venues, what they cost, and when they are given up."""

from __future__ import annotations

import pytest
from barstep.kernels import account, venue
from barstep.kernels.fill_kinds import MARKET
from barstep.kernels.scheduler import layout, pairs
from schedules import NAN, Scheduler

pytestmark = pytest.mark.unit_kernel


def fill(lots: float, other: float = 8.0, *, cash: float = 1000.0, elsewhere: float = 0.0, age: int = 1) -> Scheduler:
    """A cell with this order, shown opens of 10 and `other` `age` bars after its decision."""
    one = Scheduler(hedged=1.0, fee=0.01, slippage=0.1, lot=0.5)
    cell = one.cells[0, 0, layout.REAL]
    cell[[account.CASH, account.FILLS, account.PENDING]] = cash, 0.0, lots
    cell[[account.ACCEPTED, account.BEFORE, account.DECIDED]] = 0.5, 0.25, 40.0
    cell[venue.ELSEWHERE] = elsewhere
    pairs.fill_pair(17, 10.0, other, 40 + age, one.rules[0], cell, one.fills)
    one.account[layout.WRITTEN] = cell[account.FILLS]
    return one


def test_both_legs_fill_each_worse_by_the_slippage() -> None:
    """Ten lots of a half: 5 bought at 11 and 5 sold at 7.2, with 1 % of 55 and of 36 for it."""
    one = fill(10.0)
    assert one.filled == [(17, 0, 10.0, 11.0, MARKET), (17, 1, -10.0, pytest.approx(7.2), MARKET)]
    assert one.fills[account.FILL_FEE, :2].tolist() == pytest.approx([0.55, 0.36])
    cell = one.cells[0, 0, layout.REAL]
    assert cell[[account.LOTS, account.PENDING]].tolist() == [10.0, 0.0]
    assert cell[account.CASH] == pytest.approx(1000.0 - 55.0 + 36.0 - 0.91)


def test_a_short_pair_is_the_mirror() -> None:
    """Sold at 9 and bought at 8.8."""
    assert fill(-10.0).filled == [(17, 0, -10.0, 9.0, MARKET), (17, 1, 10.0, pytest.approx(8.8), MARKET)]


@pytest.mark.parametrize(("other", "age"), [(NAN, 1), (0.0, 1), (8.0, 4)])
def test_an_order_is_given_up(other: float, age: int) -> None:
    """Where the other venue has no bar, or after more than three bars: the wish of before counts."""
    one = fill(10.0, other, age=age)
    cell = one.cells[0, 0, layout.REAL]
    assert one.filled == []
    assert cell[[account.LOTS, account.PENDING, account.ACCEPTED, account.ABANDONED]].tolist() == [0.0, 0.0, 0.25, 1.0]


def test_three_bars_are_not_too_old() -> None:
    """The limit itself still fills."""
    assert len(fill(10.0, age=3).filled) == 2


def test_a_pair_binds_both_legs() -> None:
    """Of 182 and 1 % of it, at 9.1 a lot: 20 lots need 183.8, which is more than the 180 there are; 19 do not."""
    assert [row[2] for row in fill(20.0, cash=180.0).filled] == [19.0, -19.0]
    assert [row[2] for row in fill(20.0, cash=100.0, elsewhere=84.0).filled] == [20.0, -20.0]


def test_a_pair_that_nothing_pays_for_is_asked_again() -> None:
    """Cut to nothing, it leaves no fill, and the wish of before counts."""
    one = fill(20.0, cash=1.0)
    assert one.filled == []
    assert one.cells[0, 0, layout.REAL, [account.LOTS, account.ACCEPTED, account.UNAFFORDABLE]].tolist() == [0, 0.25, 1]
