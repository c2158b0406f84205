"""Orders, fills and equity of one account: hand-computed cases, a plain loop, cuts, and conservation."""

from __future__ import annotations

import numpy as np
import pytest
from accounts import Market, Terms, by_hand, equity, one_venue, situations, trade, two_venues
from barstep.kernels import account, trades
from barstep.kernels.fill_kinds import MARKET
from contract import POISON, assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

Situation = tuple[Market, Floats, Terms]
cuts = st.lists(st.integers(0, 200), max_size=6)


def test_a_wish_is_filled_at_the_next_open() -> None:
    """All of 1000 at a close of 10 is 100 lots, bought at the next bar's open and sold at the open after the exit."""
    market = one_venue([9.0, 9.5, 12.0, 13.0], [10.0, 10.5, 12.5, 14.0])
    got = trade(market, [1.0, 1.0, 0.0, 0.0], Terms())
    assert got.rows == [(1.0, 0.0, 100.0, 9.5, 0.0), (3.0, 0.0, -100.0, 13.0, 0.0)]
    assert got[account.CASH] == 1350.0
    assert equity(market, got, Terms()).tolist() == [1000.0, 1100.0, 1300.0, 1350.0]


def test_a_short_gains_where_the_price_falls() -> None:
    """Sold at 10 and bought back at 8, a hundred lots bring 200."""
    market = one_venue([10.0, 10.0, 9.0, 8.0])
    got = trade(market, [-1.0, -1.0, 0.0, 0.0], Terms())
    assert got.rows == [(1.0, 0.0, -100.0, 10.0, 0.0), (3.0, 0.0, 100.0, 8.0, 0.0)]
    assert equity(market, got, Terms()).tolist() == [1000.0, 1000.0, 1100.0, 1200.0]


def test_a_flip_is_one_fill() -> None:
    """From long to short goes by one order for both quantities, sized by the equity of the bar that decides."""
    market = one_venue([10.0, 10.0, 12.0, 12.0])
    got = trade(market, [1.0, 1.0, -1.0, -1.0], Terms())
    assert got.rows == [(1.0, 0.0, 100.0, 10.0, 0.0), (3.0, 0.0, -200.0, 12.0, 0.0)]
    assert got[account.LOTS] == -100.0


def test_fee_and_slippage_cost_on_both_sides() -> None:
    """A buyer pays 1 % more and a seller gets 1 % less than the open; the fee of 2 % is on what was paid."""
    market = one_venue([100.0, 100.0, 200.0])
    got = trade(market, [1.0, 0.0, 0.0], Terms(fee=0.02, slippage=0.01, units=1.0))
    expected = [[1, 0, 1, 101.0, 2.02, MARKET, 100.0], [2, 0, -1, 198.0, 3.96, MARKET, 200.0]]
    assert_close(got.fills.T, np.array(expected), 1e-15)
    assert got[account.CASH] == pytest.approx(1000.0 - 101.0 - 2.02 + 198.0 - 3.96, abs=1e-12)


def test_part_of_a_position_is_closed() -> None:
    """A smaller wish sells what is too much, and a larger one buys what is missing."""
    got = trade(one_venue([10.0] * 4), [1.0, 0.25, 0.5, 0.5], Terms())
    assert [row[2] for row in got.rows] == [100.0, -75.0, 25.0]


@pytest.mark.parametrize(
    ("units", "lot", "lots"),
    [(0.3, 0.1, 3.0), (0.29, 0.1, 2.0), (-0.29, 0.1, -2.0), (0.7, 0.1, 7.0), (1.1, 1e-8, 110_000_000.0)],
)
def test_quantities_are_whole_lots_towards_zero(units: float, lot: float, lots: float) -> None:
    """0.29 holds two lots of 0.1 and 0.3 three of them, although 0.3 / 0.1 is a little less in floats."""
    got = trade(one_venue([1.0, 1.0]), [np.sign(units)] * 2, Terms(units=abs(units), lot=lot))
    assert got[account.LOTS] == lots


@given(lots=st.integers(-(2**49), 2**49), lot=st.sampled_from([1e-8, 1e-3, 0.1, 0.3, 1.0, 7.0]))
def test_a_multiple_of_a_lot_is_kept_whole(lots: int, lot: float) -> None:
    """The product of a count and the lot's size divides back into that count."""
    assert account.whole_lots(float(lots) * lot, lot) == lots


def test_a_wish_too_small_for_a_lot_trades_nothing() -> None:
    """It is a signal that came to no lot: accepted, so not asked again."""
    got = trade(one_venue([10.0] * 5), [0.0004] * 5, Terms())
    assert got.rows == []
    assert (got[account.SIGNALS], got[account.WITHOUT_LOT]) == (1.0, 1.0)


def test_a_change_of_equity_alone_makes_no_order() -> None:
    """The wish stands while the price doubles, and nothing is traded after the entry."""
    got = trade(one_venue([10.0, 10.0, 15.0, 20.0]), [0.5] * 4, Terms())
    assert [row[2] for row in got.rows] == [50.0]


def test_an_account_that_lost_everything_opens_nothing() -> None:
    """A short squeezed under zero is bought back, and the next wish comes to no lot."""
    got = trade(one_venue([10.0, 10.0, 50.0, 50.0, 50.0]), [-1.0, -1.0, 1.0, -1.0, 0.0], Terms())
    assert [row[2] for row in got.rows] == [-100.0, 100.0]
    assert got[account.CASH] == -3000.0


def test_wishes_within_the_threshold_are_no_signals() -> None:
    """A change of just the threshold asks for nothing; one over it does, measured from the wish last accepted."""
    got = trade(one_venue([1.0] * 5), [0.5, 0.75, 0.625, 0.7500001, 0.6], Terms(threshold=0.25))
    assert got[account.SIGNALS] == 2.0
    assert [row[2] for row in got.rows] == [500.0, 250.0]


def test_a_wish_that_is_unknown_changes_nothing() -> None:
    """NaN is no wish: what is held stays."""
    got = trade(one_venue([1.0] * 4), [0.5, np.nan, np.nan, 0.5], Terms())
    assert (got[account.SIGNALS], got[account.LOTS]) == (1.0, 500.0)


@pytest.mark.parametrize(("wish", "lots"), [(1.0, 25.0), (-1.0, -25.0), (0.2, 20.0)])
def test_a_position_is_worth_no_more_than_is_allowed(wish: float, lots: float) -> None:
    """Under a cap of 250 a price of 10 allows 25 lots on either side, at the close that decides."""
    assert trade(one_venue([10.0, 12.0]), [wish] * 2, Terms(max_notional=250.0))[account.LOTS] == lots


def test_fixed_units_do_not_look_at_equity() -> None:
    """Half of 8 units is 4, whatever the account is worth."""
    for capital in (40.0, 1e6):
        got = trade(one_venue([10.0, 10.0]), [0.5, 0.5], Terms(units=8.0, capital=capital))
        assert got[account.LOTS] == 4.0


def test_a_hedged_pair_is_sized_by_both_legs() -> None:
    """1010 at closes of 12 and 8 is 50 of each: one bought, the other sold, both at their own opens."""
    market = two_venues([12.0, 11.0, 10.0], [8.0, 9.0, 9.5])
    got = trade(market, [1.0, 0.0, 0.0], Terms(slippage=0.1, capital=1010.0))
    expected = [[1, 0, 50, 12.1, 0], [1, 1, -50, 8.1, 0], [2, 0, -50, 9.0, 0], [2, 1, 50, 10.45, 0]]
    assert_close(got.fills[:5].T, np.array(expected), 1e-15)
    assert_close(equity(market, got, Terms(capital=1010.0)), 1010.0 + 50.0 * np.array([0.0, -2.0, -5.45]), 1e-15)


def test_a_hedged_pair_is_held_to_what_there_is() -> None:
    """50 of each at 10 and 10 would take 1000 and the fees of 10: of 1000 there are 49, and what lowers is not cut."""
    got = trade(two_venues([10.0] * 4, [10.0] * 4), [1.0, 1.0, 0.0, 0.0], Terms(fee=0.01))
    assert [row[:3] for row in got.rows] == [(1.0, 0.0, 49.0), (1.0, 1.0, -49.0), (3.0, 0.0, -49.0), (3.0, 1.0, 49.0)]
    assert got[account.UNAFFORDABLE] == 1.0


def test_a_pair_that_lost_everything_is_not_bought_again() -> None:
    """Short of 50 of the venue that goes from 10 to 40, the account owes 500: the next pair comes to no lot."""
    market = two_venues([10.0] * 5, [10.0, 10.0, 40.0, 40.0, 40.0])
    got = trade(market, [1.0, 0.0, 1.0, 1.0, 1.0], Terms())
    assert [row[0] for row in got.rows] == [1.0, 1.0, 2.0, 2.0]
    assert (got[account.CASH], got[account.WITHOUT_LOT]) == (-500.0, 1.0)


@pytest.mark.parametrize("missing", [np.nan, 0.0, -1.0])
def test_a_pair_waits_for_its_second_leg(missing: float) -> None:
    """Without a price of the second leg neither is filled; the order is given up and the wish asked again."""
    market = two_venues([10.0] * 4, [10.0] * 4)
    market.other_opens[1] = missing
    got = trade(market, [1.0] * 4, Terms())
    assert got.rows == [(2.0, 0.0, 50.0, 10.0, 0.0), (2.0, 1.0, -50.0, 10.0, 0.0)]
    assert (got[account.ABANDONED], got[account.SIGNALS]) == (1.0, 2.0)


def test_an_order_given_up_is_not_asked_again_where_the_wish_has_gone() -> None:
    """The wish is back where it was before the order, so there is nothing to ask for."""
    market = two_venues([10.0] * 4, [10.0, np.nan, 10.0, 10.0])
    got = trade(market, [1.0, 0.0, 0.0, 0.0], Terms())
    assert (got.rows, got[account.ABANDONED], got[account.SIGNALS]) == ([], 1.0, 1.0)


@pytest.mark.parametrize(("gap", "bars"), [(3, [1.0]), (4, [2.0])])
def test_an_order_that_is_too_old_is_given_up(gap: int, bars: list[float]) -> None:
    """Of at most three bars, one that opens three later still fills; at four the wish is asked and filled anew."""
    market = one_venue([10.0] * 3)
    market.numbers[:] = [100, 100 + gap, 101 + gap]
    got = trade(market, [1.0] * 3, Terms(max_age_bars=3.0))
    assert [row[0] for row in got.rows] == bars
    assert got[account.ABANDONED] == float(gap > 3)


@pytest.mark.parametrize(
    ("side", "opening", "fee", "lots"),
    [
        (1.0, 11.0, 0.0, 90.0),  # 1000 / 11 = 90.9
        (1.0, 10.0, 0.0, 100.0),  # exactly all of it
        (1.0, 10.0, 0.25, 80.0),  # 1000 / 12.5
        (-1.0, 11.0, 0.0, -90.0),  # no more is sold short than is owned
        (-1.0, 10.0, 0.25, -80.0),
    ],
)
def test_an_order_is_cut_to_what_cash_pays_for(side: float, opening: float, fee: float, lots: float) -> None:
    """100 lots ordered at 10 come to what 1000 buys at the open with the fee; the cut is counted and not made up."""
    market = one_venue([10.0, opening, 5.0, 5.0], [10.0, opening, 5.0, 5.0])
    got = trade(market, [side] * 4, Terms(fee=fee))
    assert [row[2] for row in got.rows] == [lots]
    assert got[account.UNAFFORDABLE] == float(lots != 100.0 * side)


def test_an_order_cut_to_nothing_is_asked_again() -> None:
    """One lot is ordered at 1000, costs 1001 at the next open, and is bought where it costs 999."""
    got = trade(one_venue([1000.0, 1001.0, 1000.0, 999.0], [1000.0, 1000.0, 999.0, 999.0]), [1.0] * 4, Terms(fee=1e-4))
    assert got.rows[0][:4] == (3.0, 0.0, 1.0, 999.0)
    assert (got[account.UNAFFORDABLE], got[account.SIGNALS]) == (2.0, 3.0)


def test_a_flip_is_cut_to_its_closing_part_where_no_more_is_paid_for() -> None:
    """A short of 100 from 10 stands at 25: -500 are left, so the 100 are bought back and nothing beyond."""
    got = trade(one_venue([10.0, 10.0, 12.0, 25.0]), [-1.0, -1.0, 1.0, 1.0], Terms())
    assert [row[2] for row in got.rows] == [-100.0, 100.0]
    assert got[account.CASH] == -500.0


@given(situation=situations())
def test_agrees_with_an_account_kept_by_hand(situation: Situation) -> None:
    """Fills, counts and equity are those of a plain loop that keeps each leg by itself."""
    market, wishes, terms = situation
    got, book = trade(market, wishes, terms), by_hand(market, wishes, terms)
    expected = np.array(book.fills).reshape(-1, account.FILL_COLUMNS).T
    assert_close(got.fills[:3], expected[:3], 0.0 if terms.lot > 1e-3 else 1e-9)
    assert_close(got.fills[3:], expected[3:], 1e-8)
    assert (got[account.SIGNALS], got[account.WITHOUT_LOT]) == (book.signals, book.without_lot)
    assert (got[account.ABANDONED], got[account.UNAFFORDABLE]) == (book.abandoned, book.cut)
    assert_close(equity(market, got, terms), np.array(book.curve), 1e-8, 1000.0)


@given(situation=situations(), cuts=cuts)
def test_any_cut_gives_the_same_bits(situation: Situation, cuts: list[int]) -> None:
    """Fills, account and equity are the same bits from one call and from many."""
    market, wishes, terms = situation
    whole = trade(market, wishes, terms)
    for places in ([min(cut, len(market)) for cut in cuts], range(len(market))):
        pieces = trade(market, wishes, terms, places)
        assert_same_bits(pieces.fills, whole.fills, "fills")
        assert_same_bits(pieces.carry, whole.carry, "account")
        assert_same_bits(equity(market, whole, terms, places), equity(market, whole, terms), "equity")


@given(situation=situations(), capacity=st.integers(0, 5))
def test_a_full_table_loses_nothing(situation: Situation, capacity: int) -> None:
    """The call that found the table full is taken up with a longer one, and the bits are the same."""
    market, wishes, terms = situation
    whole, resumed = trade(market, wishes, terms), trade(market, wishes, terms, capacity=capacity)
    assert_same_bits(resumed.fills, whole.fills, "fills")
    assert_same_bits(resumed.carry, whole.carry, "account")


@given(situation=situations(), stop=st.integers(0, 200))
def test_the_future_changes_no_fill(situation: Situation, stop: int) -> None:
    """Fills before a bar are the same whatever prices and wishes follow."""
    market, wishes, terms = situation
    before = trade(market, wishes, terms).fills
    for column in (market.opens, market.closes, market.other_opens, market.other_closes, wishes):
        column[stop:] *= -3.0
    after = trade(market, wishes, terms).fills
    assert_same_bits(after[:, after[0] < stop], before[:, before[0] < stop], f"fills before {stop}")


@given(situation=situations())
def test_equity_ends_with_the_cash_and_position_of_the_account(situation: Situation) -> None:
    """The curve marked from the fills has the bits of the equity by which the account sized its orders."""
    market, wishes, terms = situation
    got = trade(market, wishes, terms)
    held = got[account.CASH] + got[account.LOTS] * terms.lot * market.marks[-1]
    assert_same_bits(equity(market, got, terms)[-1:], np.array([held]), "at the last close")


@given(situation=situations())
def test_money_is_conserved(situation: Situation) -> None:
    """What an account is worth is its capital and the profits, after fees, of its trades, open ones included."""
    market, wishes, terms = situation
    got = trade(market, wishes, terms)
    table = np.full((trades.TRADE_COLUMNS, got.fills.shape[1] + 1), POISON)
    profit = 0.0
    for leg, price in enumerate((market.closes[-1], market.other_closes[-1])):
        count = trades.round_trips(
            got.fills, float(leg), terms.lot, len(market) - 1.0, price, np.zeros(trades.TRIP_CARRY), table
        )
        profit += table[trades.PROFIT, :count].sum()
    assert equity(market, got, terms)[-1] == pytest.approx(terms.capital + profit, abs=1e-7)


@given(situation=situations())
def test_fees_only_cost(situation: Situation) -> None:
    """With fixed units the same fills come about, and the account with fees ends lower by just their sum."""
    market, wishes, _ = situation
    free, dear = (Terms(units=3.0, lot=0.01, fee=fee, capital=1e5) for fee in (0.0, 0.002))
    without, paid = trade(market, wishes, free), trade(market, wishes, dear)
    assert_same_bits(paid.fills[:4], without.fills[:4], "fills")
    assert without[account.CASH] - paid[account.CASH] == pytest.approx(paid.fills[4].sum(), abs=1e-9)
