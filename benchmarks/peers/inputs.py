"""The same input in every process, made from a fixed seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from work import REBALANCE_BARS, Inputs

SEED = 20
START_PRICE = 50_000.0
COLUMNS = 1_000
INSTRUMENTS = 50


def walk(n: int, step: float) -> NDArray[np.float64]:
    """Random walk of prices with relative steps of deviation `step`."""
    prices = np.random.default_rng(SEED).standard_normal(n)
    prices *= step
    np.cumsum(prices, out=prices)
    np.exp(prices, out=prices)
    prices *= START_PRICE
    return prices


def candles(n: int, step: float) -> Inputs:
    """Bars that open a little off the close before and reach a little over and under both."""
    close = walk(n, step)
    rng = np.random.default_rng(SEED + 1)
    opening = np.concatenate(([START_PRICE], close[:-1])) * (1.0 + 0.2 * step * rng.standard_normal(n))
    high = np.maximum(opening, close) * (1.0 + 0.5 * step * rng.random(n))
    low = np.minimum(opening, close) * (1.0 - 0.5 * step * rng.random(n))
    return {"open": opening, "high": high, "low": low, "close": close}


def two_venues(n: int) -> Inputs:
    """Bars with steps of 0.2 %, so that every engine trades, and a second venue that swings 0.4 % about the first."""
    first = candles(n, 2e-3)
    noise = np.random.default_rng(SEED + 2).standard_normal(n)
    off = 1.0 + 4e-3 * np.sin(np.arange(n) / 300.0) + 5e-4 * noise
    return {**first, "other": first["close"] * off}


def wide(n: int) -> Inputs:
    """float64[bar, column]: a walk in each of 1,000 columns, `n` values in all."""
    steps = np.random.default_rng(SEED).standard_normal((n // COLUMNS, COLUMNS))
    return {"values": START_PRICE * np.exp(np.cumsum(1e-4 * steps, axis=0))}


def portfolio(n: int) -> Inputs:
    """Opens and closes of 50 instruments, float64[bar, instrument], `n` values each, and weights at each 24th bar."""
    rng = np.random.default_rng(SEED)
    bars = n // INSTRUMENTS
    close = 100.0 * np.exp(np.cumsum(2e-3 * rng.standard_normal((bars, INSTRUMENTS)), axis=0))
    opening = np.concatenate((close[:1], close[:-1])) * np.exp(5e-4 * rng.standard_normal((bars, INSTRUMENTS)))
    weights = np.full((bars, INSTRUMENTS), np.nan)
    shares = rng.random((bars, INSTRUMENTS))[::REBALANCE_BARS]
    weights[::REBALANCE_BARS] = 0.9 * shares / shares.sum(axis=1, keepdims=True)
    return {"open": opening, "close": close, "weights": weights}


KINDS: dict[str, Callable[[int], Inputs]] = {
    "closes": lambda n: {"close": walk(n, 1e-4)},
    "candles": lambda n: candles(n, 1e-4),
    "two venues": two_venues,
    "wide": wide,
    "portfolio": portfolio,
}
