"""Recorded markets in one portfolio: gaps, listings at other times, limits, levels and funding over real bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine import portfolio as module
from barstep.kernels import account
from barstep.kernels.columns import HIGH, LOW
from panels import bits

pytestmark = pytest.mark.shared_data

MINUTES = ("BITFINEX_BTCUSD_1m", "BITFINEX_ETHUSD_1m")
"""Half a million minutes with 14,000 gaps, and an instrument that is listed nine months later."""

PERPETUALS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "DOGEUSDT", "ZECUSDT")
VENUE: dict[str, Any] = {
    "slippage_bps": 1.0,
    "impact_bps": 20.0,
    "max_volume_share": 0.2,
    "stop_loss_pct": 4.0,
    "trailing_stop_pct": 6.0,
    "leverage": 2.0,
    "maintenance_margin_pct": 0.5,
    "borrow_pct": 8.0,
}


def holds_together(result: bs.PortfolioResult) -> None:
    """Cash and positions are the equity; fills lie in their bars; capital and the profit of all trades are it too."""
    fills = result.fill_table
    near = pytest.approx(result.final_equity, rel=1e-9)
    assert result.execution.capital + result.trades["profit"].sum() == near
    closes = [each.close[-1] for each in result.panel.instruments]
    units = result.cells[:, :, account.LOTS] * result.setup.rules[:, :, account.LOT]
    assert result.cash + float((units * closes).sum()) == near
    for i, bars in enumerate(result.panel.instruments):
        own = fills[:, fills[account.FILL_LEG] % len(closes) == i]
        at = np.searchsorted(bars.ts_us, result.panel.ts_us[own[account.FILL_BAR].astype(np.int64)])
        reference = own[account.FILL_REFERENCE]
        assert (bars.values[LOW, at] * (1 - 1e-12) <= reference).all()
        assert (reference <= bars.values[HIGH, at] * (1 + 1e-12)).all()


def test_minutes_with_gaps_rebalanced_daily(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a million bars under most of the venue's rules; traded in other chunks, the same bits."""
    bars = [bs.load(shared_data / f"{name}.parquet") for name in MINUTES]
    days = bars[0].times[::1440]
    weights = pl.DataFrame({"timestamp": days, "BTCUSD": 0.9, "ETHUSD": -0.4})
    flat = (
        pl.int_range(days.size, eager=True) % 4 == 3
    )  # a side that a stop has closed is wanted anew after it was left
    weights = weights.with_columns(pl.when(flat).then(0.0).otherwise(pl.col("BTCUSD", "ETHUSD")).name.keep())
    result = bs.portfolio(bars, weights, **VENUE)
    holds_together(result)
    assert set(result.fills["instrument"]) == {"BTCUSD", "ETHUSD"}
    assert {"market", "stop", "borrow"} <= set(result.fills["kind"])
    monkeypatch.setattr(module, "_CHUNK", 997)
    assert bits(bs.portfolio(bars, weights, **VENUE)) == bits(result)


def test_perpetuals_by_strategies_with_funding(shared_data: Path) -> None:
    """Two strategies over daily bars of six perpetuals, one against the other, with the funding paid each day."""
    bars = [bs.load(shared_data / f"BINANCE_{name}-PERP_1d.parquet") for name in PERPETUALS]
    plan = [
        bs.Allocation(strategy="mean_reversion", weight=0.6, parameters={"lookback": 20, "entry_zscore": 1.0}),
        bs.Allocation(strategy="volatility_target", weight=0.8, parameters={"lookback": 20}),
    ]
    funding = {each.symbol: pl.DataFrame({"timestamp": each.times, "rate": np.full(len(each), 3e-4)}) for each in bars}
    result = bs.portfolio(bars, plan, funding=funding, year_days=365, **VENUE)
    holds_together(result)
    assert (result.fills["kind"] == "funding").sum() > 100
    assert set(result.fills["schedule"]) == {"mean_reversion", "volatility_target"}
    for by in ("schedule", "instrument"):
        profit = result.attribution(by)["profit"].sum()  # type: ignore[arg-type]
        assert result.execution.capital + profit == pytest.approx(result.final_equity, rel=1e-9)
