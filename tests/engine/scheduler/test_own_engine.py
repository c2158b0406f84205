"""An engine of a user's own in a configured scheduler: found by `engine_files`, traded like the built-in ones."""

from __future__ import annotations

from pathlib import Path

import barstep as bs
import numpy as np

ROOT = Path(__file__).parents[3]
CONFIG = """
runtime:
  multi_strategy_schedulers:
    own:
      capital_policy: equal_weight
      allocation_rebalance_seconds: 1d
      schedules:
        breakout: {strategy: donchian_55, cadence_seconds: 1h, interval: 1h}
strategies:
  donchian_55: {engine: donchian, risk_profile: free, parameters: {window: 55}}
risk_profiles:
  free: {}
environments:
  demo:
    {type: demo, offline: true, venue: binance, feed: embedded, risk_profile: free, instrument_universe: one,
     scheduler: own, capital: 100000}
instrument_universes:
  one: {instruments: {BTCUSDT: {primary: binance}}}
"""


def test_the_documented_engine_runs_in_a_scheduler(tmp_path: Path) -> None:
    """Alone and with all the capital it makes the same equity, bit for bit, as in a backtest of its own."""
    example = ROOT / "docs" / "examples" / "donchian.py"
    path = tmp_path / "core.yaml"
    path.write_text(f"{CONFIG}engine_files: [{example}]\n")
    scheduled = bs.backtest_scheduler(path)
    bars = bs.load(ROOT / "data" / "backtests" / "normalized" / "binance_BTCUSDT_1h.parquet")
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file(example)
    alone = bs.backtest(bars, "donchian", window=55, catalog=catalog)
    assert scheduled.fills.height > 50
    np.testing.assert_array_equal(scheduled.equity_values, alone.equity_values)
