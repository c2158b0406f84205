"""Funding payments laid onto bars."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..data.table_file import counted
from ..errors import DataError, UsageError
from .bars import Bars, Floats


def funding_by_bar(bars: Bars, funding: pl.DataFrame) -> Floats:
    """float64[bar]: the rate that is paid at each bar's open.

    Args:
        bars: The history that is traded.
        funding: `timestamp` (a time, or microseconds since the epoch, UTC) and `rate`, a share of the position's value
            that longs pay to shorts. A time between two opens is paid at the later one; times outside are left out.

    Raises:
        UsageError: It is no frame.
        DataError: A column is missing, or a time or rate is.
    """
    if not isinstance(funding, pl.DataFrame):
        raise UsageError(f"funding is a {type(funding).__name__}; it must be a polars frame of timestamp and rate")
    for name in ("timestamp", "rate"):
        if name not in funding.columns:
            raise DataError(
                f"funding: no column {name!r}. Found: {', '.join(funding.columns)}. Allowed: timestamp, rate."
            )
    times, rates = counted(funding["timestamp"]), funding["rate"].cast(pl.Float64)
    if times.null_count() or rates.null_count() or not rates.is_finite().all():
        raise DataError("funding: a time or a rate is missing; each row needs both")
    at = np.searchsorted(bars.ts_us, times.to_numpy())
    inside = (at < len(bars)) & (times.to_numpy() >= bars.ts_us[0] if len(bars) else False)
    by_bar = np.zeros(len(bars))
    np.add.at(by_bar, at[inside], rates.to_numpy()[inside])
    return by_bar
