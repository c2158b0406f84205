"""Fills of many positions by hand: two rounds at the open, what is given up, levels and limits in a bar, holding."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import account, venue
from barstep.kernels.fill_kinds import BORROW_COST, FUNDING, LIMIT, MARKET, STOP
from barstep.kernels.portfolio import fill_watched
from barstep.kernels.scheduler import fills, layout
from contract import POISON
from schedules import HOUR_US, INF, NAN, Scheduler, Shape
from venues import Bar, columns_of

pytestmark = pytest.mark.unit_kernel

PLACE, NUMBER, NOW = 17, 41, 9_000
GAP: Bar = (NAN,) * 5


class Market(Scheduler):
    """Three schedules, declared last to first; instruments at 10 and 20, of which the first has a second leg at 8.

    The third schedule trades pairs. Column 1 of the prices is the bar that opens, and later closes.
    """

    def __init__(self, *bars: Bar, **terms: float) -> None:
        super().__init__(Shape(schedules=3, instruments=2, second_legs=1, profiles=2), **terms)
        self.order = np.array([2, 1, 0])
        self.rules[2, account.HEDGED] = self.schedules[layout.HEDGES, 2] = 1.0
        self.schedules[layout.PROFILE] = [0.0, 1.0, 1.0]
        self.schedules[[layout.FACTOR, layout.DIVISOR, layout.FIRST]] = [[0.5], [1.0], [9.0]]
        self.upcoming[:] = 9
        self.close_at(10.0, 20.0, 8.0)
        fill_watched(self.rules[:, None], self.watched[:, None])
        self.watched[2] = 0
        rows = [*bars, *[10.0, 20.0, 8.0][len(bars) :]]
        self.prices = np.full((3, 5, 3), POISON)
        for leg, row in enumerate(rows):
            self.prices[leg, :, 1] = NAN if row == GAP else columns_of([row])[:5, 0]
        self.columns = np.array([NUMBER - 1, NUMBER, NUMBER + 1])

    def put(self, s: int, i: int, lots: float, *, unit: bool = False, age: int = 1, wish: float = 0.5) -> None:
        """An order on hand, of a wish whose predecessor was 0.1; of a share of 0.4 after one of 0.2."""
        cell = self.cells[s, i, int(unit)]
        key = float(self.order.tolist().index(s) * 2 + i)
        cell[[account.PENDING, account.DECIDED, account.ACCEPTED, account.BEFORE]] = lots, NUMBER - age, wish, 0.1
        cell[[layout.SHARE_WAS, layout.LISTED]] = 0.2, 1.0
        self.said[layout.STANDING, s, i] = wish
        self.said[layout.UNIT_SHARE if unit else layout.SHARE, s, i] = 0.4
        hand, slot = (self.unit_hand, layout.ON_UNIT_HAND) if unit else (self.hand, layout.ON_HAND)
        count = int(self.account[slot])
        hand[: count + 1] = sorted([*hand[:count], key])
        self.account[slot] = count + 1
        if not unit:
            pair, profile = int(self.schedules[layout.HEDGES, s]), int(self.schedules[layout.PROFILE, s])
            self.tallies[profile, pair, i] += abs(cell[account.LOTS] + lots) - abs(cell[account.LOTS])

    def open(self, *, now: int = NOW) -> None:
        """Fill market orders of all accounts at the opens."""
        fills.open_prices(1, self.prices, self.instruments)
        fills.fill_real(
            now, 1, PLACE, NUMBER, self.columns, self.prices, self.desk, self.order, self.rules, self.others,
            self.account, self.instruments, self.tallies, self.schedules, self.cells, self.said,
            self.upcoming, self.hand, self.fills,
        )  # fmt: skip
        fills.fill_units(
            now, 1, PLACE, NUMBER, self.columns, self.prices, self.desk, self.order, self.rules, self.others,
            self.account, self.instruments, self.unit_lots, self.schedules, self.cells, self.said,
            self.unit_hand, self.unit_fills,
        )  # fmt: skip

    def walk(self) -> None:
        """What happens inside the bar."""
        fills.trade_inside(
            NOW + HOUR_US, 1, PLACE, self.columns, self.prices, self.desk, self.order, self.rules, self.watched,
            self.others, self.account, self.instruments, self.tallies, self.unit_lots, self.schedules, self.cells,
            self.said, self.upcoming, self.fills, self.unit_fills,
        )  # fmt: skip

    def charge(self, funding: tuple[float, float], seen: int) -> None:
        """Funding and borrow cost at the opens."""
        rates = np.zeros((3, 3))
        rates[:2, 1] = funding
        self.seen[:] = seen
        fills.charge_all(
            1, PLACE, self.columns, self.seen, self.prices, rates, self.rules, self.watched, self.others, self.account,
            self.instruments, self.schedules, self.cells, self.fills, self.unit_fills,
        )  # fmt: skip

    def lots(self, s: int, i: int, *, unit: bool = False) -> float:
        return float(self.cells[s, i, int(unit), account.LOTS])


def test_opens_are_the_last_closes_where_there_is_no_bar() -> None:
    """Each leg by itself."""
    one = Market(11.0, GAP, 9.0)
    fills.open_prices(1, one.prices, one.instruments)
    assert one.instruments[layout.OPENED_AT].tolist() == [11.0, 20.0, 9.0]


def test_what_lowers_fills_first_then_declared_order() -> None:
    """A sale of the last declared schedule, then the others as declared; rows name leg, units and price."""
    one = Market(11.0, 21.0, 9.0, lot=0.5, fee=0.01)
    one.hold(0, 1, 10.0)
    one.put(0, 1, -4.0)
    one.put(0, 0, 6.0)
    one.put(1, 1, -2.0)
    one.put(2, 0, 8.0)
    one.open()
    assert one.filled == [
        (PLACE, 1, -2.0, 21.0, MARKET),
        (PLACE, 6, 4.0, 11.0, MARKET), (PLACE, 8, -4.0, 9.0, MARKET),
        (PLACE, 4, -1.0, 21.0, MARKET),
        (PLACE, 0, 3.0, 11.0, MARKET),
    ]  # fmt: skip
    spent = -42.0 + 44.0 - 36.0 - 21.0 + 33.0
    traded = 42.0 + 44.0 + 36.0 + 21.0 + 33.0
    assert one.account[layout.BALANCE] == pytest.approx(1000.0 - spent - 0.01 * traded, rel=1e-15)
    assert one.account[layout.TRADED] == traded
    assert one.on_hand == []
    assert one.instruments[[layout.NET, layout.GROSS]].tolist() == [[6.0, 4.0, 0.0], [6.0, 8.0, 0.0]]
    assert one.instruments[[layout.PAIR_NET, layout.PAIR_GROSS], 0].tolist() == [8.0, 8.0]
    assert one.tallies.tolist() == [[[6.0, 6.0], [0.0, 0.0]], [[0.0, 2.0], [8.0, 0.0]]]
    assert (one.cells[:, :, :, layout.LISTED] == 0.0).all()


def test_an_order_that_flips_fills_whole_with_those_that_lower() -> None:
    """Once, and before what only adds."""
    one = Market()
    one.hold(0, 1, 10.0)
    one.put(0, 1, -15.0)
    one.put(1, 0, 5.0)
    one.open()
    assert [row[1:3] for row in one.filled] == [(1, -15.0), (3, 5.0)]
    assert one.lots(0, 1) == -5.0


def test_sales_pay_for_purchases() -> None:
    """All of the money is held; what the sale brings is there for the order of a schedule declared before it."""
    one = Market()
    one.account[layout.BALANCE] = 0.0
    one.hold(0, 0, 100.0)
    one.put(0, 0, -60.0)
    one.put(1, 1, 40.0)
    one.open()
    assert [row[2] for row in one.filled] == [-60.0, 30.0]
    assert one.account[layout.BALANCE] == 0.0


def test_what_is_held_elsewhere_is_worth_the_open_and_binds_it() -> None:
    """50 lots at an open of 12, five pairs of 12 and 8: of 100 + 600 + 20, less 600 and 100, 20 pay for one lot."""
    one = Market(12.0, 20.0, 8.0)
    one.account[layout.BALANCE] = 100.0
    one.hold(0, 0, 50.0)
    one.hold(2, 0, 5.0)
    one.put(1, 1, 30.0)
    one.open()
    assert [row[2] for row in one.filled] == [1.0]


def test_without_a_bar_an_order_waits() -> None:
    """Of that instrument; it stays listed, and later fills."""
    one = Market(GAP, 20.0)
    one.put(0, 0, 5.0)
    one.put(0, 1, 5.0)
    one.open()
    assert [row[1] for row in one.filled] == [1]
    assert one.on_hand == [4.0]
    assert one.cells[0, :, layout.REAL, layout.LISTED].tolist() == [1.0, 0.0]


def test_an_order_goes_out_when_its_run_is_through() -> None:
    """A run that starts a second late orders a second later: before that no open fills it."""
    for late, rows in ((1000.0, 0), (999.0, 1)):
        one = Market()
        one.desk[layout.ORDER_DELAY_US] = late
        one.put(0, 0, 5.0)
        one.put(0, 0, 5.0, unit=True)
        one.cells[0, 0, :, layout.SENT_AT] = NOW - 999
        one.open()
        assert len(one.filled) == rows
        assert one.lots(0, 0, unit=True) == 5.0 * rows


def test_limit_orders_do_not_fill_at_the_open() -> None:
    """They are looked at inside the bar."""
    one = Market()
    one.put(0, 0, 5.0)
    one.cells[0, 0, layout.REAL, venue.LIMIT_PRICE] = 12.0
    one.open()
    assert one.filled == []
    assert one.on_hand == [4.0]


def test_an_order_is_shown_a_bar_once() -> None:
    """One that flips, and of which the bar's volume fills a part, waits for the next bar."""
    one = Market((10.0, 10.0, 10.0, 10.0, 8.0), max_volume_share=1.0)
    one.hold(0, 0, 5.0)
    one.put(0, 0, -20.0)
    one.open()
    assert [row[2] for row in one.filled] == [-8.0]
    assert one.cells[0, 0, layout.REAL, [account.LOTS, account.PENDING]].tolist() == [-3.0, -12.0]
    assert one.tallies[0, 0, 0] == 15.0
    assert one.on_hand == [4.0]


@pytest.mark.parametrize("s", [0, 2])
def test_an_order_that_is_too_old_is_given_up(s: int) -> None:
    """The wish and the share of before count, in sums and room too; at once the schedule is asked again."""
    one = Market()
    one.put(s, 0, 5.0, age=4)
    one.open()
    assert one.filled == []
    assert one.cells[s, 0, layout.REAL, account.ABANDONED] == 1.0
    assert one.said[[layout.STANDING, layout.SHARE], s, 0].tolist() == [0.1, 0.2]
    assert one.tallies.sum() == 0.0
    assert one.upcoming[s].tolist() == [0, 9]
    assert one.schedules[layout.FIRST, s] == 0.0
    assert np.isnan(one.schedules[layout.FACTOR, s])
    assert one.on_hand == []


def test_a_move_that_is_too_old_goes_back_to_its_share() -> None:
    """Its wish stands, so that no signal is sought; the next run moves it again."""
    one = Market()
    one.put(0, 0, 5.0, age=4)
    one.cells[0, 0, layout.REAL, account.BEFORE] = 0.5
    one.open()
    assert one.said[[layout.STANDING, layout.SHARE], 0, 0].tolist() == [0.5, 0.2]
    assert one.upcoming[0].tolist() == [9, 9]
    assert np.isnan(one.schedules[layout.FACTOR, 0])


def test_a_part_that_was_filled_stands_for_no_wish() -> None:
    """The rest is too old: the sums keep the wish that was ordered for, and any wish is asked again."""
    one = Market()
    one.hold(0, 0, 3.0)
    one.put(0, 0, 5.0, age=4)
    one.cells[0, 0, layout.REAL, account.BEFORE] = INF
    one.open()
    assert one.said[layout.STANDING, 0, 0] == 0.5
    assert one.cells[0, 0, layout.REAL, account.ACCEPTED] == INF
    assert one.upcoming[0, 0] == 0


def test_what_fills_changes_nothing_of_what_was_wanted() -> None:
    """Wish, share and the next signal stay as they are."""
    one = Market()
    one.put(0, 0, 5.0)
    one.open()
    assert one.said[[layout.STANDING, layout.SHARE], 0, 0].tolist() == [0.5, 0.4]
    assert one.upcoming[0].tolist() == [9, 9]
    assert one.schedules[[layout.FACTOR, layout.FIRST], 0].tolist() == [0.5, 9.0]


def test_unit_accounts_stand_alone() -> None:
    """Each with its own cash; their fills are written nowhere, and the account is as it was."""
    one = Market(11.0, 21.0, 9.0, lot=0.5)
    one.put(0, 0, 10.0, unit=True)
    one.put(2, 0, -8.0, unit=True)
    one.open()
    assert one.filled == []
    assert one.schedules[layout.UNIT_CASH].tolist() == [945.0, 1000.0, 1008.0]
    assert one.unit_lots[0, 0].tolist() == [10.0, 0.0, 0.0]
    assert one.unit_lots[1, 0].tolist() == [0.0, 0.0, -8.0]
    assert one.account[[layout.BALANCE, layout.TRADED, layout.WRITTEN]].tolist() == [1000.0, 0.0, 0.0]
    assert one.on_unit_hand == []


def test_a_unit_account_pays_for_what_it_adds() -> None:
    """700 in cash and 40 lots at 10, which bind 400: the other order is cut to 35 of 20, and to less with pairs."""
    one = Market()
    one.schedules[layout.UNIT_CASH, 0] = 700.0
    one.hold(0, 0, 40.0, unit=True)
    one.put(0, 1, 50.0, unit=True)
    one.open()
    assert one.lots(0, 1, unit=True) == 35.0
    one = Market()
    one.others[1] = 2
    one.hold(2, 1, 10.0, unit=True)  # worth 120, binding 280
    one.schedules[layout.UNIT_CASH, 2] = 700.0
    one.put(2, 0, 50.0, unit=True)
    one.open()
    assert one.lots(2, 0, unit=True) == 30.0  # (700 + 120 − 280) / 18


@pytest.mark.parametrize(("other", "after"), [(20.0, -10.0), (-20.0, -5.0)])
def test_a_unit_account_that_flips_is_asked_for_its_cover(other: float, after: float) -> None:
    """Ten lots to ten short, with 20 lots of the other: bought they are worth what they bind, sold they take 2 × 400.

    Long: 0 + 100 + 400 − 400 is enough for the 100 of ten lots short. Short: 750 + 100 − 400 − 400 pays for 5.
    """
    one = Market()
    one.schedules[layout.UNIT_CASH, 0] = 0.0 if other > 0.0 else 750.0
    one.hold(0, 0, 10.0, unit=True)
    one.hold(0, 1, other, unit=True)
    one.put(0, 0, -20.0, unit=True)
    one.open()
    assert one.lots(0, 0, unit=True) == after


def test_what_lowers_a_unit_account_is_never_cut() -> None:
    """Without any cash, and with debts elsewhere."""
    one = Market()
    one.schedules[layout.UNIT_CASH, 0] = -5000.0
    one.hold(0, 0, 40.0, unit=True)
    one.put(0, 0, -40.0, unit=True)
    one.open()
    assert one.lots(0, 0, unit=True) == 0.0


def test_a_unit_order_that_comes_to_nothing_is_tried_again() -> None:
    """The share is what it was, and the divisor is to be set anew."""
    one = Market()
    one.put(0, 0, 5.0, unit=True, age=4)
    one.open()
    assert one.said[layout.UNIT_SHARE, 0, 0] == 0.2
    assert np.isnan(one.schedules[layout.DIVISOR, 0])
    assert one.on_unit_hand == []


def test_a_stop_closes_both_accounts_and_the_side() -> None:
    """Ten per cent under the entry at 10: the wish counts for nothing, and the schedule is looked at again."""
    one = Market((10.0, 10.0, 8.5, 9.0), stop_distance=0.1)
    for unit in (False, True):
        one.hold(0, 0, 30.0, unit=unit)
        one.cells[0, 0, int(unit), [venue.ENTRY, venue.BEST, account.ACCEPTED]] = 10.0, 10.0, 0.5
    one.said[:, 0, 0] = 0.5
    one.walk()
    assert one.filled == [(PLACE, 0, -30.0, 9.0, STOP)]
    assert one.account[[layout.BALANCE, layout.TRADED]].tolist() == [1270.0, 270.0]
    assert one.schedules[layout.UNIT_CASH, 0] == 1270.0
    assert one.unit_lots[0, 0, 0] == one.instruments[layout.GROSS, 0] == one.tallies[0, 0, 0] == 0.0
    assert one.said[[layout.STANDING, layout.SHARE], 0, 0].tolist() == [0.0, 0.0]
    assert one.upcoming[0, 0] == one.schedules[layout.FIRST, 0] == 0.0
    assert np.isnan(one.schedules[layout.FACTOR, 0])


def test_positions_that_nothing_happens_to_are_left_alone() -> None:
    """A position that is not watched, a market order, an instrument without a bar: no row, and nothing lent."""
    one = Market((10.0, 99.0, 1.0, 10.0), GAP, stop_distance=0.1)
    one.watched[0] = 0
    one.hold(0, 0, 30.0)
    one.hold(0, 1, 30.0)
    one.hold(2, 0, 30.0)
    one.put(1, 0, 5.0)
    before = one.cells.copy()
    one.walk()
    assert one.filled == []
    assert (one.cells == before).all()


@pytest.mark.parametrize("unit", [False, True])
def test_a_limit_order_fills_inside_the_bar(unit: bool) -> None:
    """The low reaches the limit of 9, and a stop at 8.1 in the same bar: both, the order first."""
    for low, lots in ((9.5, 0.0), (9.0, 5.0), (8.0, 0.0)):
        one = Market((10.0, 10.0, low, 10.0), stop_distance=0.1)
        one.put(0, 0, 5.0, unit=unit)
        one.cells[0, 0, int(unit), venue.LIMIT_PRICE] = 9.0
        one.walk()
        assert one.lots(0, 0, unit=unit) == lots
        rows = [(PLACE, 0, 5.0, 9.0, LIMIT), (PLACE, 0, -5.0, pytest.approx(8.1), STOP)]
        assert one.filled == ([] if unit else rows[: [9.5, 9.0, 8.0].index(low)])
        cash = one.schedules[layout.UNIT_CASH, 0] if unit else one.account[layout.BALANCE]
        assert cash == pytest.approx({9.5: 1000.0, 9.0: 955.0, 8.0: 995.5}[low])


@pytest.mark.parametrize("unit", [False, True])
def test_a_limit_order_that_is_too_old_is_given_up(unit: bool) -> None:
    """Inside the bar as at an open: the share of before counts, and the next run looks at it."""
    one = Market()
    one.put(0, 0, 5.0, unit=unit, age=4)
    one.cells[0, 0, int(unit), venue.LIMIT_PRICE] = 9.0
    one.walk()
    assert one.cells[0, 0, int(unit), account.PENDING] == 0.0
    assert one.said[layout.UNIT_SHARE if unit else layout.SHARE, 0, 0] == 0.2
    assert np.isnan(one.schedules[layout.DIVISOR if unit else layout.FACTOR, 0])
    assert one.schedules[layout.UNIT_CASH, 0] == 1000.0


def test_inside_a_bar_a_limit_order_is_paid_for_by_all() -> None:
    """100 in cash, 90 lots at 10 elsewhere: 11 lots at 9; the unit account has the same by itself."""
    one = Market((10.0, 10.0, 9.0, 10.0))
    for unit in (False, True):
        one.hold(0, 1, 45.0, unit=unit)
        one.put(0, 0, 50.0, unit=unit)
        one.cells[0, 0, int(unit), venue.LIMIT_PRICE] = 9.0
    one.account[layout.BALANCE] = one.schedules[layout.UNIT_CASH, 0] = 100.0
    one.walk()
    assert one.lots(0, 0) == one.lots(0, 0, unit=True) == 11.0


def test_holding_costs_both_accounts() -> None:
    """A rate of 1 % on 300 is paid by longs, and earned by shorts, who pay for each midnight besides."""
    one = Market(funded=1.0, borrow_rate=3.65, interval_days=0.5)
    for unit in (False, True):
        one.hold(0, 0, 30.0, unit=unit)
        one.hold(1, 1, -15.0, unit=unit)
    one.charge((0.01, 0.02), NUMBER - 3)
    assert one.filled == [
        (PLACE, 0, 0.0, 10.0, FUNDING), (PLACE, 4, 0.0, 20.0, FUNDING), (PLACE, 4, 0.0, 20.0, BORROW_COST),
    ]  # fmt: skip
    costs = [3.0, -6.0, 300.0 * 0.01]
    assert one.fills[account.FILL_FEE, :3].tolist() == pytest.approx(costs)
    assert one.account[layout.BALANCE] == pytest.approx(1000.0 - sum(costs))
    assert one.schedules[layout.UNIT_CASH].tolist() == pytest.approx([997.0, 1003.0, 1000.0])
    assert one.account[layout.TRADED] == 0.0


def test_nothing_is_charged_where_there_is_no_bar_or_nobody_watches() -> None:
    """A gap pays at the next bar; pairs pay no funding."""
    one = Market(10.0, GAP, funded=1.0)
    one.watched[0] = 0
    for i in range(2):
        one.hold(0, i, 30.0)
    one.hold(2, 0, 30.0)
    one.charge((0.01, 0.02), NUMBER - 1)
    assert one.filled == []
    assert one.account[layout.BALANCE] == 1000.0
