"""Many parameter sets in one loop: each has the bits of the same set run by itself, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from barstep.engine.strategy import StrategyEngine
from barstep.kernels import account, sweep, tally
from barstep.kernels.fill_kinds import FUNDING, LIQUIDATION, MARKET, STOP, TAKE_PROFIT
from contract import assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from sweeps import (
    ALL,
    ENGINES,
    PARTS,
    VENUE_TERMS,
    History,
    Set,
    funded,
    hedged_set,
    history_of,
    set_of,
    single,
    swept,
)

pytestmark = pytest.mark.unit_kernel

BLOCK = sweep.BLOCK
TREND = {"breakout_lookback": 7, "momentum_window": 5, "min_trend_strength": 0.0, "min_momentum": 0.0}
REVERSION: dict[str, Any] = {"entry_zscore": 1.2, "exit_zscore": 0.2, "volatility_cap": 1000.0}
SETS: dict[str, list[Set]] = {
    "sma_crossover": [
        set_of(fast_ma=4, slow_ma=15, allow_short=True), set_of(VENUE_TERMS, fast_ma=15, slow_ma=40),
        set_of(fast_ma=3, slow_ma=15),
    ],
    "daily_trend_momentum": [
        set_of(fast_ma=5, slow_ma=20, allow_short=True, **TREND), set_of(VENUE_TERMS, fast_ma=7, slow_ma=20, **TREND),
    ],
    "mean_reversion": [
        set_of(lookback=12, **REVERSION), set_of(VENUE_TERMS, lookback=30, **REVERSION),
    ],
    "grid_trading": [
        set_of(grid_spacing=0.005, anchor_window=24), set_of(VENUE_TERMS, grid_spacing=0.01, anchor_window=9),
    ],
    "volatility_target": [
        set_of(lookback=24, allow_short=True), set_of(VENUE_TERMS, lookback=10, rebalance_threshold=0.1),
    ],
    "cross_exchange_arbitrage": [
        hedged_set(spread_entry=0.002, spread_exit=0.0005), hedged_set(spread_entry=0.001, max_open_seconds=20_000.0),
    ],
}  # fmt: skip
"""Sets that trade a lot, some by a venue's rules."""

GAPS = (1, 2, 5, 40, 300, BLOCK - 1, BLOCK, BLOCK + 1)
"""In the first bars, inside a block, and around its edge."""

every_engine = pytest.mark.parametrize("engine", [ENGINES[name] for name in SETS], ids=lambda engine: engine.name)


def is_hedged(engine: StrategyEngine) -> bool:
    return engine.needs_secondary


def check(engine: StrategyEngine, history: History, sets: Sequence[Set], **given: Any) -> list[Any]:
    """Each part of each set has the bits of the set by itself; gives those."""
    found, alone = swept(engine, history, sets, **given), [single(engine, history, one) for one in sets]
    for name in PARTS:
        assert_same_bits(found.part(name), np.stack([one.parts[name] for one in alone]), name)
    return alone


@every_engine
def test_every_set_is_what_it_is_by_itself(engine: StrategyEngine) -> None:
    """Account, curve, costs and trades, over gaps and the edge of a block, plain ones among those of a venue."""
    history = history_of(BLOCK + 80, GAPS, hedged=is_hedged(engine))
    found = check(engine, history, SETS[engine.name])
    assert max(one.parts["trades"][tally.CLOSED] for one in found) > 20, "it hardly trades: the comparison says little"


def test_the_comparison_can_fail() -> None:
    """A window longer by a bar is another account."""
    engine, history = ENGINES["sma_crossover"], history_of(120)
    one, other = set_of(fast_ma=4, slow_ma=15), set_of(fast_ma=4, slow_ma=16)
    with pytest.raises(AssertionError, match="account"):
        assert_same_bits(
            swept(engine, history, [one]).part("account")[0], single(engine, history, other).parts["account"], "account"
        )


def test_the_terms_of_a_venue_are_used() -> None:
    """Its sets meet stops, targets and liquidations, so that what is compared has them."""
    engine = ENGINES["sma_crossover"]
    close = set_of({**VENUE_TERMS, "stop_distance": 0.0, "trail_distance": 0.0, "maintenance": 0.3})
    history = funded(history_of(400, (7, 90)))
    sets = [
        replace(one, rules=one.rules, parameters={"fast_ma": 4, "slow_ma": 15, "allow_short": True})
        for one in (set_of({**VENUE_TERMS, "funded": 1.0}), close)
    ]
    found = check(engine, history, sets)
    kinds = {int(kind) for one in found for kind in one.fills[account.FILL_KIND]}
    assert kinds >= {MARKET, STOP, TAKE_PROFIT, LIQUIDATION, FUNDING}
    assert found[0].parts["fills"][tally.FUNDING_PAID] != 0.0


@pytest.mark.parametrize("cuts", [[BLOCK], [BLOCK, BLOCK, 2 * BLOCK], [0, 2 * BLOCK]], ids=str)
def test_cut_between_blocks_the_bits_are_the_same(cuts: list[int]) -> None:
    """State and slices, whether the bars come in one call or more, at one thread of calls or another."""
    engine, history = ENGINES["sma_crossover"], history_of(2 * BLOCK + 90, (3, BLOCK, 2 * BLOCK - 1))
    sets, ends = SETS["sma_crossover"][:2], [700, 1500, len(history)]
    whole = swept(engine, history, sets, slice_ends=ends)
    parts = swept(engine, history, sets, slice_ends=ends, cuts=cuts)
    assert_same_bits(parts.state, whole.state, "state")
    assert_same_bits(parts.slices, whole.slices, "slices")


@every_engine
def test_neither_order_nor_company_changes_a_set(engine: StrategyEngine) -> None:
    """Backwards, twice, alone, and with the indicators laid out otherwise."""
    history, sets = history_of(200, (5, 80), hedged=is_hedged(engine)), SETS[engine.name]
    whole = swept(engine, history, sets).state
    assert_same_bits(swept(engine, history, sets[::-1]).state, whole[::-1], "backwards")
    assert_same_bits(swept(engine, history, [*sets, *sets], seed=1).state, np.concatenate((whole, whole)), "twice")
    for k, one in enumerate(sets):
        assert_same_bits(swept(engine, history, [one]).state, whole[k : k + 1], "alone")


@st.composite
def some_histories(draw: st.DrawFn) -> History:
    """Few bars with any of them after a gap; often funded."""
    n = draw(st.integers(1, 90))
    gaps = draw(st.lists(st.integers(1, max(n - 1, 1)), max_size=6, unique=True)) if n > 1 else []
    return history_of(n, gaps, draw(st.integers(0, 99)), hedged=True)


@every_engine
@given(history=some_histories(), windows=st.tuples(st.integers(2, 6), st.integers(7, 20)), capital=st.floats(50, 5e4))
def test_any_gaps_and_windows(
    engine: StrategyEngine, history: History, windows: tuple[int, int], capital: float
) -> None:
    """Windows longer than what there is, a single bar, gaps at every second bar: the bits of the set by itself."""
    given: dict[str, Any] = {
        "sma_crossover": {"fast_ma": windows[0], "slow_ma": windows[1], "allow_short": True},
        "daily_trend_momentum": {"fast_ma": windows[0], "slow_ma": windows[1], "atr_window": windows[0], **TREND},
        "mean_reversion": {"lookback": windows[1], **REVERSION},
        "grid_trading": {"anchor_window": windows[1], "grid_spacing": 0.004},
        "volatility_target": {"lookback": windows[0], "allow_short": True},
        "cross_exchange_arbitrage": {"spread_entry": 0.001, "spread_exit": 0.0002},
    }[engine.name]
    one = hedged_set(**given) if is_hedged(engine) else set_of(**given)
    sets = [replace(one, capital=capital), SETS[engine.name][0]]
    if not is_hedged(engine):
        history = replace(history, bars=history.bars[:6].copy(), marks=history.bars[3], other_opens=history.bars[0])
    check(engine, history, sets)


@pytest.mark.parametrize("name", ["curve", "fills", "trades"])
def test_only_what_is_asked_for_is_added_up(name: str) -> None:
    """The rest stays as before the first bar; the account is traded whatever is asked."""
    engine, history, sets = ENGINES["sma_crossover"], history_of(200, (9,)), SETS["sma_crossover"]
    flag = {"curve": sweep.CURVE, "fills": sweep.FILL_TABLE, "trades": sweep.TRADE_TABLE}[name]
    whole, part = swept(engine, history, sets), swept(engine, history, sets, reduced=flag)
    before = swept(engine, history_of(0), sets, reduced=ALL)
    for each in ("curve", "fills", "trades"):
        assert_same_bits(part.part(each), (whole if each == name else before).part(each), each)
    assert_same_bits(part.part("account"), whole.part("account"), "account")


@pytest.mark.parametrize(
    "ends", [[150, 300], [1, 2, 3, 300], [0, 0, 7, 7, 300], list(range(1, 301))], ids=lambda ends: f"{len(ends)} slices"
)
def test_slices_have_the_moments_of_their_returns(ends: list[int]) -> None:
    """Count, mean and squares are numpy's over the bar returns of each part of the curve; an empty part has none."""
    engine, history, one = ENGINES["sma_crossover"], history_of(300, (40,)), set_of(fast_ma=4, slow_ma=15)
    slices = swept(engine, history, [one], slice_ends=ends, reduced=sweep.CURVE).slices[0]
    curve = np.concatenate(([one.capital], single(engine, history, one).curve))
    returns = curve[1:] / curve[:-1] - 1.0
    for part, (count, mean, squares) in zip(np.split(returns, ends)[: len(ends)], slices, strict=True):
        assert count == part.size
        expected = np.array([part.mean(), ((part - part.mean()) ** 2).sum()]) if part.size else np.zeros(2)
        assert_close(np.array([mean, squares]), expected, 1e-12, 1.0)
    assert (slices[:, 1] != 0.0).any()


def test_slices_over_the_edge_of_a_block() -> None:
    """The moments of a part that two blocks have something of are those of all of it."""
    equity = 100.0 * np.exp(0.01 * np.cumsum(np.random.default_rng(4).standard_normal(1500)))
    ends, moments = np.array([900, 1100, 1500]), np.zeros((3, 3))
    for start, stop, before in ((0, 1024, 100.0), (1024, 1500, float(equity[1023]))):
        sweep.add_slices(equity[start:stop], before, start, ends, moments, np.full(1024, np.nan))
    returns = np.diff(np.concatenate(([100.0], equity))) / np.concatenate(([100.0], equity))[:-1]
    for part, found in zip(np.split(returns, ends), moments, strict=False):
        assert_close(found, np.array([part.size, part.mean(), part.size * part.var()]), 1e-12, 1.0)


def test_no_bars_are_the_beginning() -> None:
    """Money of its own for each set, nothing held, nothing counted."""
    sets = [
        replace(one, capital=capital) for one, capital in zip(SETS["sma_crossover"], (1.0, 20.0, 300.0), strict=True)
    ]
    state = swept(ENGINES["sma_crossover"], history_of(0), sets).state
    for slot in (sweep.ACCOUNT + account.CASH, sweep.MARKING + account.MARK_CASH):
        assert state[:, slot].tolist() == [1.0, 20.0, 300.0]
    assert not state[:, sweep.ENGINE :].any()


def test_the_last_equity() -> None:
    """Cash, and what is held at its worth."""
    engine, history, sets = ENGINES["sma_crossover"], history_of(140), SETS["sma_crossover"]
    state, rules = swept(engine, history, sets).state, np.stack([one.rules for one in sets])
    found = np.full(len(sets), np.nan)
    sweep.final_equities(float(history.marks[-1]), rules, state, found)
    expected = [single(engine, history, one).curve[-1] for one in sets]
    assert_close(found, np.array(expected), 1e-13)
