"""Every row of a sweep is the single backtest with its parameters, to the last bit of every metric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.sweep.axes import Span
from barstep.engine.sweep.plan import SweepPlan, plan_sweep
from barstep.engine.sweep.rows import RowRunner, slice_ends
from barstep.engine.sweep.running import run_sweep
from making import QUICK, second_venue
from sweeping import MEASURED, by_itself, gapped, own, rows_alone, same

DONCHIAN = Path(__file__).resolve().parents[3] / "docs" / "examples" / "donchian.py"
BARS = gapped(1150)
AXES: dict[str, dict[str, Any]] = {
    "sma_crossover": {"fast_ma": [4, 9], "allow_short": [True, False], "fee_bps": [0.0, 12.5]},
    "daily_trend_momentum": {"atr_multiplier": [0.8, 2.0], "allow_short": [True, False], "breakout_lookback": [7, 11]},
    "mean_reversion": {"entry_zscore": [1.2, 1.9], "lookback": [12, 30], "slippage_bps": [0.0, 2.0]},
    "grid_trading": {"rebalance_threshold": [0.01, 0.1], "anchor_window": [9, 24], "lot": [1e-8, 0.5]},
    "volatility_target": {"lookback": [10, 24], "rebalance_threshold": [0.02, 0.2], "units": [None, 3.0]},
    "cross_exchange_arbitrage": {
        "spread_entry": [0.002, 0.003], "max_notional": [900.0, 5e4], "max_order_age_bars": [1.0, 3.0],
    },
}  # fmt: skip
"""Both what the engine reads and what the account does."""


def planned(name: str, axes: dict[str, Any], **asked: Any) -> SweepPlan:
    """A sweep of all metrics, of what trades a lot."""
    fixed = {key: value for key, value in QUICK[name].items() if key not in axes}
    if own(name).needs_secondary:
        asked["secondary"] = second_venue(BARS)
    asked.setdefault("metrics", MEASURED)
    return plan_sweep(asked.pop("bars", BARS), asked.pop("engine", name), axes, **fixed, **asked)


@pytest.mark.parametrize("name", AXES)
def test_every_metric_of_every_row_is_the_backtests(name: str) -> None:
    """Over gaps and the edge of a block of bars, for costs and sizes too."""
    plan = planned(name, AXES[name])
    values = run_sweep(plan, threads=1).values
    assert same(values, rows_alone(plan))
    assert len({column.tobytes() for column in values.T}) > plan.count / 2, "the sets hardly differ"


def test_the_comparison_can_fail() -> None:
    """Another fee is another row."""
    plan = planned("sma_crossover", {"fast_ma": [4]})
    assert not same(run_sweep(plan).values, rows_alone(plan, fee_bps=9.9))
    assert not same(np.array([0.0]), np.array([-0.0]))
    assert not same(np.array([np.nan]), np.array([1.0]))


def test_orders_of_a_venue_among_plain_ones() -> None:
    """Levels, limits, margin and volume of some sets, none of others."""
    axes = {
        "stop_loss_pct": [0.0, 2.0], "limit_offset_bps": [0.0, 5.0], "leverage": [1.0, 3.0],
        "max_volume_share": [None, 0.01], "carry_rest": [True, False], "ambiguous_fills": ["pessimistic", "optimistic"],
    }  # fmt: skip
    asked = {"sampling": "random", "sets": 12, "seed": 3, "trailing_stop_pct": 4.0, "maintenance_margin_pct": 20.0}
    plan = planned("mean_reversion", axes, liquidation_fee_bps=50.0, borrow_pct=9.0, **asked)
    assert same(run_sweep(plan).values, rows_alone(plan))


def test_funding_is_paid_by_the_instruments_that_have_it() -> None:
    """One of two is a perpetual; of the other no rate is read."""
    rates = pl.DataFrame({"timestamp": BARS.ts_us[::8], "rate": np.linspace(-1e-3, 2e-3, BARS.ts_us[::8].size)})
    other = gapped(1100, 5, "Y")
    for funding in ([rates, None], [None, rates]):
        plan = planned("sma_crossover", {"fast_ma": [4, 9], "fee_bps": [0.0, 5.0]}, bars=[BARS, other], funding=funding)
        found = run_sweep(plan).values
        height = plan.sets.height
        for instrument, (bars, frame) in enumerate(zip((BARS, other), funding, strict=True)):
            part = found[:, instrument * height : (instrument + 1) * height]
            alone = planned("sma_crossover", {"fast_ma": [4, 9], "fee_bps": [0.0, 5.0]}, bars=bars)
            assert same(part, rows_alone(alone, funding=frame))


@pytest.mark.parametrize("metrics", [("trades",), ("sharpe",), ("fees_paid",), ("total_return_pct",), MEASURED[::-1]])
def test_fewer_metrics_are_the_same(metrics: tuple[str, ...]) -> None:
    """Each alone has the bits that it has among all, in the order asked for."""
    axes = AXES["sma_crossover"]
    whole = run_sweep(planned("sma_crossover", axes)).values
    found = run_sweep(planned("sma_crossover", axes, metrics=metrics)).values
    assert same(found, whole[[MEASURED.index(name) for name in metrics]])


@pytest.mark.parametrize("name", ["sma_crossover", "cross_exchange_arbitrage"])
def test_an_engine_that_is_not_barsteps_gives_the_same(name: str) -> None:
    """It is run one backtest after another: rows and slices have the bits of the compiled loop."""
    axes = {key: values[:2] for key, values in list(AXES[name].items())[:2]}
    compiled = planned(name, axes, slices=5)
    single = planned(name, axes, slices=5, engine=by_itself(own(name)))
    assert RowRunner(compiled).is_compiled
    assert not RowRunner(single).is_compiled
    first, second = run_sweep(compiled), run_sweep(single)
    assert same(second.values, first.values)
    assert same(second.slice_moments, first.slice_moments)


def test_an_engine_of_a_file_is_swept() -> None:
    """The documents' own, by its name."""
    catalog = DEFAULT_STRATEGY_CATALOG.with_file(DONCHIAN)
    plan = plan_sweep(BARS, "donchian", {"window": [5, 20], "fee_bps": [0.0, 9.0]}, catalog=catalog, metrics=MEASURED)
    assert same(run_sweep(plan).values, rows_alone(plan))


def test_a_row_is_a_whole_backtest_when_asked_for() -> None:
    """With its parameters, costs, second venue and rates."""
    plan = planned("cross_exchange_arbitrage", {"spread_entry": [0.002, 0.004], "fee_bps": [1.0, 2.0]})
    given = {**QUICK["cross_exchange_arbitrage"], "spread_entry": 0.004, "fee_bps": 1.0}
    expected = bs.backtest(BARS, "cross_exchange_arbitrage", secondary=second_venue(BARS), **given)
    assert plan.result_of(2).digests == expected.digests


def test_capital_and_year_reach_the_figures() -> None:
    """One is varied, the other fixed."""
    plan = planned("volatility_target", {"capital": [1e3, 1e6], "lookback": [10, 24]}, year_days=252.0)
    assert same(run_sweep(plan).values, rows_alone(plan))


def test_many_windows_are_run_in_parts() -> None:
    """More indicators than are shared at a time: the same rows."""
    plan = planned("mean_reversion", {"lookback": range(5, 165)}, metrics=("sharpe", "trades"))
    runner = RowRunner(plan)
    assert not runner.shares_columns(0, 160)
    assert runner.shares_columns(0, 128)
    values = run_sweep(plan, threads=1).values
    for row in (0, 79, 80, 159):
        metrics = plan.result_of(row).metrics
        assert same(values[:, row], np.array([metrics["sharpe"], metrics["trades"]]))


def test_more_drawn_sets_than_are_run_together() -> None:
    """Of 600 sets each portion has its own."""
    axes = {"entry_zscore": Span(1.0, 2.5), "lookback": Span(8, 40)}
    plan = planned("mean_reversion", axes, sampling="sobol", sets=600, metrics=("total_return_pct",))
    values = run_sweep(plan, threads=1).values
    for row in (0, 511, 512, 599):
        assert same(values[0, row], np.array(plan.result_of(row).metrics["total_return_pct"]))


def test_slices_are_moments_of_the_curves_returns() -> None:
    """Of every row; together they are as long as the history."""
    plan = planned("sma_crossover", {"fast_ma": [4, 9]}, slices=7)
    moments = run_sweep(plan).slice_moments
    assert moments.shape == (2, 7, 3)
    assert moments[:, :, 0].sum(axis=1).tolist() == [len(BARS)] * 2
    for row in range(2):
        result = plan.result_of(row)
        curve = np.concatenate(([result.execution.capital], result.equity_values))
        parts = np.split(curve[1:] / curve[:-1] - 1.0, slice_ends(len(BARS), 7)[:-1])
        expected = [[part.size, part.mean(), part.size * part.var()] for part in parts]
        assert moments[row] == pytest.approx(np.array(expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("bars", "slices"), [(10, 3), (1024, 16), (3, 5), (7, 1)])
def test_slices_are_equal_parts(bars: int, slices: int) -> None:
    """They end with the history, and differ by a bar at most."""
    lengths = np.diff(slice_ends(bars, slices), prepend=0)
    assert lengths.sum() == bars
    assert lengths.max() - lengths.min() <= 1


def test_no_slices_have_no_ends() -> None:
    """Where none are asked for."""
    assert slice_ends(100, 0).size == 0
