"""TA-Lib. It has no `out`; what can be reused of its results is."""

from __future__ import annotations

import math

import numpy as np
import talib
from work import ATR_WINDOW, WINDOW, Inputs, Work

SAMPLE = math.sqrt(WINDOW / (WINDOW - 1))  # STDDEV has ddof 0; its factor `nbdev` makes it 1 at no cost


def zscore(inputs: Inputs) -> Work:
    close = inputs["close"]

    def run() -> np.ndarray:
        mean = talib.SMA(close, WINDOW)
        z = np.subtract(close, mean, out=mean)
        return np.divide(z, talib.STDDEV(close, WINDOW), out=z)

    return Work(run)


def volatility(inputs: Inputs) -> Work:
    close = inputs["close"]
    logs, change = np.empty_like(close), np.empty_like(close)
    change[0] = np.nan

    def run() -> np.ndarray:
        np.log(close, out=logs)
        np.subtract(logs[1:], logs[:-1], out=change[1:])
        return talib.STDDEV(change, WINDOW, SAMPLE)

    return Work(run)


def atr(inputs: Inputs) -> Work:
    high, low, close = inputs["high"], inputs["low"], inputs["close"]
    return Work(lambda: talib.ATR(high, low, close, ATR_WINDOW))


def ema(inputs: Inputs) -> Work:
    close = inputs["close"]
    return Work(lambda: talib.EMA(close, WINDOW))


WORK = {"zscore": zscore, "volatility": volatility, "atr": atr, "ema": ema}
