"""Funding rates of a perpetual, read from the files that venues and tools write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ..errors import DataError
from .table_file import microseconds, read_table_file

_TIMES = ("timestamp", "time", "date", "calc_time", "fundingTime", "funding_time")
_RATES = ("rate", "last_funding_rate", "fundingRate", "funding_rate", "open")  # freqtrade keeps the rate as `open`


def read_funding(path: Path) -> pl.DataFrame:
    """`timestamp` (UTC, in microseconds) and `rate` (a share of the position's value), sorted by time.

    Raises:
        DataError: The file is missing or of another kind, has no time or no rate, or a time that is none.
    """
    frame = read_table_file(path, "funding is")
    times = microseconds(path, frame[_column(path, frame.columns, _TIMES)])
    rates = frame[_column(path, frame.columns, _RATES)].cast(pl.Float64, strict=False)
    return pl.DataFrame({"timestamp": times, "rate": rates}).sort("timestamp")


def _column(path: Path, found: Sequence[str], known: Sequence[str]) -> str:
    for name in known:
        if name in found:
            return name
    raise DataError(f"{path}: no column of {', '.join(known)}. Found: {', '.join(found)}.")
