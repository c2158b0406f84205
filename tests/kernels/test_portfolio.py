"""The portfolio's kernels on small arrays: the same bits wherever a call ends, and curves that a loop gives too."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from barstep.kernels import account, portfolio, venue
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel

BARS, INSTRUMENTS, SCHEDULES = 40, 3, 2


def _prices(seed: int) -> Floats:
    """Column 0 is the bar before; one instrument lacks a few bars, and its close is carried forward."""
    prices = np.empty((INSTRUMENTS, 5, BARS + 1))
    for i in range(INSTRUMENTS):
        columns = walk(BARS + 1, seed + i)
        prices[i] = columns.open, columns.high, columns.low, columns.close, columns.volume
    prices[1, :3, 7:11] = np.nan
    prices[1, 3, 7:11] = prices[1, 3, 6]
    return prices


def _rules(seed: int) -> Floats:
    rules = np.zeros((SCHEDULES, INSTRUMENTS, venue.VENUE_RULES))
    rules[:, :, account.FEE], rules[:, :, account.LOT], rules[:, :, venue.LEVERAGE] = 1e-3, 0.01, 1.0
    rules[:, :, account.MAX_NOTIONAL], rules[:, :, account.MAX_AGE_BARS] = np.inf, 3.0
    rules[:, :, venue.CARRY_REST] = 1.0
    rules[seed % SCHEDULES, :, venue.STOP_DISTANCE] = 0.01
    return rules


def _trade(seed: int, cuts: Sequence[int], capacity: int, *, rebalances: float) -> tuple[Floats, Floats, Floats]:
    """Fills, account and cells after all bars, in calls that end before each of `cuts`."""
    rng = np.random.default_rng(seed)
    prices, rules = _prices(seed), _rules(seed)
    wishes = rng.uniform(-0.4, 0.4, (SCHEDULES, INSTRUMENTS, BARS + 1))
    wishes[:, :, rng.random(BARS + 1) < 0.5] = np.nan
    numbers = np.arange(100, 100 + BARS + 1)
    places = np.arange(-1, BARS)
    watched = np.zeros((SCHEDULES, INSTRUMENTS), dtype=np.int64)
    portfolio.fill_watched(rules, watched)
    marks, cells = np.full(INSTRUMENTS, np.nan), np.zeros((SCHEDULES, INSTRUMENTS, venue.VENUE_CARRY))
    state = np.zeros(portfolio.PORTFOLIO_ACCOUNT)
    state[account.CASH], state[portfolio.REBALANCES] = 1000.0, rebalances
    fills = np.full((account.FILL_COLUMNS, capacity), POISON)
    for start, stop in pairwise([1, *sorted(cuts), BARS + 1]):
        at = start
        while at < stop:
            at = portfolio.trade_portfolio(
                prices, np.empty((INSTRUMENTS, 0)), wishes, numbers, places, rules, watched, marks, state, cells,
                fills, at, stop,
            )  # fmt: skip
            if at < stop:
                fills = np.concatenate((fills, np.full((account.FILL_COLUMNS, 5), POISON)), axis=1)
    return np.ascontiguousarray(fills[:, : int(state[account.FILLS])]), state, cells


@given(
    seed=st.integers(0, 99),
    cuts=st.lists(st.integers(1, BARS), max_size=4),
    capacity=st.integers(0, 60),
    rebalances=st.sampled_from([0.0, 1.0]),
)
def test_any_cut_gives_the_same_bits(seed: int, cuts: list[int], capacity: int, rebalances: float) -> None:
    """Calls may end anywhere, and the table of fills may run full anywhere."""
    whole = _trade(seed, [], 5000, rebalances=rebalances)
    for got, expected in zip(_trade(seed, cuts, capacity, rebalances=rebalances), whole, strict=True):
        assert_same_bits(got, expected, f"cut at {sorted(cuts)}, capacity {capacity}")


@given(seed=st.integers(0, 99))
def test_money_is_where_the_fills_say(seed: int) -> None:
    """Cash is the capital less what the fills took; lots held are the sum of the fills of each leg."""
    fills, state, cells = _trade(seed, [], 5000, rebalances=0.0)
    taken = fills[account.FILL_LOTS] * fills[account.FILL_PRICE] + fills[account.FILL_FEE]
    assert state[account.CASH] == pytest.approx(1000.0 - taken.sum(), rel=1e-9)
    for leg in range(SCHEDULES * INSTRUMENTS):
        units = fills[account.FILL_LOTS][fills[account.FILL_LEG] == leg].sum()
        held = cells[leg // INSTRUMENTS, leg % INSTRUMENTS, account.LOTS] * 0.01
        assert units == pytest.approx(held, abs=1e-9)


def test_curves_are_what_a_loop_gives() -> None:
    """Cash at each bar, and a position at each close, written in full over what was there."""
    fills = np.zeros((account.FILL_COLUMNS, 3))
    fills[account.FILL_BAR], fills[account.FILL_LOTS] = [1, 1, 3], [2.0, 1.0, -3.0]
    fills[account.FILL_PRICE], fills[account.FILL_FEE] = [10.0, 20.0, 15.0], [1.0, 0.0, 2.0]
    curve = np.full(5, POISON)
    portfolio.add_cash(fills, 100.0, curve)
    assert curve.tolist() == [100.0, 59.0, 59.0, 102.0, 102.0]
    portfolio.add_position(fills[account.FILL_BAR], fills[account.FILL_LOTS], np.arange(10.0, 15.0), curve)
    assert curve.tolist() == [100.0, 59.0 + 33.0, 59.0 + 36.0, 102.0, 102.0]
