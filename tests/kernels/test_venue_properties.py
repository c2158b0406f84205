"""What holds at a venue under any rules: no look-ahead, no money from nowhere, no price that was not there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from barstep.kernels import account, trades, venue
from barstep.kernels.columns import CLOSE, HIGH, LOW, OPEN
from barstep.kernels.fill_kinds import BORROW_COST, FUNDING, LIMIT, LIQUIDATION, TAKE_PROFIT
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from numpy.typing import NDArray
from venues import Outcome, follow, rules_of

pytestmark = pytest.mark.unit_kernel

CAPITAL = 1000.0
HOURS = 1 / 24


@dataclass(frozen=True)
class Situation:
    """Bars with gaps and hours without volume, wishes that change now and then, funding, and rules."""

    bars: Floats
    wishes: Floats
    numbers: NDArray[np.int64]
    funding: Floats
    rules: Floats

    def __len__(self) -> int:
        return self.wishes.size

    def trade(self, cuts: list[int] | range = range(0), capacity: int = 1000) -> Outcome:
        return follow(
            self.bars, self.wishes, self.rules, numbers=self.numbers, funding=self.funding, capital=CAPITAL,
            cuts=list(cuts), capacity=capacity,
        )  # fmt: skip


def _rules(draw: st.DrawFn, *, plain: bool) -> Floats:
    def one_of(*values: float) -> float:
        return 0.0 if plain else draw(st.sampled_from(values))

    return rules_of(
        fee=draw(st.sampled_from([0.0, 0.001])), slippage=draw(st.sampled_from([0.0, 0.0005])),
        lot=draw(st.sampled_from([1e-8, 0.013, 1.0])), units=draw(st.sampled_from([0.0, 3.7])),
        threshold=draw(st.sampled_from([0.0, 0.5])), max_notional=draw(st.sampled_from([float("inf"), 250.0])),
        max_age_bars=draw(st.sampled_from([1.0, 3.0])), maker_fee=one_of(0.0, 0.0005), tick=one_of(0.0, 0.01, 0.25),
        volume_slippage=one_of(0.0, 0.1), impact=one_of(0.0, 0.01), max_volume_share=one_of(0.0, 0.1),
        carry_rest=one_of(0.0, 1.0), min_notional=one_of(0.0, 100.0), limit_offset=one_of(0.0, 0.01),
        stop_distance=one_of(0.0, 0.02), take_profit_distance=one_of(0.0, 0.03), trail_distance=one_of(0.0, 0.04),
        leverage=1.0 if plain else draw(st.sampled_from([1.0, 3.0, 20.0])), maintenance=one_of(0.0, 0.01),
        liquidation_fee=one_of(0.0, 0.01), borrow_rate=one_of(0.0, 0.2), funded=one_of(0.0, 1.0),
        optimistic=one_of(0.0, 1.0), interval_days=HOURS,
    )  # fmt: skip


@st.composite
def situations(draw: st.DrawFn, *, plain: bool = False) -> Situation:
    n = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    close = 100.0 * np.exp(np.cumsum(0.015 * rng.standard_normal(n)))
    opening = np.concatenate((close[:1], close[:-1])) * np.exp(0.01 * rng.standard_normal(n) * (rng.random(n) < 0.3))
    high = np.maximum(opening, close) * np.exp(0.01 * rng.exponential(size=n))
    low = np.minimum(opening, close) * np.exp(-0.01 * rng.exponential(size=n))
    volume = rng.exponential(40.0, n) * (rng.random(n) < 0.9)
    bars = np.stack((opening, high, low, close, volume, np.full(n, np.nan)))
    levels = rng.choice([-1.0, -0.4, 0.0, 0.3, 0.97, 2.5], n)
    stays = np.maximum.accumulate(np.where(rng.random(n) < draw(st.sampled_from([0.05, 0.5])), np.arange(n), 0))
    numbers = np.cumsum(rng.choice([1, 1, 1, 2, 9], n)) + draw(st.integers(0, 50))
    funding = rng.normal(0.0, 0.001, n) * (rng.random(n) < 0.3)
    return Situation(bars, levels[stays], numbers, funding, _rules(draw, plain=plain))


cuts = st.lists(st.integers(0, 120), max_size=6)


@given(situation=situations(plain=True))
def test_without_rules_the_venue_is_the_account(situation: Situation) -> None:
    """Where nothing is asked for but costs and sizes, fills and account have the bits of the plain kernel."""
    rules, n = situation.rules, len(situation)
    carry, fills = np.zeros(account.ACCOUNT_CARRY), np.full((account.FILL_COLUMNS, 1000), POISON)
    carry[account.CASH] = CAPITAL
    opening, close = situation.bars[OPEN], situation.bars[CLOSE]
    account.trade_targets(
        opening, close, close, opening, situation.numbers, situation.wishes, rules, carry, fills, 0, n
    )
    got = situation.trade()
    assert_same_bits(got.fills, np.ascontiguousarray(fills[:, : int(carry[account.FILLS])]), "fills")
    assert_same_bits(got.carry[: account.ACCOUNT_CARRY], carry, "account")


@given(situation=situations(), cuts=cuts, capacity=st.integers(0, 9))
def test_any_cut_and_a_full_table_give_the_same_bits(situation: Situation, cuts: list[int], capacity: int) -> None:
    """One call, a call a bar, calls of any length, and calls taken up again where the table was full."""
    whole = situation.trade()
    somewhere = [min(cut, len(situation)) for cut in cuts]
    for resumed in (situation.trade(somewhere), situation.trade(range(len(situation))), situation.trade([], capacity)):
        assert_same_bits(resumed.fills, whole.fills, "fills")
        assert_same_bits(resumed.carry, whole.carry, "account")


@given(situation=situations(), stop=st.integers(0, 120))
def test_the_future_changes_no_fill(situation: Situation, stop: int) -> None:
    """Fills before a bar are the same whatever prices, volumes, rates and wishes follow."""
    before = situation.trade().fills
    situation.bars[:, stop:] *= 3.0
    situation.wishes[stop:] *= -1.0
    situation.funding[stop:] += 0.01
    after = situation.trade().fills
    assert_same_bits(after[:, after[0] < stop], before[:, before[0] < stop], f"fills before {stop}")


@given(situation=situations(), at=st.integers(0, 119))
def test_a_wish_fills_no_earlier_than_the_next_bar(situation: Situation, at: int) -> None:
    """Whatever is wished at a bar, its own fills and all before are the same."""
    before = situation.trade().fills
    situation.wishes[at:] = -situation.wishes[at:] + 0.1
    after = situation.trade().fills
    assert_same_bits(after[:, after[0] <= at], before[:, before[0] <= at], f"fills up to {at}")


def _profit_of_trades(got: Outcome, bars: int) -> float:
    table = np.full((trades.TRADE_COLUMNS, got.fills.shape[1] + 1), POISON)
    lot = float(got.rules[account.LOT])
    count = trades.round_trips(got.fills, 0.0, lot, bars - 1.0, got.last, np.zeros(trades.TRIP_CARRY), table)
    return float(table[trades.PROFIT, :count].sum())


@given(situation=situations())
def test_money_is_conserved(situation: Situation) -> None:
    """Start + profit at reference prices - slippage - fees - liquidation - funding - borrow = cash + position.

    It is the capital and the profits of all trades, too, and the last point of the marked curve.
    """
    got, n = situation.trade(), len(situation)
    kind, fee = got.fills[account.FILL_KIND], got.fills[account.FILL_FEE]
    quantity = got.fills[account.FILL_LOTS] * got.rules[account.LOT]
    price, reference = got.fills[account.FILL_PRICE], got.fills[account.FILL_REFERENCE]
    at_references = float((quantity * (got.last - reference)).sum())
    slippage = float((quantity * (price - reference)).sum())
    liquidated = float((np.abs(quantity) * price)[kind == LIQUIDATION].sum() * got.rules[venue.LIQUIDATION_FEE])
    fees = float(fee[kind < FUNDING].sum()) - liquidated
    holding = float(fee[kind == FUNDING].sum()) + float(fee[kind == BORROW_COST].sum())
    moved = CAPITAL + float((np.abs(quantity) * price).sum())
    expected = CAPITAL + at_references - slippage - fees - liquidated - holding
    assert got.equity == pytest.approx(expected, abs=1e-9 * moved)
    assert got.equity == pytest.approx(CAPITAL + _profit_of_trades(got, n), abs=1e-9 * moved)
    assert (quantity * (price - reference) >= -1e-9 * moved).all(), "slippage never pays"
    carry, curve = np.zeros(account.MARK_CARRY), np.full(n, POISON)
    carry[account.MARK_CASH] = CAPITAL
    account.mark_equity(got.fills, situation.bars[CLOSE], got.rules[account.LOT], carry, curve, 0, n)
    assert curve[-1] == pytest.approx(got.equity, abs=1e-9 * moved)


@given(situation=situations())
def test_fees_are_those_of_the_kind(situation: Situation) -> None:
    """What rests pays the maker's share of its value, a liquidation its fee on top, all else the taker's."""
    got = situation.trade()
    for kind, lots, price, fee in got.fills[[account.FILL_KIND, account.FILL_LOTS, account.FILL_PRICE, 4]].T:
        share = got.rules[venue.MAKER_FEE if kind in (LIMIT, TAKE_PROFIT) else account.FEE]
        share += got.rules[venue.LIQUIDATION_FEE] if kind == LIQUIDATION else 0.0
        if kind < FUNDING:
            assert fee == pytest.approx(abs(lots) * got.rules[account.LOT] * price * share, rel=1e-12)
        else:
            assert lots == 0.0


@given(situation=situations())
def test_without_margin_or_shorts_no_cash_is_owed(situation: Situation) -> None:
    """After every fill of an account that only buys what it can pay, cash is 0 or more."""
    np.maximum(situation.wishes, 0.0, out=situation.wishes)
    situation.rules[venue.LEVERAGE], situation.rules[venue.FUNDED] = 1.0, 0.0
    got = situation.trade()
    value = got.fills[account.FILL_LOTS] * got.rules[account.LOT] * got.fills[account.FILL_PRICE]
    cash = CAPITAL - np.cumsum(value + got.fills[account.FILL_FEE])
    assert (cash >= -1e-9 * CAPITAL).all()


@given(situation=situations())
def test_a_reference_price_was_there(situation: Situation) -> None:
    """Every price before slippage lies within its bar's range, and what rests is filled at just that price."""
    situation.rules[venue.TICK] = 0.0  # a grid's price next to a level may lie outside
    got = situation.trade()
    bar = got.fills[account.FILL_BAR].astype(int)
    reference, price = got.fills[account.FILL_REFERENCE], got.fills[account.FILL_PRICE]
    assert (reference >= situation.bars[LOW, bar]).all()
    assert (reference <= situation.bars[HIGH, bar]).all()
    rests = np.isin(got.fills[account.FILL_KIND], (LIMIT, TAKE_PROFIT))
    np.testing.assert_array_equal(price[rests], reference[rests])


@given(situation=situations(), tick=st.sampled_from([0.01, 0.25, 0.3]))
def test_prices_of_takers_lie_on_the_grid(situation: Situation, tick: float) -> None:
    """A taker's price is a whole number of ticks, on the worse side of its reference and less than one away from it."""
    situation.rules[venue.TICK] = tick
    for slot in (account.SLIPPAGE, venue.VOLUME_SLIPPAGE, venue.IMPACT):
        situation.rules[slot] = 0.0
    got = situation.trade()
    taken = got.fills[:, (got.fills[account.FILL_KIND] < FUNDING)]
    taken = taken[:, ~np.isin(taken[account.FILL_KIND], (LIMIT, TAKE_PROFIT))]
    steps = taken[account.FILL_PRICE] / tick
    np.testing.assert_allclose(steps, np.round(steps), rtol=0, atol=1e-6)
    worse = (taken[account.FILL_PRICE] - taken[account.FILL_REFERENCE]) * np.sign(taken[account.FILL_LOTS])
    assert ((worse > -1e-6 * tick) & (worse < tick * (1 + 1e-6))).all()


@given(situation=situations())
def test_an_order_takes_no_more_than_its_part_of_the_volume(situation: Situation) -> None:
    """Orders are held to a tenth of the bar; levels are not."""
    situation.rules[venue.MAX_VOLUME_SHARE] = 0.1
    got = situation.trade()
    ordered = got.fills[:, got.fills[account.FILL_KIND] <= LIMIT]
    quantity = np.abs(ordered[account.FILL_LOTS]) * got.rules[account.LOT]
    most = 0.1 * situation.bars[4, ordered[account.FILL_BAR].astype(int)]
    assert (quantity <= most * (1 + 1e-12)).all()


@given(situation=situations())
def test_a_position_binds_no_more_margin_than_there_is(situation: Situation) -> None:
    """After an order that opens or adds, value over leverage is within equity at its price."""
    got = situation.trade()
    lot, leverage = got.rules[account.LOT], got.rules[venue.LEVERAGE]
    cash, held = CAPITAL, 0.0
    for kind, lots, price, fee in got.fills[[account.FILL_KIND, account.FILL_LOTS, account.FILL_PRICE, 4]].T:
        cash -= lots * lot * price + fee
        grew = abs(held + lots) > abs(held) or (held + lots) * held < 0.0
        held += lots
        if kind <= LIMIT and lots and grew:
            assert abs(held) * lot * price / leverage <= (cash + held * lot * price) * (1 + 1e-9) + 1e-9


@given(situation=situations())
def test_hoping_is_never_worse_within_a_bar(situation: Situation) -> None:
    """Of the first bar in which the two orders differ, the better one leaves no less money at its close."""
    ends = []
    for optimistic in (0.0, 1.0):
        situation.rules[venue.OPTIMISTIC] = optimistic
        for slot in (account.FEE, venue.MAKER_FEE, venue.LIQUIDATION_FEE, account.SLIPPAGE, venue.TICK):
            situation.rules[slot] = 0.0
        situation.rules[[venue.VOLUME_SLIPPAGE, venue.IMPACT]] = 0.0
        ends.append(situation.trade())
    worse, better = (_curve(end, situation) for end in ends)
    differ = np.flatnonzero(np.abs(worse - better) > 1e-9 * CAPITAL)
    if differ.size:
        assert better[differ[0]] > worse[differ[0]]
        assert ends[0][venue.AMBIGUOUS] > 0.0
        assert ends[1][venue.AMBIGUOUS] > 0.0


def _curve(got: Outcome, situation: Situation) -> Floats:
    carry, curve = np.zeros(account.MARK_CARRY), np.full(len(situation), POISON)
    carry[account.MARK_CASH] = CAPITAL
    account.mark_equity(got.fills, situation.bars[CLOSE], got.rules[account.LOT], carry, curve, 0, len(situation))
    return curve
