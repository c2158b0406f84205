"""numbagg, in the layout that barstep reads and in the one that suits itself."""

from __future__ import annotations

import math

import numbagg
import numpy as np
from work import WINDOW, Inputs, Outputs, Work

POPULATION = math.sqrt(WINDOW / (WINDOW - 1))  # its move_std has ddof 1


def _zscore(values: np.ndarray, axis: int) -> np.ndarray:
    mean = numbagg.move_mean(values, window=WINDOW, axis=axis)
    z = np.subtract(values, mean, out=mean)
    return np.divide(z, numbagg.move_std(values, window=WINDOW, axis=axis), out=z)


def wide_zscore(inputs: Inputs) -> Work:
    values = inputs["values"]
    return Work(lambda: _zscore(values, 0), lambda z: {"values": z * POPULATION})


def wide_zscore_by_column(inputs: Inputs) -> Work:
    columns = np.ascontiguousarray(inputs["values"].T)

    def read(z: np.ndarray) -> Outputs:
        return {"values": np.ascontiguousarray(z.T) * POPULATION}

    return Work(lambda: _zscore(columns, 1), read)


WORK = {"wide_zscore": wide_zscore, "wide_zscore_by_column": wide_zscore_by_column}
