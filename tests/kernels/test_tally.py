"""What fills and trades add up to, beside plain loops with fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from barstep.kernels import account, tally, trades
from barstep.kernels.fill_kinds import BORROW_COST, FUNDING, LIMIT, LIQUIDATION, MARKET, STOP
from contract import POISON, assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

Fill = tuple[int, int, int, float, float, int, float]
"""Bar, leg, lots, price, fee, kind, price before slippage."""
Trade = tuple[int, int, int, float, float]
"""Bars of entry and exit, lots, entry price, profit."""


def fill_table(fills: Sequence[Fill]) -> Floats:
    return np.array(fills, dtype=float).reshape(-1, account.FILL_COLUMNS).T.copy()


def trade_table(closed: Sequence[Trade], spare: int = 2) -> Floats:
    """The trades as columns; what nobody is to read is poison."""
    table = np.full((trades.TRADE_COLUMNS, len(closed) + spare), POISON)
    rows = [trades.ENTRY_BAR, trades.EXIT_BAR, trades.TRADE_LOTS, trades.ENTRY_PRICE, trades.PROFIT]
    for k, trade in enumerate(closed):
        table[rows, k], table[trades.IS_OPEN, k] = trade, 0.0
    return table


def add_fills(fills: Floats, cuts: Sequence[int] = (), lots: Floats | None = None) -> Floats:
    found = np.zeros(tally.FILL_TALLY)
    for part in np.split(fills, sorted(cuts), axis=1):
        tally.tally_fills(part, LOTS if lots is None else lots, PENALTIES, found)
    return found


LOTS, PENALTIES = np.array([0.5, 0.125]), np.array([0.01, 0.02])


def _fills_by_hand(fills: Sequence[Fill]) -> list[Fraction]:
    found = [Fraction(0)] * tally.FILL_TALLY
    held, bars = 0, []
    last = 0
    for bar, leg, lots, price, fee, kind, reference in fills:
        cost = Fraction(fee)
        if kind in (FUNDING, BORROW_COST):
            found[tally.FUNDING_PAID if kind == FUNDING else tally.BORROW_PAID] += cost
        else:
            quantity = abs(lots) * Fraction(float(LOTS[leg]))
            penalty = quantity * Fraction(price) * Fraction(float(PENALTIES[leg])) if kind == LIQUIDATION else 0
            found[tally.FEES] += cost - penalty
            found[tally.LIQUIDATION_COST] += penalty
            found[tally.SLIPPAGE] += quantity * abs(Fraction(price) - Fraction(reference))
            found[tally.TRADED] += quantity * Fraction(price)
        if leg == 0:
            bars += [held != 0] * (bar - last)
            held, last = held + lots, bar
    found[tally.BARS_HELD], found[tally.POSITION], found[tally.SINCE] = Fraction(sum(bars)), Fraction(held), last
    return found


some_fills = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from([0, 0, 1]), st.integers(-4, 4), st.floats(1.0, 900.0),
        st.sampled_from([-0.5, 0.0, 0.1, 2.0]),
        st.sampled_from([MARKET, LIMIT, STOP, LIQUIDATION, FUNDING, BORROW_COST]), st.floats(1.0, 900.0),
    ),
    max_size=25,
)  # fmt: skip


def _in_time(drawn: list[Fill]) -> list[Fill]:
    """The same fills at bars that rise; what holding costs has no lots."""
    bars = np.cumsum([fill[0] for fill in drawn]).tolist()
    return [
        (bar, leg, 0 if kind in (FUNDING, BORROW_COST) else lots, price, fee, kind, reference)
        for bar, (_, leg, lots, price, fee, kind, reference) in zip(bars, drawn, strict=True)
    ]


@given(fills=some_fills.map(_in_time), cut=st.integers(0, 25))
def test_fills_are_those_of_fractions(fills: list[Fill], cut: int) -> None:
    """Every sum, to some last bits of what was added; and cutting the table changes no bit."""
    table = fill_table(fills)
    got = add_fills(table)
    assert_close(got, np.array([float(value) for value in _fills_by_hand(fills)]), 1e-12, 1e5)
    assert_same_bits(add_fills(table, [min(cut, len(fills))]), got, "cut")


def test_fills_by_hand() -> None:
    """A purchase with slippage, funding that was earned, a sale of a part, and a liquidation with its penalty."""
    fills = [
        (2, 0, 8, 101.0, 1.0, MARKET, 100.0),
        (4, 0, 0, 100.0, -0.25, FUNDING, 100.0),
        (5, 0, -4, 98.0, 0.5, LIMIT, 98.0),
        (9, 0, -4, 50.0, 3.0, LIQUIDATION, 51.0),
    ]  # fmt: skip
    found = add_fills(fill_table(fills), lots=np.array([0.5, 0.5]))
    assert found[tally.TRADED] == 4 * 101 + 2 * 98 + 2 * 50
    assert found[tally.SLIPPAGE] == 4 * 1 + 2 * 1
    assert found[tally.LIQUIDATION_COST] == 1.0  # a hundredth of 100
    assert found[tally.FEES] == 1.0 + 0.5 + 2.0
    assert (found[tally.FUNDING_PAID], found[tally.BORROW_PAID]) == (-0.25, 0.0)
    assert (found[tally.BARS_HELD], found[tally.POSITION], found[tally.SINCE]) == (7.0, 0.0, 9.0)


def test_what_the_second_leg_does_holds_nothing() -> None:
    """It trades and pays; bars are counted by the first leg."""
    found = add_fills(fill_table([(1, 1, -4, 10.0, 1.0, MARKET, 10.0), (6, 1, 4, 10.0, 1.0, MARKET, 10.0)]))
    assert (found[tally.TRADED], found[tally.FEES]) == (10.0, 2.0)
    assert found[[tally.BARS_HELD, tally.POSITION, tally.SINCE]].tolist() == [0.0, 0.0, 0.0]


def started() -> Floats:
    found = np.full(tally.TRADE_TALLY, POISON)
    tally.start_trades(found)
    return found


def test_before_the_first_trade() -> None:
    """All sums are 0, the best is below everything and the worst above."""
    found = started()
    assert (found[tally.BEST_PCT], found[tally.WORST_PCT]) == (-np.inf, np.inf)
    assert (np.delete(found, [tally.BEST_PCT, tally.WORST_PCT]) == 0.0).all()


def test_trades_by_hand() -> None:
    """A profit of a tenth, a loss of a twentieth, and one that came out even, which is neither won nor lost."""
    closed = [(0, 3, 4, 10.0, 2.0), (3, 4, -4, 20.0, -2.0), (7, 9, 1, 10.0, 0.0)]
    found = started()
    tally.tally_trades(trade_table(closed), 3, 0.5, found)
    assert found[[tally.CLOSED, tally.WON, tally.GAINED, tally.LOST, tally.EARNED]].tolist() == [3, 1, 2, 2, 0]
    assert found[[tally.RETURNED_PCT, tally.BEST_PCT, tally.WORST_PCT, tally.BARS]].tolist() == [5, 10, -5, 6]


def test_an_open_trade_is_passed_over() -> None:
    """Wherever it stands among the closed ones."""
    table, found, alone = trade_table([(0, 3, 4, 10.0, 2.0), (3, 4, -4, 20.0, -2.0)]), started(), started()
    table[trades.IS_OPEN, 0] = 1.0
    tally.tally_trades(table, 2, 0.5, found)
    tally.tally_trades(table[:, 1:].copy(), 1, 0.5, alone)
    assert found.tobytes() == alone.tobytes() and found[tally.CLOSED] == 1.0


def _trades_by_hand(closed: Sequence[Trade], lot: float) -> list[float]:
    profits = [Fraction(profit) for *_, profit in closed]
    returned = [
        100 * Fraction(profit) / (abs(lots) * Fraction(lot) * Fraction(price)) for _, _, lots, price, profit in closed
    ]
    found = [0.0] * tally.TRADE_TALLY
    found[tally.CLOSED], found[tally.WON] = len(closed), sum(profit > 0 for profit in profits)
    found[tally.GAINED] = float(sum(max(profit, Fraction(0)) for profit in profits))
    found[tally.LOST] = float(sum(max(-profit, Fraction(0)) for profit in profits))
    found[tally.EARNED], found[tally.RETURNED_PCT] = float(sum(profits)), float(sum(returned))
    found[tally.BEST_PCT] = float(max(returned, default=-np.inf))
    found[tally.WORST_PCT] = float(min(returned, default=np.inf))
    found[tally.BARS] = sum(stop - start for start, stop, *_ in closed)
    return found


some_trades = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(0, 9), st.integers(-5, 5).filter(bool), st.floats(1.0, 500.0),
        st.sampled_from([-30.0, -0.1, 0.0, 0.3, 12.0]),
    ),
    max_size=14,
).map(lambda drawn: [(entry, entry + held, *rest) for entry, held, *rest in drawn])  # fmt: skip


@given(closed=some_trades, lot=st.sampled_from([1e-8, 0.5, 1.0]))
def test_trades_are_those_of_fractions(closed: list[Trade], lot: float) -> None:
    """Every sum, to some last bits of what was added; and what lies behind the count is not read."""
    found = started()
    tally.tally_trades(trade_table(closed), len(closed), lot, found)
    expected = np.array(_trades_by_hand(closed, lot))
    scale = np.where(np.isfinite(expected), 1.0 + np.abs(expected), 1.0) * (1e10 if lot < 0.1 else 1e4)
    assert_close(found, expected, 1e-13, scale)


@given(first=some_trades, second=some_trades)
def test_a_pairs_trades_are_added_by_their_exits(first: list[Trade], second: list[Trade]) -> None:
    """The same bits as of one table in order of exits, where the first leg's stand before the second's."""
    first, second = (sorted(each, key=lambda trade: trade[1]) for each in (first, second))
    merged = sorted([*first, *second], key=lambda trade: trade[1])  # which keeps the order of equal ones
    whole, pair = started(), started()
    tally.tally_trades(trade_table(merged), len(merged), 0.5, whole)
    tally.tally_pair(trade_table(first), len(first), trade_table(second), len(second), 0.5, pair)
    assert_same_bits(pair, whole, "pair")
