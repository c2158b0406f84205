"""What is resampled: the returns of a result's bars, or of its trades, and what a step of them is in time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from ..errors import DataError
from ..kernels.metrics import bar_returns
from .bars import Floats, Integers

Unit = Literal["bar", "trade"]


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """The steps of a path, in their own order.

    Attributes:
        unit: What a step is.
        returns: float64[step], each a share of the equity before it.
        ts_us: int64[step], microseconds since the epoch: a bar's open time, a trade's exit.
        capital: What the first step starts with, in account currency.
        steps_per_year: How many there are in a year, by which returns and volatility are annualised.
    """

    unit: Unit
    returns: Floats
    ts_us: Integers
    capital: float
    steps_per_year: float

    @cached_property
    def digest(self) -> str:
        """SHA-384 of the returns, little-endian."""
        return hashlib.sha384(self.returns.astype("<f8").tobytes()).hexdigest()

    @cached_property
    def centre(self) -> float:
        """A return in the middle, from which sums of others are taken: they are exact where all are the same."""
        middle = self.returns.size // 2
        return float(np.partition(self.returns, middle)[middle])


def bars_of(equity: pl.DataFrame, capital: float, bars_per_year: float) -> Resampled:
    """The returns of the bars of an equity table (`timestamp`, `equity`).

    Raises:
        DataError: Equity is no number somewhere.
    """
    curve = np.ascontiguousarray(equity["equity"].to_numpy(), dtype=np.float64)
    returns = np.empty(curve.size)
    bar_returns(curve, capital, returns)
    return Resampled(
        unit="bar",
        returns=_finite(returns, "equity"),
        ts_us=equity["timestamp"].to_physical().to_numpy(),
        capital=capital,
        steps_per_year=bars_per_year,
    )


def trades_of(trades: pl.DataFrame, capital: float, bars: int, bars_per_year: float) -> Resampled:
    """The profit of each trade over the capital and all profits of trades that ended before it.

    So the product of 1 + return is what the profits add up to, in their own order and in any other. A trade that is
    still open counts with its profit at the last close.

    Raises:
        DataError: A profit is no number.
    """
    profits = _finite(np.ascontiguousarray(trades["profit"].to_numpy(), dtype=np.float64), "profit")
    balances = capital + np.cumsum(profits)
    returns = np.empty(balances.size)
    bar_returns(balances, capital, returns)
    return Resampled(
        unit="trade",
        returns=returns,
        ts_us=trades["exit_time"].to_physical().to_numpy(),
        capital=capital,
        steps_per_year=bars_per_year * profits.size / bars if bars else 0.0,
    )


def _finite(values: Floats, what: str) -> Floats:
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise DataError(f"row {wrong[0]:,} of the result: {what} is no finite number, so nothing can be resampled")
    return values
