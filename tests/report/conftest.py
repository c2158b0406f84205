"""Results to report on: the embedded hours, and small ones made to measure."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER

sys.path.insert(0, str(Path(__file__).parent))  # for `pages`

START_US = 1_704_067_200_000_000
"""2024-01-01T00:00Z."""

Made = Callable[..., bs.Result]


@pytest.fixture(scope="session")
def hours() -> bs.Result:
    """Two years of embedded hours, traded."""
    return bs.backtest(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"), "mean_reversion", fee_bps=5)


@pytest.fixture(scope="session")
def three() -> bs.PortfolioResult:
    """Three instruments' embedded hours, traded by two strategies, one with stops."""
    bars = [bs.load(EMBEDDED_FOLDER / f"binance_{symbol}USDT_1h.parquet") for symbol in ("BTC", "ETH", "SOL")]
    plan = [
        bs.Allocation(strategy="mean_reversion", weight=0.5, options={"stop_loss_pct": 3.0}, tag="fast"),
        bs.Allocation(strategy="volatility_target", weight=0.4, instruments=["BTCUSDT", "ETHUSDT"], tag="slow"),
    ]
    return bs.portfolio(bars, plan, fee_bps=5, slippage_bps=1)


@pytest.fixture(scope="session")
def made() -> Made:
    """A function that backtests a random walk of `n` bars; a wish changes with the chance `busy`."""

    def make(
        n: int, *, busy: float = 0.1, interval_seconds: int = 3600, symbol: str = "X", venue: str = "v"
    ) -> bs.Result:
        rng = np.random.default_rng(n)
        close = 100.0 * np.exp(np.cumsum(rng.standard_normal(n) * 0.004))
        opens = np.append(close[:1], close[:-1])
        bars = bs.Bars.from_arrays(
            START_US + np.arange(n) * interval_seconds * 1_000_000,
            opens, np.maximum(opens, close) * 1.001, np.minimum(opens, close) * 0.999, close,
            interval_seconds=interval_seconds, symbol=symbol, venue=venue,
        )  # fmt: skip
        changes = np.where(rng.random(n) < busy, rng.integers(-1, 2, n), 0)
        places = np.maximum.accumulate(np.where(changes != 0, np.arange(n), 0)) if n else np.arange(0)
        return bs.backtest(bars, changes[places].astype(float), fee_bps=1.0)

    return make
