"""Fifty schedules of five engines on twenty pairs of venues: a configuration and its bars, made from a seed."""

from __future__ import annotations

from typing import Any

import barstep as bs
import msgspec
import numpy as np
from barstep.config.core import CoreConfig

MINUTE_US = 60_000_000
MIXED_MINUTES = (1, 1, 5, 5, 15, 15, 30, 60, 60, 240)

ENGINES: dict[str, dict[str, int]] = {
    "daily_trend_momentum": {"fast_ma": 25},
    "mean_reversion": {"lookback": 96},
    "grid_trading": {},
    "volatility_target": {"lookback": 96},
    "cross_exchange_arbitrage": {},
}
"""Engines with what differs from schedule to schedule; all else has its default."""


def make_bars(instruments: int, count: int, seed: int = 7) -> dict[str, tuple[bs.Bars, bs.Bars]]:
    """Bars of one minute for each instrument on two venues, whose basis comes back to nothing."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 6e-4, count)  # a market moves as one: signals come together
    return {f"I{k:02d}": _pair(rng, f"I{k:02d}", market) for k in range(instruments)}


def _pair(rng: np.random.Generator, name: str, market: np.ndarray[Any, Any]) -> tuple[bs.Bars, bs.Bars]:
    count = market.size
    close = 100.0 * np.exp(np.cumsum(market + rng.normal(0.0, 5e-4, count)))
    basis, shocks = np.empty(count), rng.normal(0.0, 5e-4, count)
    basis[0] = 0.0
    for k in range(1, count):
        basis[k] = 0.95 * basis[k - 1] + shocks[k]
    return _bars(rng, name, "one", close), _bars(rng, name, "two", close * (1.0 + basis))


def _bars(rng: np.random.Generator, name: str, venue: str, close: np.ndarray[Any, Any]) -> bs.Bars:
    opens = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opens, close) * 1.0003, np.minimum(opens, close) * 0.9997
    times = 1_700_000_040_000_000 + np.arange(close.size) * MINUTE_US
    return bs.Bars.from_arrays(
        times, opens, high, low, close, rng.uniform(1.0, 9.0, close.size), interval_seconds=60, symbol=name, venue=venue
    )


def make_config(
    schedules_an_engine: int, instruments: int, *, mixed: bool, max_signals: int | None, rebalance_seconds: float
) -> CoreConfig:
    """The scheduler `many`; strategies differ in one parameter, so that no two want the same."""
    strategies, schedules = {}, {}
    for engine, parameters in ENGINES.items():
        for k in range(schedules_an_engine):
            name = f"{engine}_{k}"
            own = {key: value + k for key, value in parameters.items()}
            strategies[name] = {"engine": engine, "parameters": own, "risk_profile": "all", "rebalance_threshold": 0.05}
            minutes = MIXED_MINUTES[k % len(MIXED_MINUTES)] if mixed else 1
            schedules[name] = {
                "strategy": name,
                "cadence_seconds": 60 * minutes,
                "interval": 60,
                "max_signals": max_signals,
                "warmup_bars": 100,
            }
    parts = [{"policy": {"name": name}, "weight": 1.0} for name in ("signal_strength", "drawdown_guard")]
    policy = {"name": "smoothed", "alpha": 0.3, "base": {"name": "blended", "components": parts}}
    scheduler = {"capital_policy": policy, "allocation_rebalance_seconds": rebalance_seconds, "schedules": schedules}
    names = [f"I{k:02d}" for k in range(instruments)]
    environment = {
        "type": "demo",
        "venue": "one",
        "risk_profile": "all",
        "instrument_universe": "all",
        "scheduler": "many",
        "capital": 1e6,
    }
    plain = {
        "runtime": {"multi_strategy_schedulers": {"many": scheduler}},
        "risk_profiles": {"all": {}},
        "strategies": strategies,
        "environments": {"demo": environment},
        "instrument_universes": {
            "all": {"instruments": {name: {"primary": "one", "secondary": "two"} for name in names}}
        },
    }
    return msgspec.convert(plain, CoreConfig)
