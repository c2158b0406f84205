"""Funding rates are read from what venues and tools write, or refused with what is missing."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from barstep.data.funding import read_funding
from barstep.errors import DataError

EIGHT = 1_704_096_000_000_000
"""2024-01-01 08:00 UTC in microseconds."""


@pytest.mark.parametrize(
    "text",
    [
        f"calc_time,funding_interval_hours,last_funding_rate\n{EIGHT // 1000},8,0.0001\n",
        f"timestamp,rate\n{EIGHT},0.0001\n",
        f"time,fundingRate\n{EIGHT // 1_000_000},0.0001\n",
        "date,open,high,low,close,volume\n2024-01-01T08:00:00Z,0.0001,0,0,0,0\n",
    ],
)
def test_every_way_to_write_a_rate(tmp_path: Path, text: str) -> None:
    """Seconds, milli- and microseconds and written dates, under the names that tools use, are one table."""
    path = tmp_path / "rates.csv"
    path.write_text(text)
    assert read_funding(path).rows() == [(EIGHT, 0.0001)]


def test_feather_and_parquet_with_dates(tmp_path: Path) -> None:
    """Binary tables with real times are read too, and sorted."""
    times = pl.Series("date", [EIGHT + 1_000_000, EIGHT]).cast(pl.Datetime("us", "UTC")).dt.cast_time_unit("ms")
    frame = pl.DataFrame([times, pl.Series("rate", [2.0, 1.0])])
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ipc(tmp_path / "a.feather")
    for name in ("a.parquet", "a.feather"):
        assert read_funding(tmp_path / name).rows() == [(EIGHT, 1.0), (EIGHT + 1_000_000, 2.0)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("absent.csv", None, "no such file"),
        ("", None, "is a folder; funding is read from a file"),
        ("a.xlsx", "x", "this is .xlsx"),
        ("a.csv", "time,price\n1704096000,1\n", "no column of rate, last_funding_rate"),
        ("a.csv", "when,rate\n1704096000,1\n", "no column of timestamp, time"),
        ("a.csv", "time,rate\n17040,1\n", "neither dates nor seconds"),
        ("a.parquet", "no parquet", "not readable"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    """A file that is not one of rates is refused by what it lacks."""
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_funding(path)
