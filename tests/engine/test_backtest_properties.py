"""What holds for every backtest: no look-ahead, no money from nowhere, no bit that depends on chunks or the past."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine import simulation
from barstep.engine.bars import Bars
from barstep.engine.execution import Execution
from barstep.kernels import _jit
from barstep.kernels.columns import HIGH, LOW
from hypothesis import given
from hypothesis import strategies as st
from making import (
    ENGINE_NAMES,
    QUICK,
    bits,
    part_of,
    random_wishes,
    rows_of,
    second_venue,
    walk_bars,
    with_rows,
)
from plain import follow

DONCHIAN = Path(__file__).resolve().parents[2] / "docs/examples/donchian.py"
SEEDS = st.integers(0, 10_000)
EXECUTIONS = st.fixed_dictionaries(
    {
        "fee_bps": st.sampled_from([0.0, 7.5, 250.0]),
        "slippage_bps": st.sampled_from([0.0, 3.0, 400.0]),
        "units": st.sampled_from([None, 0.3, 50.0]),
        "lot": st.sampled_from([1e-3, 0.1, 1.0]),
        "rebalance_threshold": st.sampled_from([0.0, 0.2]),
        "max_notional": st.sampled_from([float("inf"), 40_000.0]),
        "max_order_age_bars": st.sampled_from([1.0, 3.0, float("inf")]),
    }
)


def run_engine(name: str, bars: Bars, **options: Any) -> bs.Result:
    """Backtest a built-in engine with its quick parameters, on two venues where it wants them."""
    needs_two = bs.DEFAULT_STRATEGY_CATALOG[name].needs_secondary
    secondary = second_venue(bars) if needs_two else None
    return bs.backtest(bars, name, secondary=secondary, **(QUICK[name] | options))


@given(SEEDS, EXECUTIONS)
def test_an_account_is_that_of_a_plain_loop(seed: int, options: dict[str, Any]) -> None:
    """Bars, quantities, prices and fees of all fills, and equity at all closes, are those of a loop in plain Python."""
    bars, wishes = walk_bars(400, seed, gaps=0.1), random_wishes(400, seed)
    result = bs.backtest(bars, wishes, **options)
    fills, equity = follow(bars, wishes, Execution(**options))
    expected = np.array([(f.bar, f.quantity, f.price, f.fee) for f in fills]).reshape(-1, 4).T
    table = result.fill_table
    np.testing.assert_array_equal(table[0], expected[0])
    np.testing.assert_allclose(table[2] * result.execution.lot, expected[1], rtol=1e-12)
    np.testing.assert_allclose(table[3:5], expected[2:], rtol=1e-12)
    np.testing.assert_allclose(result.equity_values, equity, rtol=1e-9, atol=1e-6)


@given(SEEDS, EXECUTIONS)
def test_equity_is_capital_and_the_profit_of_all_trades(seed: int, options: dict[str, Any]) -> None:
    """Nothing comes from nowhere: final equity is the capital and what every trade made, open ones included."""
    result = bs.backtest(walk_bars(400, seed, gaps=0.1), random_wishes(400, seed), **options)
    assert result.final_equity == pytest.approx(100_000.0 + result.trades["profit"].sum(), rel=1e-9, abs=1e-6)
    assert result.equity_values[-1] == result.final_equity
    assert result.metrics["fees_paid"] == pytest.approx(result.trades["fees"].sum(), rel=1e-9)


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_engines_make_nothing_from_nowhere(name: str) -> None:
    """The same for every engine, of one venue or two."""
    result = run_engine(name, walk_bars(1500, gaps=0.03), slippage_bps=2)
    assert result.trades.height > 5
    assert result.final_equity == pytest.approx(100_000.0 + result.trades["profit"].sum(), rel=1e-9)
    assert result.equity_values[-1] == result.final_equity


@given(SEEDS, st.integers(1, 299), EXECUTIONS)
def test_a_later_bar_changes_no_earlier_fill(seed: int, cut: int, options: dict[str, Any]) -> None:
    """With bars from `cut` on changed, every earlier fill and mark stays; at `cut` only the price may differ."""
    bars, wishes = walk_bars(300, seed, gaps=0.05), random_wishes(300, seed)
    before = bs.backtest(bars, wishes, **options)
    after = bs.backtest(with_rows(bars, slice(cut, None), price=1.5), wishes, **options)
    count = int((before.fill_table[0] < cut).sum())
    assert before.fill_table[:, :count].tobytes() == after.fill_table[:, :count].tobytes()
    assert before.equity_values[:cut].tobytes() == after.equity_values[:cut].tobytes()
    at_cut = before.fill_table[:, before.fill_table[0] == cut]
    np.testing.assert_array_equal(at_cut[2], after.fill_table[2, after.fill_table[0] == cut])
    np.testing.assert_allclose(at_cut[3] * 1.5, after.fill_table[3, after.fill_table[0] == cut], rtol=1e-12)


@given(SEEDS, st.integers(0, 298))
def test_a_wish_fills_no_earlier_than_the_next_bar(seed: int, at: int) -> None:
    """A wish that is changed at one bar changes no fill up to that bar, and some fill right after it."""
    bars, wishes = walk_bars(300, seed), random_wishes(300, seed)
    other = wishes.copy()
    other[at] = -0.7 if wishes[at] > 0.0 else 0.7
    first, second = (bs.backtest(bars, w).fill_table for w in (wishes, other))
    assert first[:, first[0] <= at].tobytes() == second[:, second[0] <= at].tobytes()
    next_first, next_second = (table[:, table[0] == at + 1] for table in (first, second))
    assert next_first.tobytes() != next_second.tobytes()


@given(st.sampled_from(ENGINE_NAMES), SEEDS, st.integers(100, 399))
def test_an_engine_sees_no_later_bar(name: str, seed: int, cut: int) -> None:
    """With bars from `cut` on changed, an engine's backtest is the same up to there."""
    bars = walk_bars(400, seed)
    before = run_engine(name, bars)
    after = run_engine(name, with_rows(bars, slice(cut, None), price=1.2))
    count = int((before.fill_table[0] < cut).sum())
    assert before.fill_table[:, :count].tobytes() == after.fill_table[:, :count].tobytes()
    assert before.equity_values[:cut].tobytes() == after.equity_values[:cut].tobytes()


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_bits_do_not_depend_on_chunks(name: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wishes made a bar, seven or a thousand at a time give the fills and the equity of wishes made at once."""
    bars = walk_bars(2300, gaps=0.02)
    monkeypatch.setattr(simulation, "_CHUNK", 1 << 20)
    at_once = run_engine(name, bars)
    monkeypatch.setattr(simulation, "_CHUNK", chunk)
    assert bits(run_engine(name, bars)) == bits(at_once)
    assert at_once.fill_table.shape[1] > 20


def test_a_table_of_fills_grows() -> None:
    """More fills than the table first holds are all written: a wish that alternates fills at every bar."""
    n = 5000
    bars = walk_bars(n)
    result = bs.backtest(bars, np.where(np.arange(n) % 2, 1.0, -1.0), units=1, lot=1, fee_bps=0)
    assert result.fill_table.shape[1] == n - 1
    np.testing.assert_array_equal(result.fill_table[0], np.arange(1, n))
    np.testing.assert_array_equal(result.fill_table[3], bars.open[1:])
    assert result.fill_table[2].tolist() == [-1.0] + [2.0, -2.0] * (n // 2 - 1)


ROLLING = {
    "sma_crossover": (15, ["side", "exposure", "confidence", "volatility", "fast_mean", "slow_mean"]),
    "mean_reversion": (12, ["volatility", "zscore", "confidence"]),
    "volatility_target": (24, ["volatility", "confidence", "realized_vs_target_vol_pct"]),
    "daily_trend_momentum": (20, ["volatility", "trend_strength", "momentum", "confidence"]),
}


@pytest.mark.parametrize("name", ROLLING)
@given(SEEDS, st.integers(1, 200))
def test_rolling_rows_do_not_depend_on_the_first_bar(name: str, seed: int, start: int) -> None:
    """After two windows a history that begins later gives the same bits, over gaps too."""
    window, rows = ROLLING[name]
    bars = walk_bars(320, seed, gaps=0.03)
    whole, part = (bs.backtest(b, name, **QUICK[name]).columns.select(rows) for b in (bars, part_of(bars, start, 320)))
    settled = 2 * window + 1  # the first return of a history is none
    assert whole[start + settled :].to_numpy().tobytes() == part[settled:].to_numpy().tobytes()


@pytest.fixture(scope="module")
def donchian() -> Iterator[bs.StrategyEngine]:
    """The engine of the documentation's example, imported by its name: a kernel from the cache asks for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DONCHIAN.parent))
        patch.setattr(_jit, "registry", list(_jit.registry))  # other tests look for barstep's own kernels only
        yield importlib.import_module("donchian").ENGINE
        sys.modules.pop("donchian")


def test_the_example_engine_follows_its_channel(donchian: bs.StrategyEngine) -> None:
    """It goes long over the highest high of the bars before, and flat under their lowest low."""
    bars = walk_bars(300)
    columns = bs.backtest(bars, donchian, window=20).columns
    side = 0.0
    for k in range(300):
        before = bars.values[:, k - 20 : k]
        high, low = (before[HIGH].max(), before[LOW].min()) if k >= 20 else (np.nan, np.nan)
        side = 1.0 if bars.close[k] > high else 0.0 if bars.close[k] < low else side
        np.testing.assert_array_equal(columns.select("side", "upper", "lower").row(k), (side, high, low))
    assert 0 < columns["side"].sum() < 280


@given(seed=SEEDS, cuts=st.lists(st.integers(0, 250), max_size=8))
def test_the_example_engine_may_be_cut_anywhere(donchian: bs.StrategyEngine, seed: int, cuts: list[int]) -> None:
    """Called over any pieces of the history, in order, with one carry, it gives the same bits."""
    bars = walk_bars(250, seed)
    params = donchian.pack(donchian.read_parameters({"window": 13}), 3600, 365.0)
    carry, out = donchian.new_carry(), np.full((donchian.rows, 250), -7.0)
    places = [0, *sorted(cuts), 250]
    for start, stop in pairwise(places):
        carry[0] = bars.numbers[min(start, 249)]
        donchian.kernel(bars.values, params, carry, out, start, stop, start)
    assert out.tobytes() == rows_of(donchian, bars, window=13)[:, :250].tobytes()


def test_the_example_engine_can_be_named_in_a_catalog(donchian: bs.StrategyEngine) -> None:
    """In a catalog of one's own it is found by name, and its history is honest."""
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_engine(donchian)
    bars = walk_bars(120)
    named = bs.backtest(bars, "donchian", catalog=catalog)
    assert named.strategy == "donchian"
    assert bits(named) == bits(bs.backtest(bars, donchian))
    with pytest.raises(bs.UsageError, match=r"^donchian needs 56 bars before its first wish \(window=55\)"):
        bs.backtest(walk_bars(55), donchian)
