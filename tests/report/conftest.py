"""Results to report on: of the embedded hours, and small ones made to measure."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import barstep as bs
import numpy as np
import pytest
from barstep.config.commands import (
    Command,
    DisableStrategy,
    Halt,
    Reduce,
    Resume,
    SetSignalLimit,
    SuspendSchedule,
    SuspendTag,
)
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.scheduler.backtest import backtest_scheduler
from barstep.engine.scheduler.result import SchedulerResult

sys.path.insert(0, str(Path(__file__).parent))  # for `pages` and `schedulers`

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
def core() -> SchedulerResult:
    """Two months of the packaged scheduler on the embedded hours, with an operator who stepped in."""
    commands: list[Command] = [
        SuspendSchedule(at=_instant(8, 3), schedule="grid_schedule", reason="inventory", duration_seconds=5 * 3600.0),
        SuspendTag(at=_instant(8, 17, 21, 40), tag="trend", reason="liquidations", duration_seconds=2 * 86_400.0),
        SetSignalLimit(at=_instant(8, 17), strategy="mean_reversion", profile="balanced", limit=1, reason="thin books"),
        Halt(at=_instant(9, 5), reason="maintenance"),
        Reduce(at=_instant(9, 6)),
        Resume(at=_instant(9, 8)),
        DisableStrategy(at=_instant(9, 20), strategy="volatility_target", reason="review", flatten=True),
    ]
    return backtest_scheduler(PACKAGED, "core_multi", start="2023-08-01", end="2023-10-01", commands=commands)


def _instant(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2023, month, day, hour, minute, tzinfo=UTC)


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
