"""The SQLite cache: it gives what a Parquet file gives, and says what is wrong with a damaged or foreign file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from barstep.data import cache
from barstep.data.cache import list_cache
from barstep.data.cache_writing import store_datasets
from barstep.data.checking import check_file
from barstep.data.dataset import (
    VALUE_COLUMNS,
    Dataset,
    DatasetInfo,
    read_columns,
    read_dataset,
    read_info,
    write_dataset,
)
from barstep.data.folder import open_folder
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import load
from barstep.errors import DataError
from hypothesis import given
from hypothesis import strategies as st

MakeBars = Callable[..., pl.DataFrame]
INFO = DatasetInfo(symbol="X", venue="v", interval_seconds=3600, source="here", notes=("one", "two"))


@pytest.fixture
def stored(tmp_path: Path, make_bars: MakeBars) -> Path:
    """A cache of one dataset of three bars, the second without a volume."""
    file = tmp_path / "cache.sqlite"
    bars = make_bars([1.0, 2.0, 3.0]).with_columns(volume=pl.Series([1.5, None, 3.5]))
    store_datasets(file, [Dataset(bars, INFO)])
    return file


def change(file: Path, *statements: str) -> None:
    """What another program does to the file."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of the embedded datasets."""
    file = tmp_path_factory.mktemp("embedded") / "cache.sqlite"
    store_datasets(file, [read_dataset(path) for path in EMBEDDED_FOLDER.glob("*.parquet")])
    return file


@pytest.mark.parametrize("path", sorted(EMBEDDED_FOLDER.glob("*.parquet")), ids=lambda path: path.stem)
def test_sqlite_and_parquet_give_the_same_bits(embedded: Path, path: Path) -> None:
    """Frame, metadata and digest, under the name of the file without its ending."""
    parquet, sqlite = read_dataset(path), read_dataset(embedded / path.stem)
    assert sqlite.frame.equals(parquet.frame)
    assert sqlite.frame.schema == parquet.frame.schema
    assert sqlite.info == parquet.info
    assert load(embedded / path.stem).values.tobytes() == load(path).values.tobytes()


def test_a_cache_is_looked_through_as_a_folder(embedded: Path) -> None:
    """By venue, symbol and interval; what is not there is told with what is."""
    mine, parquet = open_folder(embedded), open_folder(EMBEDDED_FOLDER)
    assert mine.find("kraken", "SOLUSDT", 7200) == embedded / "kraken_SOLUSDT_1h"
    assert list(mine.files.values()) == list(parquet.files.values())
    with pytest.raises(DataError, match=r"no bars of kraken DOGE in 1h.* There is binance BTCUSDT 1h, "):
        mine.find("kraken", "DOGE", 3600)


def test_nulls_and_metadata_come_back(stored: Path) -> None:
    """A null is a null, notes and source are what they were; of one dataset the name may be left out."""
    dataset = read_dataset(stored)
    assert dataset.frame["volume"].to_list() == [1.5, None, 3.5]
    assert (dataset.info.source, dataset.info.notes) == ("here", ("one", "two"))
    assert read_dataset(stored / "v_X_1h").digest == dataset.digest
    assert read_info(stored / "v_X_1h") == dataset.info


def test_sides_have_names_of_their_own(stored: Path, make_bars: MakeBars) -> None:
    """Trades go without one."""
    marks = DatasetInfo(symbol="X", venue="v", interval_seconds=3600, side="mark")
    store_datasets(stored, [Dataset(make_bars([5.0]), marks)])
    assert list(list_cache(stored)) == ["v_X_1h", "v_X_1h_mark"]
    assert open_folder(stored).find("v", "X", 3600).name == "v_X_1h"
    assert read_dataset(stored / "v_X_1h_mark").info.side == "mark"
    with pytest.raises(DataError, match=r"cache.sqlite: which dataset\? It holds v_X_1h, v_X_1h_mark. Write .*/NAME"):
        read_dataset(stored)


VALUES = st.floats(allow_nan=False, width=64) | st.none()


@given(st.dictionaries(st.integers(-(10**15), 10**15), st.tuples(*[VALUES] * 5), min_size=1, max_size=20))
def test_any_numbers_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, tuple[float | None, ...]]
) -> None:
    """The smallest, the largest, infinite ones, whole ones, none; but a negative zero, which is zero then."""
    folder = tmp_path_factory.mktemp("any")
    frame, plain = (
        pl.DataFrame(
            {
                "timestamp": pl.Series(sorted(rows), dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
                **{
                    name: pl.Series([made(rows[time][place]) for time in sorted(rows)], dtype=pl.Float64)
                    for place, name in enumerate(VALUE_COLUMNS)
                },
            }
        )
        for made in (lambda value: value, lambda value: value if value is None else value + 0.0)
    )
    store_datasets(folder / "c.sqlite", [Dataset(frame, INFO)])
    written = write_dataset(plain, INFO, folder / "p.parquet")
    assert read_dataset(folder / "c.sqlite").digest == written.digest
    for name in VALUE_COLUMNS:
        back, was = read_dataset(folder / "c.sqlite").frame[name], plain[name]
        assert back.is_null().to_list() == was.is_null().to_list()
        assert back.drop_nulls().to_numpy().tobytes() == was.drop_nulls().to_numpy().tobytes()


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["KRAKEN_BTCUSD_1m", "YAHOO_CL-F_1d", "BINANCE_BTCUSDT_1s", "US_SPY_1d", "OKX_BTCUSDT-PERP_5m"]
)
def test_recorded_data_come_back(shared_data: Path, tmp_path: Path, name: str) -> None:
    """Gaps, missing and negative prices and all."""
    parquet = read_dataset(shared_data / f"{name}.parquet")
    (one,) = store_datasets(tmp_path / "c.sqlite", [parquet])
    sqlite = read_dataset(tmp_path / "c.sqlite" / one.dataset.name)
    assert sqlite.frame.equals(parquet.frame.with_columns(pl.col(name).fill_nan(None) for name in VALUE_COLUMNS))
    assert sqlite.digest == parquet.digest
    assert one.dataset.rows == parquet.frame.height


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE candle SET close = close + 1 WHERE ts_us > 0", "do not match the digest in the file's metadata"),
        ("DELETE FROM candle WHERE volume IS NULL", "do not match the digest"),
        ("DELETE FROM candle", "holds no bars"),
        ("UPDATE candle SET close = 'much'", "a value is not of its column's type: could not convert string to float"),
        ("UPDATE dataset SET interval_seconds = 0", "v X: interval_seconds is 0; it must be a whole number above 0"),
        ("UPDATE dataset SET side = 'tride'", "side is 'tride'. Did you mean 'trade'?"),
        ("UPDATE dataset SET notes = '['", "a value is not of its column's type"),
        ("DELETE FROM dataset", "which dataset? It holds none."),
        ("DROP TABLE candle", "not a readable SQLite cache: no such table: candle. Make it anew from its sources."),
        ("ALTER TABLE candle RENAME COLUMN high TO top", "not a readable SQLite cache: no such column: high."),
        ("PRAGMA user_version = 9", "schema version 9 is not known. Allowed: 1."),
        (
            "PRAGMA application_id = 0",
            "not a cache of barstep: it holds the tables candle, dataset. Type: barstep",
        ),
    ],
)
def test_what_somebody_changed_is_seen(stored: Path, statement: str, text: str) -> None:
    """A row, a value's type, the metadata, the tables, the version; each is a DataError that names the file."""
    change(stored, statement)
    with pytest.raises(DataError) as refused:
        load(stored)
    assert str(refused.value).startswith(str(stored))
    assert text in str(refused.value)


def test_a_check_counts_what_a_read_refuses(stored: Path) -> None:
    """As it does in a Parquet file."""
    change(stored, "UPDATE candle SET high = 0")
    assert {"digest-mismatch", "impossible-ohlc"} <= {finding.code for finding in check_file(stored).findings}
    with pytest.raises(DataError, match=r"no dataset 'v_X_2h'\. Did you mean 'v_X_1h'\?"):
        check_file(stored / "v_X_2h")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_a_truncated_file(embedded: Path, tmp_path: Path, share: float) -> None:
    """Cut anywhere, it is refused and named."""
    whole = embedded.read_bytes()
    file = tmp_path / "cut.sqlite"
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"cut.sqlite: not a readable SQLite cache: database disk image is malformed"):
        for name in list_cache(embedded):
            read_dataset(file / name)


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing more, " * 20, b"SQLite format 3\0" + b"\0" * 84])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """Empty, of another kind, or a header alone."""
    file = tmp_path / "x.sqlite"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"x.sqlite: (not a readable SQLite cache|a SQLite file, but not a cache)"):
        open_folder(file)


def test_another_program_s_database(tmp_path: Path) -> None:
    """It is named by its tables, is not read, and is not written to."""
    file = tmp_path / "freqtrade.sqlite"
    change(file, "CREATE TABLE trades (id INTEGER)", "CREATE TABLE orders (id INTEGER)")
    before = file.read_bytes()
    for action in (lambda: load(file), lambda: store_datasets(file, [])):
        with pytest.raises(DataError, match=r"freqtrade.sqlite: .* it holds the tables orders, trades\. Type: barstep"):
            action()
    assert file.read_bytes() == before


def test_a_file_that_is_being_written(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read out of the middle of a commit; once it is over, all is there."""
    monkeypatch.setattr(cache, "WAIT_SECONDS", 0.01)
    with closing(sqlite3.connect(stored, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert read_dataset(stored).frame.height == 3  # it has not begun to write
        writer.execute("COMMIT")
        writer.execute("BEGIN EXCLUSIVE")
        for action in (lambda: read_dataset(stored), lambda: store_datasets(stored, [])):
            with pytest.raises(DataError, match=r"another process is writing it, and did not end within 0.01 s"):
                action()
        writer.execute("ROLLBACK")
    assert read_dataset(stored).frame.height == 3


def test_a_writer_that_was_killed_leaves_what_was(embedded: Path, tmp_path: Path) -> None:
    """In the middle of a transaction that had reached the disk: the next reader sees the bars of before."""
    file = tmp_path / "killed.sqlite"
    file.write_bytes(embedded.read_bytes())
    code = (
        "import os, sqlite3, sys\n"
        "writer = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "writer.execute('PRAGMA cache_size = 10')\n"
        "writer.execute('BEGIN IMMEDIATE')\n"
        "writer.execute('UPDATE candle SET close = 1')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == -9
    assert file.with_name("killed.sqlite-journal").stat().st_size > 0
    assert file.read_bytes() != embedded.read_bytes()
    for name in list_cache(embedded):
        assert read_dataset(file / name).digest == read_dataset(embedded / name).digest


def test_what_is_not_there(stored: Path) -> None:
    """A file, a dataset; each with its near name. And a dataset cannot be written over a row of a cache."""
    with pytest.raises(DataError, match=r"cach.sqlite: no such file\. Did you mean 'cache.sqlite'\?"):
        read_columns(stored.with_name("cach.sqlite"))
    with pytest.raises(DataError, match=r"no dataset 'v_Y_1h'\. Did you mean 'v_X_1h'\? It holds v_X_1h\."):
        read_info(stored / "v_Y_1h")
    with pytest.raises(DataError, match=r"lies in a SQLite cache, and is to be a file\. Type: barstep data cache --to"):
        write_dataset(read_dataset(stored).frame, INFO, stored / "v_X_1h")
