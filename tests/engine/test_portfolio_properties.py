"""What holds for every portfolio: a plain loop agrees, no look-ahead, no money from nowhere, no bit by chunks."""

from __future__ import annotations

from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine import portfolio as module
from barstep.engine.bars import Bars
from barstep.engine.execution import Execution
from barstep.kernels import account
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR_US, QUICK, START_US, walk_bars
from panels import attributed, bits, changed_after, random_weights, speaking, times_of, walks
from plain_portfolio import follow_weights

SEEDS = st.integers(0, 10_000)
SIZING = st.sampled_from(["close", "fill"])
GAPS = st.sampled_from([0.0, 0.1])
COSTS = st.fixed_dictionaries(
    {
        "fee_bps": st.sampled_from([0.0, 7.5, 250.0]),
        "slippage_bps": st.sampled_from([0.0, 3.0, 400.0]),
        "lot": st.sampled_from([1e-3, 0.1, 1.0]),
        "max_order_age_bars": st.sampled_from([1.0, 3.0, float("inf")]),
    }
)
VENUE = st.fixed_dictionaries(
    {
        "fee_bps": st.sampled_from([0.0, 20.0]),
        "slippage_bps": st.sampled_from([0.0, 5.0]),
        "max_volume_share": st.sampled_from([None, 1e-3]),
        "stop_loss_pct": st.sampled_from([0.0, 1.0]),
        "take_profit_pct": st.sampled_from([0.0, 2.0]),
        "trailing_stop_pct": st.sampled_from([0.0, 1.5]),
        "limit_offset_bps": st.sampled_from([0.0, 30.0]),
        "leverage": st.sampled_from([1.0, 3.0]),
        "liquidation_fee_bps": st.sampled_from([0.0, 50.0]),
        "borrow_pct": st.sampled_from([0.0, 40.0]),
        "min_notional": st.sampled_from([0.0, 500.0]),
    }
)


def weights_for(bars: list[Bars], seed: int, **how: Any) -> np.ndarray:
    """Random weights on the union of the bars' times."""
    return random_weights(len(times_of(bars)), len(bars), seed, **how)


@given(SEEDS, COSTS, SIZING, GAPS, st.sampled_from([1, 4]), st.sampled_from([1.0, 2.5]))
def test_a_portfolio_is_that_of_a_plain_loop(
    seed: int, costs: dict[str, Any], sizing: Any, gaps: float, every: int, most: float
) -> None:
    """All fills, and equity at all closes, are those of a loop in plain Python."""
    bars = walks(4, 120, seed, gaps)
    weights = weights_for(bars, seed, most=most)
    by_instrument = {"B": {"lot": 0.5, "fee_bps": 40.0}}
    result = bs.portfolio(bars, weights, every=every, sizing_price=sizing, by_instrument=by_instrument, **costs)
    rules = [Execution(**(costs | by_instrument.get(each.symbol, {}))) for each in bars]
    plain = follow_weights(bars, weights, rules, every=every, at_fill=sizing == "fill")
    expected, got = np.array(plain.fills).reshape(-1, 5).T, result.fill_table
    np.testing.assert_array_equal(got[[account.FILL_BAR, account.FILL_LEG]], expected[:2])
    np.testing.assert_allclose(got[[account.FILL_LOTS, account.FILL_PRICE, account.FILL_FEE]], expected[2:], rtol=1e-12)
    np.testing.assert_allclose(result.equity_values, plain.equity, rtol=1e-9, atol=1e-6)


@given(SEEDS, VENUE, SIZING)
def test_bits_of_weights_do_not_depend_on_chunks(seed: int, options: dict[str, Any], sizing: Any) -> None:
    """Bars traded one, two or seven at a time give the fills and the equity of bars traded at once."""
    bars = walks(3, 60, seed, gaps=0.1)
    weights = weights_for(bars, seed)
    if sizing == "fill":
        options = options | {"limit_offset_bps": 0.0, "max_volume_share": None}
    found = set()
    for chunk in (1, 2, 7, 1024):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_CHUNK", chunk)
            found.add(bits(bs.portfolio(bars, weights, sizing_price=sizing, **options)))
    assert len(found) == 1


@given(SEEDS, st.sampled_from([0.0, 1.0]), GAPS)
def test_bits_of_strategies_do_not_depend_on_chunks(seed: int, stop: float, gaps: float) -> None:
    """The same for engines, whose wishes are made in chunks too, over gaps."""
    bars = walks(3, 90, seed, gaps)
    plan = [
        bs.Allocation(strategy="sma_crossover", weight=0.6, parameters=QUICK["sma_crossover"]),
        bs.Allocation(
            strategy="mean_reversion", weight=0.4, parameters=QUICK["mean_reversion"], options={"stop_loss_pct": stop}
        ),
    ]
    found = set()
    for chunk in (1, 2, 7, 1024):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_CHUNK", chunk)
            found.add(bits(bs.portfolio(bars, plan)))
    assert len(found) == 1


@given(SEEDS, VENUE, SIZING, GAPS, st.integers(1, 79))
def test_a_later_bar_changes_no_earlier_fill(
    seed: int, options: dict[str, Any], sizing: Any, gaps: float, cut: int
) -> None:
    """With all bars from `cut` on changed, every earlier fill and mark stays the same to the last bit."""
    bars = walks(3, 80, seed, gaps)
    if sizing == "fill":
        options = options | {"limit_offset_bps": 0.0, "max_volume_share": None}
    weights = weights_for(bars, seed)
    hour = (times_of(bars)[cut] - START_US) // HOUR_US
    changed = [changed_after(each, hour, factor) for each, factor in zip(bars, (1.5, 0.4, 1.1), strict=True)]
    before, after = (bs.portfolio(each, weights, sizing_price=sizing, **options) for each in (bars, changed))
    first, second = (result.fill_table[:, result.fill_table[account.FILL_BAR] < cut] for result in (before, after))
    assert first.tobytes() == second.tobytes()
    assert before.equity_values[:cut].tobytes() == after.equity_values[:cut].tobytes()


@given(SEEDS, st.integers(20, 99), GAPS)
def test_strategies_see_no_later_bar(seed: int, cut: int, gaps: float) -> None:
    """The same for engines: their wishes at `cut` are made at its close."""
    bars = walks(2, 100, seed, gaps)
    hour = (times_of(bars)[cut] - START_US) // HOUR_US
    changed = [changed_after(each, hour, factor) for each, factor in zip(bars, (1.3, 0.6), strict=True)]
    plan = [bs.Allocation(strategy="sma_crossover", parameters=QUICK["sma_crossover"])]
    before, after = (bs.portfolio(each, plan) for each in (bars, changed))
    first, second = (result.fill_table[:, result.fill_table[account.FILL_BAR] < cut] for result in (before, after))
    assert first.tobytes() == second.tobytes()
    assert before.equity_values[:cut].tobytes() == after.equity_values[:cut].tobytes()


@given(SEEDS, VENUE, GAPS)
def test_nothing_comes_from_nowhere(seed: int, options: dict[str, Any], gaps: float) -> None:
    """Final equity is the capital and the profit of all trades, and cash with all positions at their last closes."""
    bars = walks(3, 120, seed, gaps)
    result = bs.portfolio(bars, weights_for(bars, seed), **options)
    held = result.cells[:, :, account.LOTS] * result.setup.rules[:, :, account.LOT]
    at_marks = result.cash + float((held * [each.close[-1] for each in bars]).sum())
    near = pytest.approx(result.final_equity, rel=1e-9, abs=1e-6)
    assert at_marks == near
    assert 100_000.0 + result.trades["profit"].sum() == near
    for by in ("schedule", "instrument", "tag"):
        assert 100_000.0 + sum(attributed(result, by).values()) == near


@given(SEEDS, VENUE)
def test_strategies_make_nothing_from_nowhere(seed: int, options: dict[str, Any]) -> None:
    """The same for strategies that hold opposite positions, by their names and by their tags."""
    bars = [speaking_bars(each, seed + i) for i, each in enumerate(walks(3, 120, seed, 0.1))]
    plan = [
        speaking("with", weight=0.7, tag="one", options=options),
        speaking("against", -1.0, weight=0.3, tag="two"),
        speaking("again", 0.5, tag="one", instruments=["A", "C"]),
    ]
    result = bs.portfolio(bars, plan)
    assert result.fill_table.shape[1] > 20
    for by in ("schedule", "instrument", "tag"):
        assert 100_000.0 + sum(attributed(result, by).values()) == pytest.approx(result.final_equity, rel=1e-9)


def speaking_bars(bars: Bars, seed: int) -> Bars:
    """The bars with volumes that say random wishes."""
    columns = bars.values[:5].copy()
    columns[4] = np.round(np.random.default_rng(seed).uniform(9.0, 11.0, len(bars)))
    return Bars.from_arrays(bars.ts_us, *columns, interval_seconds=bars.interval_seconds, symbol=bars.symbol)


@given(SEEDS, COSTS, SIZING, GAPS)
def test_longs_without_leverage_never_owe(seed: int, costs: dict[str, Any], sizing: Any, gaps: float) -> None:
    """However much the weights ask for, fees and slippage included, cash is never under 0."""
    bars = walks(4, 120, seed, gaps, step=0.03)
    result = bs.portfolio(bars, weights_for(bars, seed, longs=True, most=3.0), sizing_price=sizing, **costs)
    t = result.fill_table
    paid = t[account.FILL_LOTS] * t[account.FILL_PRICE] + t[account.FILL_FEE]
    assert (100_000.0 - np.cumsum(paid)).min() >= -1e-6
    assert result.refusals["cut_by_cash"] > 0


@given(SEEDS, COSTS, VENUE, GAPS, st.booleans())
def test_one_of_one_is_a_backtest(
    seed: int, costs: dict[str, Any], rules: dict[str, Any], gaps: float, plain: bool
) -> None:
    """One instrument with one strategy of weight 1 has the fills of its backtest, to the last bit."""
    bars = walk_bars(300, seed, gaps=gaps)
    options = costs if plain else costs | rules
    for engine in ("sma_crossover", "mean_reversion", "grid_trading"):
        single = bs.backtest(bars, engine, **QUICK[engine], **options)
        one = bs.portfolio([bars], [bs.Allocation(strategy=engine, parameters=QUICK[engine])], **options)
        expected = single.fill_table.copy()
        expected[account.FILL_LOTS] *= single.execution.lot
        assert one.fill_table.tobytes() == expected.tobytes()
        assert one.cash == single.account[account.CASH]
        assert one.refusals == single.refusals
        np.testing.assert_allclose(one.equity_values, single.equity_values, rtol=1e-12)


@given(SEEDS, VENUE, st.integers(0, 2))
def test_a_strategy_without_a_share_changes_nothing(seed: int, options: dict[str, Any], place: int) -> None:
    """With a weight of 0 it trades nothing, and the others' fills are the same to the last bit."""
    bars = [speaking_bars(each, seed + i) for i, each in enumerate(walks(2, 100, seed, 0.1))]
    plan = [speaking("with", weight=0.7), speaking("against", -1.0, weight=0.3)]
    before = bs.portfolio(bars, plan, **options)
    plan.insert(place, speaking("idle", weight=0.0, options={"stop_loss_pct": 3.0}))
    after = bs.portfolio(bars, plan, **options)
    table = after.fill_table.copy()
    schedule, instrument = np.divmod(table[account.FILL_LEG], 2)
    assert not (schedule == place).any()
    table[account.FILL_LEG] = (schedule - (schedule > place)) * 2 + instrument
    assert table.tobytes() == before.fill_table.tobytes()
    assert after.equity_values.tobytes() == before.equity_values.tobytes()
