"""Many positions over one cash account, over raw arrays: cases by hand, cuts, a table that grows, and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from barstep.kernels import account, portfolio, venue
from barstep.kernels.columns import CLOSE, HIGH, LOW, OPEN, VOLUME
from barstep.kernels.fill_kinds import BORROW_COST, LIMIT, LIQUIDATION, MARKET, STOP
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from numpy.typing import NDArray
from venues import Bar, columns_of, rules_of

pytestmark = pytest.mark.unit_kernel

NAN = float("nan")
GAP = (NAN,) * 5


@dataclass
class Desk:
    """Bars of instruments, wishes by schedule and instrument, rules of each position; 1000 to begin with."""

    bars: Sequence[Sequence[Bar]]
    wishes: NDArray[np.float64]
    rules: Floats
    rebalances: bool = False
    at_fill: bool = False
    orders: bool = False
    limits: Floats | None = None
    first_number: int = 7
    marks: Floats = field(init=False)
    account: Floats = field(init=False)
    cells: Floats = field(init=False)
    fills: Floats = field(init=False)

    def run(self, cuts: Sequence[int] = (), capacity: int = 100) -> Desk:
        """Trade all bars, called anew at each cut; a full table is made longer and the call taken up again."""
        instruments, n = len(self.bars), len(self.bars[0])
        prices = np.full((instruments, 6, n + 1), POISON)
        for i, rows in enumerate(self.bars):
            prices[i, :, 1:] = columns_of([0.0 if row == GAP else row for row in rows])
            for k, row in enumerate(rows, 1):
                if row == GAP:
                    prices[i, :, k] = NAN
                    prices[i, CLOSE, k] = prices[i, CLOSE, k - 1] if k > 1 else NAN
        said = np.full((*self.rules.shape[:2], n + 1), POISON)
        said[:, :, 1:] = self.wishes
        prices_of_orders = np.full((instruments, n + 1), NAN if self.orders else POISON)
        if self.limits is not None:
            prices_of_orders[:, 1:] = self.limits
        places = np.maximum(np.arange(-1, n), 0)
        watched = np.full(self.rules.shape[:2], -1)
        portfolio.fill_watched(self.rules, watched)
        self.marks, seen = np.full(instruments, NAN), np.zeros(instruments, dtype=np.int64)
        self.account = np.zeros(portfolio.PORTFOLIO_ACCOUNT)
        self.account[account.CASH] = 1000.0
        self.account[portfolio.REBALANCES], self.account[portfolio.SIZED_AT_FILL] = self.rebalances, self.at_fill
        self.account[portfolio.ORDERS] = self.orders
        self.cells = np.zeros((*self.rules.shape[:2], portfolio.POSITION_CARRY))
        table, queue = np.full((account.FILL_COLUMNS, capacity), POISON), np.full(instruments, -1)
        for start, stop in pairwise([1, *sorted(cut + 1 for cut in cuts), n + 1]):
            at = start
            while at < stop:
                at = portfolio.trade_portfolio(
                    prices, np.empty((instruments, 0)), said, prices_of_orders, self.first_number + places, places,
                    self.rules, watched, self.marks, seen, self.account, self.cells, queue, table, at, stop,
                )  # fmt: skip
                if at < stop:
                    table = np.concatenate((table, np.full((account.FILL_COLUMNS, 3), POISON)), axis=1)
        count = int(self.account[account.FILLS])
        untouched = table[:, count:].view(np.int64) == np.float64(POISON).view(np.int64)
        assert untouched.all(), "written beyond the fills"
        self.fills = np.ascontiguousarray(table[:, :count])
        return self

    @property
    def rows(self) -> list[tuple[float, ...]]:
        """(bar, leg, units, price, kind) of every row."""
        order = [account.FILL_BAR, account.FILL_LEG, account.FILL_LOTS, account.FILL_PRICE, account.FILL_KIND]
        return [tuple(map(float, row)) for row in self.fills[order].T]


def same_rules(schedules: int, instruments: int, **terms: float) -> Floats:
    """The rules of `rules_of` for each position."""
    return np.tile(rules_of(**terms), (schedules, instruments, 1))


def test_a_leg_is_schedule_and_instrument() -> None:
    """Schedules stand in order, in each the instruments; quantities are units, of lots of a half and of two."""
    rules = same_rules(2, 2, units=5.0)
    rules[:, 0, account.LOT], rules[:, 1, account.LOT] = 0.5, 2.0
    wishes = np.array([[[1.0], [0.5]], [[-1.0], [-0.5]]]) * np.ones(3)
    desk = Desk([[10.0] * 3, [20.0] * 3], wishes, rules).run()
    assert desk.rows == [
        (1, 0, 5.0, 10.0, MARKET),
        (1, 1, 2.0, 20.0, MARKET),
        (1, 2, -5.0, 10.0, MARKET),
        (1, 3, -2.0, 20.0, MARKET),
    ]
    assert desk.cells[:, :, account.LOTS].tolist() == [[10.0, 1.0], [-10.0, -1.0]]
    assert desk.account[account.CASH] == 1000.0


def test_positions_bind_margin_of_each_other() -> None:
    """At twice the cash, 2000 may be held: the second of two orders for 1200 is cut to the 800 that are left."""
    rules = same_rules(1, 2, leverage=2.0)
    desk = Desk([[10.0] * 3] * 2, np.full((1, 2, 3), 1.2), rules).run()
    assert [row[2] for row in desk.rows] == [120.0, 80.0]
    assert desk.cells[0, :, account.UNAFFORDABLE].tolist() == [0.0, 1.0]
    assert desk.account[account.CASH] == -1000.0


def test_a_loss_of_one_is_less_money_for_the_other() -> None:
    """A falls from 10 to 4 while it is held: equity is 700, and a wish of 1 for B is 70 of which 50 can be paid."""
    wishes = np.array([[[0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]]])
    desk = Desk([[10.0, 10.0, 4.0, 4.0], [10.0] * 4], wishes, same_rules(1, 2)).run()
    assert [row[:3] for row in desk.rows] == [(1, 0, 50.0), (3, 1, 50.0)]
    assert desk.account[account.CASH] == 0.0


def test_sales_come_before_purchases_of_earlier_legs() -> None:
    """The order that lowers the last leg is filled first; one that flips is filled once, and before the others."""
    wishes = np.array([[[0.0, 1.0, 1.0], [1.0, -0.5, -0.5]]])
    desk = Desk([[10.0] * 3] * 2, wishes, same_rules(1, 2)).run()
    assert [row[:3] for row in desk.rows] == [(1, 1, 100.0), (2, 1, -150.0), (2, 0, 50.0)]


def test_a_flip_cut_by_volume_waits_for_the_next_bar() -> None:
    """Thirty of a hundred fill in each bar, also in the one in which the position passes 0."""
    bars = [(10.0, 10.0, 10.0, 10.0, 30.0)] * 7
    wishes = np.array([[[1.0] * 2 + [-1.0] * 5]])
    desk = Desk([bars], wishes, same_rules(1, 1, units=50.0, max_volume_share=1.0, max_age_bars=9.0)).run()
    assert [row[:3] for row in desk.rows] == [
        (1, 0, 30.0), (2, 0, 20.0), (3, 0, -30.0), (4, 0, -30.0), (5, 0, -30.0), (6, 0, -10.0)
    ]  # fmt: skip


@pytest.mark.parametrize(("rebalances", "units"), [(False, [50.0]), (True, [50.0, -13.0])])
def test_rebalancing_trades_what_is_said_again(rebalances: bool, units: list[float]) -> None:
    """Half of 1500 at 20 is 37 units: a weight brings the position there, a wish that has not changed does not."""
    desk = Desk([[10.0, (10.0, 20.0, 10.0, 20.0), 20.0]], np.full((1, 1, 3), 0.5), same_rules(1, 1), rebalances).run()
    assert [row[2] for row in desk.rows] == units


def test_a_side_that_a_level_has_closed_is_not_bought_again() -> None:
    """After the stop at 9 the weight is said again and again; only after it was 0 it is traded."""
    wishes = np.array([[[0.5, 0.5, 0.5, 0.0, 0.5, 0.5]]])
    bars = [10.0, 10.0, (10.0, 10.0, 8.0, 8.0), 8.0, 8.0, 8.0]
    desk = Desk([bars], wishes, same_rules(1, 1, stop_distance=0.1), rebalances=True).run()
    assert [(row[0], row[2], row[4]) for row in desk.rows] == [(1, 50, MARKET), (2, -50, STOP), (5, 59, MARKET)]


def test_sizes_at_the_fill_are_found_at_the_next_open() -> None:
    """Half of the 1000 at an open of 20 is 25 units; where there is no bar the order waits for one."""
    bars: list[list[Bar]] = [[10.0, 20.0, 20.0], [10.0, GAP, 40.0]]
    wishes = np.array([[[0.5, NAN, NAN], [0.5, NAN, NAN]]])
    desk = Desk(bars, wishes, same_rules(1, 2), rebalances=True, at_fill=True).run()
    assert [row[:4] for row in desk.rows] == [(1, 0, 25.0, 20.0), (2, 1, 12.0, 40.0)]


def test_levels_are_watched_while_nothing_is_said() -> None:
    """Ten times leveraged, a long position is liquidated at 9; the other instrument goes on."""
    bars = [[10.0, 10.0, (10.0, 10.0, 8.0, 8.0)], [10.0, 10.0, 10.0]]
    wishes = np.full((1, 2, 3), 0.5)
    desk = Desk(bars, wishes, same_rules(1, 2, leverage=10.0)).run()
    assert [(row[1], row[2], row[3], row[4]) for row in desk.rows[2:]] == [(0, -50.0, 9.0, LIQUIDATION)]
    assert desk.account[account.CASH] == 450.0


@given(cuts=st.lists(st.integers(0, 6), max_size=3))
def test_a_night_is_paid_once_where_a_bar_lacks(cuts: list[int]) -> None:
    """Four bars a day; the first has none at the midnight of bar 2, and pays at bar 3 for the one night."""
    bars: list[list[Bar]] = [[10.0, 10.0, GAP, 10.0, 10.0, 10.0], [10.0] * 6]
    rules = same_rules(1, 2, units=10.0, borrow_rate=3.65, interval_days=0.25)
    desk = Desk(bars, np.full((1, 2, 6), -1.0), rules, first_number=6).run(cuts)
    paid = [(row[0], row[1]) for row in desk.rows if row[4] == BORROW_COST]
    assert paid == [(2, 1), (3, 0)]
    assert desk.fills[account.FILL_FEE].sum() == pytest.approx(2.0, rel=1e-12)


def test_an_order_joins_what_is_left_of_the_one_before() -> None:
    """Of 50 ordered a bar trades 30; 25 fewer are wanted then, so that nothing is left to buy, and 5 are sold."""
    bars = [(10.0, 10.0, 10.0, 10.0, 30.0)] * 4
    rules = same_rules(1, 1, units=1.0, max_volume_share=1.0, max_age_bars=9.0)
    desk = Desk([bars], np.array([[[50.0, -25.0, NAN, NAN]]]), rules, rebalances=True, orders=True).run()
    assert [row[:3] for row in desk.rows] == [(1, 0, 30.0), (2, 0, -5.0)]
    assert desk.cells[0, 0, account.SIGNALS] == 2.0


def test_an_order_has_its_own_limit_or_none() -> None:
    """One rests at 9 and is met in bar 2; the next is at the market; an order of half a lot is counted, not placed."""
    bars: list[Bar] = [10.0, 10.0, (10.0, 10.0, 8.0, 10.0), 10.0, 10.0]
    wishes, limits = np.array([[[5.0, NAN, 5.0, 0.5, NAN]]]), np.array([[9.0, NAN, NAN, 9.0, NAN]])
    desk = Desk([bars], wishes, same_rules(1, 1, units=1.0), rebalances=True, orders=True, limits=limits).run()
    assert desk.rows == [(2, 0, 5.0, 9.0, LIMIT), (3, 0, 5.0, 10.0, MARKET)]
    assert desk.cells[0, 0, [account.SIGNALS, account.WITHOUT_LOT]].tolist() == [3.0, 1.0]


def test_an_order_after_a_stop_is_meant() -> None:
    """The stop at 9 has closed the long side; the order of the same bar's close buys it again."""
    bars: list[Bar] = [10.0, 10.0, (10.0, 10.0, 8.0, 8.0), 8.0, 8.0]
    rules = same_rules(1, 1, units=1.0, stop_distance=0.1)
    desk = Desk([bars], np.array([[[5.0, NAN, 5.0, NAN, NAN]]]), rules, rebalances=True, orders=True).run()
    assert [(row[0], row[2], row[4]) for row in desk.rows] == [(1, 5, MARKET), (2, -5, STOP), (3, 5, MARKET)]


def any_desk(seed: int) -> Desk:
    """Two schedules in three instruments, over gaps, with a level, slippage and a cap; some place orders at limits."""
    rng = np.random.default_rng(seed)
    close = 10.0 * np.exp(np.cumsum(rng.standard_normal((3, 30)) * 0.03, axis=1))
    bars = [[GAP if rng.random() < 0.1 else (c, c * 1.02, c * 0.97, c, 60.0) for c in map(float, row)] for row in close]
    wishes = np.where(rng.random((2, 3, 30)) < 0.5, rng.integers(-2, 3, (2, 3, 30)) / 4.0, NAN)
    rules = same_rules(2, 3, fee=0.001, slippage=0.002, lot=0.5, leverage=2.0, borrow_rate=0.5)
    rules[0, :, venue.STOP_DISTANCE], rules[1, 1, venue.MAX_VOLUME_SHARE] = 0.05, 0.5
    if seed % 3 == 0:
        rules[:, :, account.UNITS] = 1.0
        limits = np.where(rng.random((3, 30)) < 0.5, close * rng.uniform(0.98, 1.02, (3, 30)), NAN)
        return Desk(bars, 40.0 * wishes, rules, rebalances=True, orders=True, limits=limits)
    return Desk(bars, wishes, rules, rebalances=seed % 2 == 0)


@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 30), max_size=4), capacity=st.integers(1, 60))
def test_cuts_and_the_length_of_the_table_change_no_bit(seed: int, cuts: list[int], capacity: int) -> None:
    """Called in pieces, with a table that runs full, it writes the same fills and leaves the same account."""
    whole, pieces = any_desk(seed).run(), any_desk(seed).run(cuts, capacity)
    assert whole.fills.shape[1] > 0
    assert_same_bits(pieces.fills, whole.fills, "fills")
    assert_same_bits(pieces.account, whole.account, "account")
    assert_same_bits(pieces.cells[:, :, account.LOTS], whole.cells[:, :, account.LOTS], "positions")


@given(seed=st.integers(0, 1000))
def test_fills_add_up_to_the_account(seed: int) -> None:
    """Cash is what was there less what the fills took, and a position is the sum of its fills."""
    desk = any_desk(seed).run()
    f = desk.fills
    spent = (f[account.FILL_LOTS] * f[account.FILL_PRICE] + f[account.FILL_FEE]).sum()
    assert desk.account[account.CASH] == pytest.approx(1000.0 - spent, rel=1e-9)
    for leg, cell in enumerate(desk.cells.reshape(6, -1)):
        own = f[account.FILL_LOTS, f[account.FILL_LEG] == leg]
        assert own.sum() == pytest.approx(cell[account.LOTS] * 0.5, abs=1e-9)


def test_cash_at_each_bar() -> None:
    """Less value and fee from a fill's bar on; two fills of one bar are both taken, one of the last bar too."""
    bars, units = np.array([1.0, 1.0, 4.0]), np.array([2.0, -1.0, 3.0])
    out = np.full(5, POISON)
    portfolio.add_cash(bars, units, np.full(3, 10.0), np.full(3, 0.5), 100.0, out)
    assert out.tolist() == [100.0, 89.0, 89.0, 89.0, 58.5]
    portfolio.add_cash(*np.empty((4, 0)), 7.0, out)
    assert out.tolist() == [7.0] * 5


def test_positions_are_added_at_each_close() -> None:
    """Two units from bar 1 and none from bar 3 on are worth twice the close in between, on top of what is there."""
    out = np.full(4, 100.0)
    portfolio.add_position(np.array([1.0, 3.0]), np.array([2.0, -2.0]), np.array([1.0, 2.0, 3.0, 4.0]), out)
    assert out.tolist() == [100.0, 104.0, 106.0, 100.0]
    portfolio.add_position(np.empty(0), np.empty(0), np.ones(4), out)
    assert out.tolist() == [100.0, 104.0, 106.0, 100.0]


def test_prices_of_some_bars() -> None:
    """Open, close and the rows asked for, at the columns asked for, behind those before; the rest stays as it is."""
    values = np.arange(120.0).reshape(2, 6, 10)
    pages = np.array([[row.ctypes.data, row.size, 0, 0, 0] for own in values for row in own[:5]])
    out = np.full((2, 5, 5), POISON)
    portfolio.take_prices(pages, np.array([1, 2, 9]), np.array([VOLUME]), out, 1)
    for prices, begin in zip(out, (0, 60), strict=True):
        for row in range(5):
            untouched = prices[row] if row in (HIGH, LOW) else prices[row, [0, 4]]
            assert (untouched.view(np.int64) == np.float64(POISON).view(np.int64)).all()
        taken = prices[[OPEN, CLOSE, VOLUME], 1:4] - begin
        assert taken.tolist() == [[1, 2, 9], [31, 32, 39], [41, 42, 49]]


def test_what_is_watched() -> None:
    """Positions with a level, a margin or a borrow cost; the flags of the others are 0."""
    rules = same_rules(2, 2)
    rules[0, 1, venue.STOP_DISTANCE] = 0.1
    rules[1, 0, venue.BORROW_RATE] = 0.1
    watched = np.full((2, 2), -1)
    portfolio.fill_watched(rules, watched)
    assert watched.tolist() == [[0, 1], [1, 0]]


def test_the_open_of_a_bar_that_lacks_is_not_read() -> None:
    """A held instrument without a bar counts at its last close, so that others are sized by that."""
    bars: list[list[Bar]] = [[10.0, (10.0, 20.0, 10.0, 20.0), GAP, GAP], [10.0] * 4]
    wishes = np.array([[[0.5] * 4, [0.0, 0.0, 0.2, 0.2]]])
    desk = Desk(bars, wishes, same_rules(1, 2)).run()
    assert [row[:4] for row in desk.rows] == [(1, 0, 50.0, 10.0), (3, 1, 30.0, 10.0)]
    assert desk.marks.tolist() == [20.0, 10.0]
