"""Checking whole files, and summing them up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from barstep.data.checking import check_file
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.data.info import summarise
from barstep.errors import DataError

MakeBars = Callable[..., pl.DataFrame]
INFO = DatasetInfo(symbol="X", venue="v", interval_seconds=3600)


def codes(path: Path) -> list[str]:
    return [finding.code for finding in check_file(path).findings]


def test_a_file_that_the_reader_refuses_is_checked(tmp_path: Path, make_bars: MakeBars) -> None:
    """Disorder and a wrong digest are findings here, in the order the rows lie."""
    path = tmp_path / "x.parquet"
    write_dataset(make_bars([1.0, 2.0, 3.0]), INFO, path)
    metadata = pl.read_parquet_metadata(path)["barstep"]
    make_bars([1.0, 2.0, 3.0]).reverse().write_parquet(path, metadata={"barstep": metadata})
    assert codes(path) == ["digest-mismatch", "out-of-order"]


def test_a_vendors_file_is_checked_through_its_import(tmp_path: Path) -> None:
    """Any file that the import reads is checked, with what the import assumed."""
    path = tmp_path / "BTCUSD_60.csv"
    path.write_text("1704067200,1,2,0.5,1.5,10,7\n1704070800,1.5,2,1,1.2,0,8\n")
    assert {"bar-label-start", "zero-volume"} <= set(codes(path))


def test_end_labels_are_suspected(tmp_path: Path) -> None:
    """A file whose sessions begin a bar after the half hour seems to be stamped with the end of bars."""
    minutes = [570 + 1440 * day + minute for day in range(5) for minute in range(1, 391)]
    frame = pl.DataFrame({"timestamp": pl.Series([at * 60_000_000 for at in minutes]).cast(pl.Datetime("us", "UTC"))})
    bars = frame.with_columns(pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close", "volume"))
    write_dataset(bars, DatasetInfo(symbol="X", venue="v", interval_seconds=60), tmp_path / "x.parquet")
    assert "end-label-suspected" in codes(tmp_path / "x.parquet")


def test_a_missing_and_an_empty_file_are_refused(tmp_path: Path, make_bars: MakeBars) -> None:
    """What cannot be checked at all is a data error."""
    with pytest.raises(DataError, match="no such file"):
        check_file(tmp_path / "nothing.parquet")
    make_bars([1.0]).clear().write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="no bars"):
        check_file(tmp_path / "x.parquet")


def test_a_summary_counts_and_spans(tmp_path: Path, make_bars: MakeBars) -> None:
    """A summary holds names, span, gaps, price range and digest."""
    path = tmp_path / "x.parquet"
    written = write_dataset(make_bars([1.0, 2.0, 9.0, 4.0])[[0, 1, 3]], INFO, path)
    facts = summarise(path)
    assert (facts.symbol, facts.venue, facts.interval, facts.rows) == ("X", "v", "1h", 3)
    assert (facts.first_open, facts.last_open) == ("2024-01-01T00:00:00Z", "2024-01-01T03:00:00Z")
    assert (facts.gaps, facts.missing_bars) == (1, 1)
    assert (facts.lowest, facts.highest, facts.total_volume) == (1.0, 9.0, 3.0)
    assert (facts.digest, facts.file_bytes) == (written.digest, path.stat().st_size)
