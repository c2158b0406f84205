"""The normalised file: what is written is read, and what is not right is refused."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from barstep.data.dataset import DatasetInfo, frame_digest, most_common_step, read_dataset, write_dataset
from barstep.errors import DataError

INFO = DatasetInfo(symbol="BTCUSDT", venue="binance", interval_seconds=3600, source="a.csv", notes=("one", "two"))
MakeBars = Callable[..., pl.DataFrame]


def test_what_is_written_is_read(tmp_path: Path, make_bars: MakeBars) -> None:
    """Rows and info survive the file, completed by the digest."""
    frame = make_bars([1.0, 2.0, 1.5])
    written = write_dataset(frame, INFO, tmp_path / "x.parquet")
    read = read_dataset(tmp_path / "x.parquet")
    assert read.frame.equals(frame)
    assert read.info == written.info
    assert read.info.notes == ("one", "two")
    assert read.digest == frame_digest(frame)


def test_the_digest_is_that_of_the_column_bytes(make_bars: MakeBars) -> None:
    """The digest is SHA-384 over int64 microseconds and then each float64 column, little endian."""
    frame = make_bars([1.0, 2.0])
    expected = hashlib.sha384(struct.pack("<2q", *frame["timestamp"].to_physical().to_list()))
    for name in ("open", "high", "low", "close", "volume"):
        expected.update(struct.pack("<2d", *frame[name].to_list()))
    assert frame_digest(frame) == expected.hexdigest()


def test_a_null_volume_has_a_digest(tmp_path: Path, make_bars: MakeBars) -> None:
    """Volumes may be null, also all of them, and read back as null."""
    frame = make_bars([1.0, 2.0]).with_columns(volume=pl.lit(None, dtype=pl.Float64))
    write_dataset(frame, INFO, tmp_path / "x.parquet")
    assert read_dataset(tmp_path / "x.parquet").frame["volume"].null_count() == 2


def test_a_bare_file_is_named_by_its_name(tmp_path: Path, make_bars: MakeBars) -> None:
    """A file without metadata takes symbol and venue from its name and its interval from its steps."""
    path = tmp_path / "KRAKEN_XBTUSD_1m.parquet"
    make_bars([1.0, 2.0, 3.0]).write_parquet(path)
    read = read_dataset(path)
    assert (read.info.venue, read.info.symbol, read.info.interval_seconds) == ("kraken", "XBTUSD", 3600)
    assert read.info.digest == ""
    assert len(read.digest) == 96


def test_a_changed_file_is_refused(tmp_path: Path, make_bars: MakeBars) -> None:
    """Bars that do not match the stored digest are refused."""
    path = tmp_path / "x.parquet"
    write_dataset(make_bars([1.0, 2.0]), INFO, path)
    metadata = pl.read_parquet_metadata(path)["barstep"]
    make_bars([1.0, 2.1]).write_parquet(path, metadata={"barstep": metadata})
    with pytest.raises(DataError, match="do not match the digest"):
        read_dataset(path)


@pytest.mark.parametrize("text", ["not json", "[]", '{"format_version": 9}', '{"format_version": 1, "odd": 2}'])
def test_unreadable_metadata_is_refused(tmp_path: Path, make_bars: MakeBars, text: str) -> None:
    """Metadata that is not of the known form is an error and not ignored."""
    make_bars([1.0, 2.0]).write_parquet(tmp_path / "x.parquet", metadata={"barstep": text})
    with pytest.raises(DataError, match="metadata"):
        read_dataset(tmp_path / "x.parquet")


def test_a_bad_interval_in_metadata_is_refused(tmp_path: Path, make_bars: MakeBars) -> None:
    """An interval of zero is refused."""
    text = json.dumps({"format_version": 1, "symbol": "X", "venue": "y", "interval_seconds": 0, "digest": ""})
    make_bars([1.0, 2.0]).write_parquet(tmp_path / "x.parquet", metadata={"barstep": text})
    with pytest.raises(DataError, match="interval_seconds is 0"):
        read_dataset(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop("low"), r"no column 'low'.*--column low=NAME"),
        (lambda frame: frame.with_columns(pl.col("open").cast(pl.String)), r"column 'open' is String"),
        (lambda frame: frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), r"column 'timestamp' is"),
        (lambda frame: frame.reverse(), r"row 2 goes back from .*--repair sort"),
        (lambda frame: pl.concat([frame, frame.tail(1)]), r"row 4 repeats the time .*--repair drop-duplicates"),
        (lambda frame: frame.clear(), r"holds no bars"),
    ],
)
def test_a_wrong_frame_is_refused_with_advice(
    tmp_path: Path, make_bars: MakeBars, change: Callable[[pl.DataFrame], pl.DataFrame], message: str
) -> None:
    """A missing column, a wrong type, disorder and repeats are refused, read or written, naming place and remedy."""
    frame = change(make_bars([1.0, 2.0, 3.0]))
    frame.write_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=message):
        write_dataset(frame, INFO, tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_strange_prices_are_not_refused(tmp_path: Path, make_bars: MakeBars) -> None:
    """NaN prices and impossible bars are read: they are for the check, and for whoever runs on them."""
    frame = make_bars([1.0, 2.0]).with_columns(high=pl.lit(float("nan")), low=pl.lit(5.0))
    write_dataset(frame, INFO, tmp_path / "x.parquet")
    assert read_dataset(tmp_path / "x.parquet").frame.height == 2


def test_a_missing_file_names_a_near_one(tmp_path: Path, make_bars: MakeBars) -> None:
    """A mistyped path is answered with the nearest file beside it."""
    write_dataset(make_bars([1.0]), INFO, tmp_path / "binance_BTCUSDT_1h.parquet")
    with pytest.raises(DataError, match=r"Did you mean 'binance_BTCUSDT_1h.parquet'"):
        read_dataset(tmp_path / "binance_BTCUSDT_1m.parquet")


def test_junk_is_refused(tmp_path: Path) -> None:
    """A file that is no Parquet is a data error."""
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_dataset(tmp_path / "x.parquet")


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, make_bars: MakeBars, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing fails half way the old file stays and no part of the new one does."""
    path = tmp_path / "x.parquet"
    write_dataset(make_bars([1.0, 2.0]), INFO, path)

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    with pytest.raises(OSError, match="disk full"):
        write_dataset(make_bars([3.0]), INFO, path)
    assert read_dataset(path).frame.height == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.parquet"]


def test_the_interval_is_the_most_common_step() -> None:
    """Gaps and repeats do not hide the interval; of steps that are equally common the shorter one wins."""
    minute = 60_000_000
    steps = pl.Series([0, 1, 2, 10, 11, 11, 50]) * minute
    assert most_common_step(steps.to_numpy()) == 60
    assert most_common_step((pl.Series([0, 1, 3]) * minute).to_numpy()) == 60
    assert most_common_step((pl.Series([5]) * minute).to_numpy()) is None
