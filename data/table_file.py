"""Small tables with times that people and venues write: funding rates, target weights, orders."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..errors import DataError

_READERS = {".parquet": pl.read_parquet, ".feather": pl.read_ipc, ".csv": pl.read_csv}
_MICROSECONDS_BY_DIGITS = {10: 1_000_000, 13: 1_000, 16: 1}


def read_table_file(path: Path, what: str) -> pl.DataFrame:
    """The table as it stands in a CSV, Parquet or feather file; `what` names it in errors.

    Raises:
        DataError: The file is missing, of another kind or not readable.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder; {what} read from a file.")
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: {what} read from {', '.join(_READERS)}; this is {path.suffix or 'without ending'}.")
    try:
        return reader(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: not readable: {str(error).splitlines()[0]}") from error


def counted(times: pl.Series) -> pl.Series:
    """Dates and times as a count of microseconds since 1970; what is none is left as it is."""
    return times.cast(pl.Datetime("us")).to_physical() if times.dtype.is_temporal() else times


def microseconds(path: Path, times: pl.Series) -> pl.Series:
    """Times as a count of microseconds; whole numbers are told apart by their digits: seconds, milli, micro."""
    if times.dtype == pl.String:
        times = times.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if times.dtype.is_temporal():
        return counted(times)
    digits = len(str(times.max()))
    if not times.dtype.is_integer() or digits not in _MICROSECONDS_BY_DIGITS:
        raise DataError(f"{path}: the times, such as {times[0]!r}, are neither dates nor seconds, ms or µs since 1970.")
    return times.cast(pl.Int64) * _MICROSECONDS_BY_DIGITS[digits]


def read_plan(path: Path) -> pl.DataFrame:
    """A table of target weights, target shares or orders: `timestamp` in microseconds since 1970, the rest as it is.

    Raises:
        DataError: The file is missing, of another kind or not readable, or has no times.
    """
    frame = read_table_file(path, "a plan is")
    if "timestamp" not in frame.columns:
        raise DataError(f"{path}: no column 'timestamp'. Found: {', '.join(frame.columns)}.")
    times = microseconds(path, frame["timestamp"]) if frame.height else pl.Series("timestamp", [], pl.Int64)
    if times.null_count():
        raise DataError(f"{path}: the time in row {times.is_null().arg_max()} is missing or cannot be read.")
    empty = [name for name in frame.columns if frame[name].null_count() == frame.height]  # CSV has no type for them
    return frame.with_columns(times.alias("timestamp"), pl.col(empty).cast(pl.Float64))
