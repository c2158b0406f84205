"""bottleneck. It has no `out`; what can be reused of its results is."""

from __future__ import annotations

import bottleneck as bn
import numpy as np
from work import WINDOW, Inputs, Work


def zscore(inputs: Inputs) -> Work:
    return _zscore(inputs["close"])


def wide_zscore(inputs: Inputs) -> Work:
    return _zscore(inputs["values"])


def _zscore(values: np.ndarray) -> Work:
    def run() -> np.ndarray:
        mean = bn.move_mean(values, WINDOW, axis=0)
        z = np.subtract(values, mean, out=mean)
        return np.divide(z, bn.move_std(values, WINDOW, axis=0, ddof=0), out=z)

    return Work(run)


def volatility(inputs: Inputs) -> Work:
    close = inputs["close"]
    logs, change = np.empty_like(close), np.empty_like(close)
    change[0] = np.nan

    def run() -> np.ndarray:
        np.log(close, out=logs)
        np.subtract(logs[1:], logs[:-1], out=change[1:])
        return bn.move_std(change, WINDOW, ddof=1)

    return Work(run)


def rolling_max(inputs: Inputs) -> Work:
    close = inputs["close"]
    return Work(lambda: bn.move_max(close, WINDOW))


WORK = {"zscore": zscore, "wide_zscore": wide_zscore, "volatility": volatility, "rolling_max": rolling_max}
