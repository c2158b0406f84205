"""Round trips from fills: hand-computed cases, and exact fractions kept by a plain loop."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from barstep.kernels import account, trades
from barstep.kernels.fill_kinds import LIQUIDATION, MARKET, STOP, TAKE_PROFIT
from contract import POISON, assert_close, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

Fill = tuple[float, float, float, float, float]
"""Bar, leg, lots, price, fee."""

KIND = 3.0
"""What all fills of these tests are: a number that no trade has of itself."""

LAST_BAR, LAST_PRICE = 99.0, 12.5


def table_of(fills: list[Fill]) -> Floats:
    rows = np.array(fills, dtype=float).reshape(-1, account.FILL_KIND).T
    rest = np.full((account.FILL_COLUMNS - account.FILL_KIND, len(fills)), KIND)
    return np.concatenate((rows, rest))


def round_trips(fills: list[Fill], leg: float = 0.0, lot: float = 1.0) -> Floats:
    """Trades as columns, from a table that was full of poison and is written no further than it must be."""
    table = np.full((trades.TRADE_COLUMNS, len(fills) + 1), POISON)
    count = trades.round_trips(table_of(fills), leg, lot, LAST_BAR, LAST_PRICE, np.zeros(trades.TRIP_CARRY), table)
    assert (bits(table[:, count:]) == bits(POISON)).all(), "written beyond the count"
    assert not (bits(table[:, :count]) == bits(POISON)).any(), "a column was left out"
    return table[:, :count]


def of(*changes: tuple[float, float], fee: float = 0.0) -> list[Fill]:
    """Fills of (lots, price) at bars 0, 1, 2, …, each at the same fee."""
    return [(float(bar), 0.0, lots, price, fee) for bar, (lots, price) in enumerate(changes)]


def test_no_fills_make_no_trades() -> None:
    """Of nothing comes nothing."""
    assert round_trips([]).shape == (trades.TRADE_COLUMNS, 0)


@pytest.mark.parametrize(("lots", "profit"), [(5.0, 10.0), (-5.0, -10.0)])
def test_a_trade_from_entry_to_exit(lots: float, profit: float) -> None:
    """In at 10 and out at 12: bars, leg, lots with their sign, prices, fees, profit, and whether it is open."""
    got = round_trips(of((lots, 10.0), (-lots, 12.0), fee=0.5))
    assert got.T.tolist() == [[0.0, 1.0, 0.0, lots, 10.0, 12.0, 1.0, profit - 1.0, 0.0, KIND]]


def test_a_partial_close_takes_its_share_of_the_fee() -> None:
    """A quarter sold bears a quarter of the fee on the entry; the rest goes with the rest."""
    got = round_trips([(0.0, 0.0, 8.0, 10.0, 4.0), (3.0, 0.0, -2.0, 11.0, 0.5), (7.0, 0.0, -6.0, 9.0, 0.25)])
    assert got[trades.TRADE_FEES].tolist() == [1.5, 3.25]
    assert got[trades.PROFIT].tolist() == [0.5, -9.25]
    assert got[trades.EXIT_BAR].tolist() == [3.0, 7.0]


def test_several_entries_are_one_at_their_average() -> None:
    """Bought at 10 and three times as much at 14, the entry price is 13, and the entry bar the first."""
    got = round_trips(of((1.0, 10.0), (3.0, 14.0), (-4.0, 15.0)))
    assert got.T.tolist() == [[0.0, 2.0, 0.0, 4.0, 13.0, 15.0, 0.0, 8.0, 0.0, KIND]]


def test_a_flip_closes_one_trade_and_opens_another() -> None:
    """The fee of the one fill is shared by lots between what it closes and what it opens."""
    got = round_trips([(0.0, 0.0, 2.0, 10.0, 0.0), (1.0, 0.0, -6.0, 11.0, 0.75), (2.0, 0.0, 4.0, 9.0, 1.0)])
    assert got[trades.TRADE_LOTS].tolist() == [2.0, -4.0]
    assert got[trades.TRADE_FEES].tolist() == [0.25, 1.5]
    assert got[trades.PROFIT].tolist() == [1.75, 6.5]
    assert got[trades.ENTRY_BAR].tolist() == [0.0, 1.0]


def test_what_is_held_at_the_end_is_an_open_trade() -> None:
    """It is valued at the last price, and bears the fees of its entry only."""
    got = round_trips(of((4.0, 10.0), fee=1.0), lot=0.5)
    assert got.T.tolist() == [[0.0, LAST_BAR, 0.0, 4.0, 10.0, LAST_PRICE, 1.0, 4.0, 1.0, -1.0]]


def test_legs_are_kept_apart() -> None:
    """The fills of the other leg make no part of this one's trades."""
    fills = [(0.0, 0.0, 1.0, 10.0, 0.0), (0.0, 1.0, -1.0, 11.0, 0.0), (5.0, 0.0, -1.0, 13.0, 0.0)]
    assert round_trips(fills, 0.0)[trades.PROFIT].tolist() == [3.0]
    assert round_trips(fills, 1.0)[[trades.PROFIT, trades.IS_OPEN], 0].tolist() == [-1.5, 1.0]


def test_what_holding_costs_is_shared_out_by_lots() -> None:
    """Funding of 2 on four lots: three that leave bear 1.5 of it, and the one that stays the rest."""
    fills = [(0.0, 0.0, 4.0, 10.0, 0.0), (1.0, 0.0, 0.0, 10.0, 2.0), (2.0, 0.0, -3.0, 10.0, 0.0)]
    assert round_trips(fills)[trades.TRADE_FEES].tolist() == [1.5, 0.5]


def test_what_made_the_exit_is_told() -> None:
    """Each trade has the kind of the fill that closed it, an open one none."""
    table = table_of(of((4.0, 10.0), (-1.0, 11.0), (-1.0, 12.0), (-1.0, 13.0)))
    table[account.FILL_KIND] = [MARKET, STOP, TAKE_PROFIT, LIQUIDATION]
    found = np.full((trades.TRADE_COLUMNS, 5), POISON)
    count = trades.round_trips(table, 0.0, 1.0, LAST_BAR, LAST_PRICE, np.zeros(trades.TRIP_CARRY), found)
    assert found[trades.EXIT_KIND, :count].tolist() == [STOP, TAKE_PROFIT, LIQUIDATION, -1.0]


@dataclass
class Position:
    """What is held, what was paid for it, and the fees of that, as exact fractions."""

    lots: int = 0
    paid: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    since: float = 0.0


def _by_hand(fills: list[Fill], lot: float) -> list[list[float | Fraction]]:
    position, found = Position(), []
    for bar, leg, lots, price, fee in fills:
        if leg != 0.0:
            continue
        left, cost, fee_left = int(lots), Fraction(price), Fraction(fee)
        if left == 0:
            position.fees += fee_left  # what holding cost
            continue
        if position.lots * left < 0:
            part = min(abs(left), abs(position.lots))
            closed = part if position.lots > 0 else -part
            share = Fraction(closed, position.lots)
            exit_fee = fee_left * Fraction(part, abs(left))
            entry, fees = position.paid / position.lots, position.fees * share + exit_fee
            profit = (cost - entry) * closed * Fraction(lot) - fees
            found.append([position.since, bar, 0.0, closed, entry, cost, fees, profit, 0.0, KIND])
            position.paid -= position.paid * share
            position.fees -= position.fees * share
            position.lots -= closed
            left, fee_left = left + closed, fee_left - exit_fee
        if left:
            position.since = position.since if position.lots else bar
            position.lots, position.paid = position.lots + left, position.paid + left * cost
            position.fees += fee_left
    if position.lots:
        entry, last = position.paid / position.lots, Fraction(LAST_PRICE)
        profit = (last - entry) * position.lots * Fraction(lot) - position.fees
        found.append(
            [position.since, LAST_BAR, 0.0, position.lots, entry, last, position.fees, profit, 1.0, -1.0],
        )
    return found


def _held_only(rows: list[tuple[float, int, float, float]]) -> list[Fill]:
    """Fills at bars 0, 1, 2, …; holding costs nothing where nothing is held."""
    held, kept = {0.0: 0, 1.0: 0}, []
    for leg, lots, price, fee in rows:
        if lots or held[leg]:
            kept.append((float(len(kept)), leg, float(lots), price, fee))
        held[leg] += lots
    return kept


some_fills = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.0, 1.0]),
        st.integers(-9, 9),
        st.floats(1.0, 1000.0),
        st.sampled_from([0.0, 0.1, 2.0]),
    ),
    max_size=30,
).map(_held_only)


@given(fills=some_fills, lot=st.sampled_from([1e-8, 0.5, 1.0]))
def test_agrees_with_exact_fractions(fills: list[Fill], lot: float) -> None:
    """Every column of every trade is that of a book kept in fractions, to some last bits of the money moved."""
    got, expected = round_trips(fills, lot=lot), _by_hand(fills, lot)
    exact = np.array([[float(value) for value in row] for row in expected]).reshape(-1, trades.TRADE_COLUMNS).T
    assert_close(got, exact, 1e-12, 1e4)
    assert_close(got[:4], exact[:4], 0.0)


@given(fills=some_fills)
def test_fees_are_all_borne(fills: list[Fill]) -> None:
    """The fees of the trades, open ones included, are the fees of the leg's fills."""
    paid = sum(fee for _, leg, _, _, fee in fills if leg == 0.0)
    assert round_trips(fills)[trades.TRADE_FEES].sum() == pytest.approx(paid, abs=1e-10)
