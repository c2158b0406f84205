"""Funding rates of a perpetual, read from the files that venues and tools write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ..errors import DataError

_TIMES = ("timestamp", "time", "date", "calc_time", "fundingTime", "funding_time")
_RATES = ("rate", "last_funding_rate", "fundingRate", "funding_rate", "open")  # freqtrade keeps the rate as `open`
_READERS = {".parquet": pl.read_parquet, ".feather": pl.read_ipc, ".csv": pl.read_csv}
_MICROSECONDS_BY_DIGITS = {10: 1_000_000, 13: 1_000, 16: 1}


def read_funding(path: Path) -> pl.DataFrame:
    """`timestamp` (UTC, in microseconds) and `rate` (a share of the position's value), sorted by time.

    Raises:
        DataError: The file is missing or of another kind, has no time or no rate, or a time that is none.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: funding is read from {', '.join(_READERS)}; this is {path.suffix or 'without ending'}."
        )
    try:
        frame = reader(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: not readable: {str(error).splitlines()[0]}") from error
    times = _microseconds(path, frame[_column(path, frame.columns, _TIMES)])
    rates = frame[_column(path, frame.columns, _RATES)].cast(pl.Float64, strict=False)
    return pl.DataFrame({"timestamp": times, "rate": rates}).sort("timestamp")


def _column(path: Path, found: Sequence[str], known: Sequence[str]) -> str:
    for name in known:
        if name in found:
            return name
    raise DataError(f"{path}: no column of {', '.join(known)}. Found: {', '.join(found)}.")


def _microseconds(path: Path, times: pl.Series) -> pl.Series:
    """Times as a count of microseconds; whole numbers are told apart by their digits: seconds, milli, micro."""
    if times.dtype == pl.String:
        times = times.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if times.dtype.is_temporal():
        return times.cast(pl.Datetime("us")).to_physical()
    digits = len(str(times.max()))
    if not times.dtype.is_integer() or digits not in _MICROSECONDS_BY_DIGITS:
        raise DataError(f"{path}: the times, such as {times[0]!r}, are neither dates nor seconds, ms or µs since 1970.")
    return times.cast(pl.Int64) * _MICROSECONDS_BY_DIGITS[digits]
