"""The SQLite cache of candles: many datasets in one file, read as a folder of Parquet files is.

The schema stands below and in docs/data-formats.md. Bars read from it are the bits that were put in, and a digest over
them is kept as in a Parquet file, so that a row that somebody changed is seen.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import DataError, nearest
from .cache_path import SUFFIX, CachePath
from .dataset import SCHEMA, VALUE_COLUMNS, DatasetInfo, refuse_info
from .durations import format_interval
from .findings import some

APPLICATION_ID = 0x62617273
"""`bars` in ASCII: what `PRAGMA application_id` says of a file that is such a cache."""

SCHEMA_VERSION = 1
"""What `PRAGMA user_version` says."""

TABLES = """
CREATE TABLE dataset (
    id INTEGER PRIMARY KEY,
    venue TEXT NOT NULL,
    symbol TEXT NOT NULL,
    interval_seconds INTEGER NOT NULL,
    side TEXT NOT NULL,
    digest TEXT NOT NULL,
    source TEXT,
    notes TEXT NOT NULL,
    UNIQUE (venue, symbol, interval_seconds, side)
);
CREATE TABLE candle (
    dataset INTEGER NOT NULL REFERENCES dataset (id),
    ts_us INTEGER NOT NULL,
    open REAL, high REAL, low REAL, close REAL, volume REAL,
    PRIMARY KEY (dataset, ts_us)
) WITHOUT ROWID;
"""

WAIT_SECONDS = 5.0
"""How long a file that another process is writing is waited for."""

_ROW = np.dtype([("ts_us", np.int64), *((name, np.float64) for name in VALUE_COLUMNS)])


@dataclass(frozen=True, kw_only=True)
class CachedDataset:
    """A dataset of a cache, without its bars.

    Attributes:
        key: Its row in the table `dataset`.
        info: What it holds.
        rows: Number of its bars.
        first_us: Open of the first one, in microseconds since the epoch, UTC.
        last_us: Open of the last one.
    """

    key: int
    info: DatasetInfo
    rows: int
    first_us: int
    last_us: int

    @property
    def name(self) -> str:
        """What a path calls it: `binance_BTCUSDT_1h`, with the side behind it where that is not `trade`."""
        info = self.info
        side = "" if info.side == "trade" else f"_{info.side}"
        return f"{info.venue}_{info.symbol}_{format_interval(info.interval_seconds)}{side}"


def list_cache(file: Path) -> dict[str, CachedDataset]:
    """The datasets of a cache by their names, in order of these.

    Raises:
        DataError: There is no such file, it is not a cache, it is damaged, or somebody is writing it all the time.
    """
    with reading(file) as connection:
        return datasets_in(file, connection)


def read_cached_info(place: CachePath) -> DatasetInfo:
    """What a dataset of a cache holds, without its bars.

    Raises:
        DataError: As `list_cache`; or there is no dataset of that name.
    """
    with reading(place.file) as connection:
        return _chosen(place, datasets_in(place.file, connection)).info


def read_cached(place: CachePath) -> tuple[pl.DataFrame, DatasetInfo]:
    """The columns and the metadata of a dataset, without judging order and digest.

    Raises:
        DataError: As `list_cache`; or there is no dataset of that name.
    """
    with reading(place.file) as connection:
        found = _chosen(place, datasets_in(place.file, connection))
        return read_rows(place.file, connection, found.key), found.info


def datasets_in(file: Path, connection: sqlite3.Connection) -> dict[str, CachedDataset]:
    """The datasets by their names."""
    rows = connection.execute(
        "SELECT id, venue, symbol, interval_seconds, side, digest, source, notes, count(ts_us), min(ts_us), max(ts_us) "
        "FROM dataset LEFT JOIN candle ON candle.dataset = dataset.id GROUP BY id"
    )
    with value_refusals(file):
        found = [_described(file, row) for row in rows]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def read_rows(file: Path, connection: sqlite3.Connection, key: int) -> pl.DataFrame:
    """The bars of a dataset in order of time."""
    counts = ", ".join(f"count({name})" for name in VALUE_COLUMNS)
    size, *known = connection.execute(f"SELECT count(*), {counts} FROM candle WHERE dataset = ?", (key,)).fetchone()  # noqa: S608 - own names
    # numpy fills its rows from tuples of numbers at the rate at which sqlite3 makes them; NULL it would refuse.
    values = [
        name if count == size else f"ifnull({name}, 'nan')" for name, count in zip(VALUE_COLUMNS, known, strict=True)
    ]
    query = f"SELECT ts_us, {', '.join(values)} FROM candle WHERE dataset = ? ORDER BY ts_us"  # noqa: S608 - own names
    with value_refusals(file):
        table = np.fromiter(connection.execute(query, (key,)), dtype=_ROW, count=size)
    columns = [pl.Series("timestamp", table["ts_us"].copy()).cast(SCHEMA["timestamp"])]
    columns += [pl.Series(name, table[name].copy(), nan_to_null=True) for name in VALUE_COLUMNS]
    return pl.DataFrame(columns)


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A cache as it is at one moment; nothing is written, but what a writer's crash left undone is put right."""
    if not file.is_file():
        siblings = [entry.name for entry in file.parent.glob(f"*{SUFFIX}")] if file.parent.is_dir() else []
        raise DataError(f"{file}: no such file.{nearest(file.name, siblings)}")
    with refusals(file), closing(connect(file, "rw" if _journal(file).exists() else "ro")) as connection:
        refuse_foreign(file, connection)
        connection.execute("BEGIN")
        yield connection


def connect(file: Path, mode: str) -> sqlite3.Connection:
    """Open a SQLite file, transactions being told by hand."""
    address = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)


def refuse_foreign(file: Path, connection: sqlite3.Connection) -> None:
    """Raise DataError where a file is another program's, or another version's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        holds = f"it holds the tables {some(sorted(tables))}" if tables else "it holds no tables"
        raise DataError(
            f"{file}: a SQLite file, but not a cache of barstep: {holds}. "
            f"Type: barstep data cache --to NEW{SUFFIX} FILE ..."
        )
    if version != SCHEMA_VERSION:
        raise DataError(f"{file}: schema version {version} is not known. Allowed: {SCHEMA_VERSION}.")


@contextmanager
def refusals(file: Path) -> Iterator[None]:
    """SQLite's errors as DataError."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DataError(
                f"{file}: another process is writing it, and did not end within {WAIT_SECONDS:g} s. Try again later."
            ) from error
        raise DataError(f"{file}: not a readable SQLite cache: {error}. Make it anew from its sources.") from error


@contextmanager
def value_refusals(file: Path) -> Iterator[None]:
    """Values that are not of their columns' types, as DataError: SQLite takes any value into any column."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{file}: a value is not of its column's type: {error}. Make it anew from its sources."
        ) from error


def _described(file: Path, row: tuple[Any, ...]) -> CachedDataset:
    key, venue, symbol, interval_seconds, side, digest, source, notes, rows, first_us, last_us = row
    info = DatasetInfo(
        venue=venue, symbol=symbol, interval_seconds=interval_seconds, side=side, digest=digest, source=source,
        notes=tuple(json.loads(notes)),
    )  # fmt: skip
    refuse_info(f"{file}: {venue} {symbol}", info)
    return CachedDataset(key=key, info=info, rows=rows, first_us=first_us or 0, last_us=last_us or 0)


def _chosen(place: CachePath, found: dict[str, CachedDataset]) -> CachedDataset:
    if not place.name and len(found) == 1:
        return next(iter(found.values()))
    if place.name in found:
        return found[place.name]
    listed = f"It holds {some(list(found), 12)}." if found else "It holds none."
    if not place.name:
        raise DataError(f"{place.file}: which dataset? {listed} Write {place.file}/NAME.")
    raise DataError(f"{place.file}: no dataset {place.name!r}.{nearest(place.name, found)} {listed}")


def _journal(file: Path) -> Path:
    return file.with_name(f"{file.name}-journal")
