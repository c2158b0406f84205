"""polars, through one lazy expression: it may share what is common."""

from __future__ import annotations

import polars as pl
from work import WINDOW, Inputs, Outputs, Work


def _read(frame: pl.DataFrame) -> Outputs:
    return {"values": frame.to_series().fill_null(float("nan")).to_numpy()}


def _select(inputs: Inputs, expression: pl.Expr) -> Work:
    frame = pl.DataFrame({"close": inputs["close"]})
    return Work(lambda: frame.lazy().select(expression).collect(), _read)


def zscore(inputs: Inputs) -> Work:
    close = pl.col("close")
    return _select(inputs, (close - close.rolling_mean(WINDOW)) / close.rolling_std(WINDOW, ddof=0))


def rolling_max(inputs: Inputs) -> Work:
    return _select(inputs, pl.col("close").rolling_max(WINDOW))


WORK = {"zscore": zscore, "rolling_max": rolling_max}
