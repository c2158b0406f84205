"""The kernels of barstep. Outputs are reused, as its contract has it."""

from __future__ import annotations

import numpy as np
from barstep.kernels import extrema, moments, recurrences, returns, rolling, true_range
from barstep.kernels.wide import WIDE_CARRY, zscore_wide
from work import ATR_WINDOW, WINDOW, Inputs, Work


def zscore(inputs: Inputs) -> Work:
    close = inputs["close"]
    out = np.empty_like(close)

    def run() -> np.ndarray:
        rolling.zscore(close, WINDOW, np.zeros(moments.MOMENTS_CARRY), out, 0, close.size)
        return out

    return Work(run)


def volatility(inputs: Inputs) -> Work:
    close = inputs["close"]
    change, out = np.empty_like(close), np.empty_like(close)

    def run() -> np.ndarray:
        returns.log_returns(close, change, 0, close.size)
        rolling.realized_volatility(change, WINDOW, 1.0, np.zeros(moments.MOMENTS_CARRY), out, 0, close.size)
        return out

    return Work(run)


def atr(inputs: Inputs) -> Work:
    high, low, close = inputs["high"], inputs["low"], inputs["close"]
    out = np.empty_like(close)

    def run() -> np.ndarray:
        true_range.atr(high, low, close, ATR_WINDOW, np.zeros(true_range.ATR_CARRY), out, 0, close.size)
        return out

    return Work(run)


def rolling_max(inputs: Inputs) -> Work:
    close = inputs["close"]
    out = np.empty_like(close)

    def run() -> np.ndarray:
        extrema.rolling_max(close, WINDOW, out, 0, close.size)
        return out

    return Work(run)


def ema(inputs: Inputs) -> Work:
    close = inputs["close"]
    out = np.empty_like(close)

    def run() -> np.ndarray:
        recurrences.ema(close, 2.0 / (WINDOW + 1), np.zeros(recurrences.SMOOTHED_CARRY), out, 0, close.size)
        return out

    return Work(run)


def wide_zscore(inputs: Inputs) -> Work:
    values = inputs["values"]
    out = np.empty_like(values)

    def run() -> np.ndarray:
        zscore_wide(values, WINDOW, np.zeros((WIDE_CARRY, values.shape[1])), out, 0, values.shape[0])
        return out

    return Work(run)


WORK = {
    "zscore": zscore,
    "volatility": volatility,
    "atr": atr,
    "rolling_max": rolling_max,
    "ema": ema,
    "wide_zscore": wide_zscore,
}
