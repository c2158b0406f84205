"""Results to report on: the embedded hours, and small ones made to measure."""

from __future__ import annotations

from collections.abc import Callable

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER

START_US = 1_704_067_200_000_000
"""2024-01-01T00:00Z."""

Made = Callable[..., bs.Result]


@pytest.fixture(scope="session")
def hours() -> bs.Result:
    """Two years of embedded hours, traded."""
    return bs.backtest(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"), "mean_reversion", fee_bps=5)


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
