"""Putting datasets into a SQLite cache: all of them or none."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..errors import DataError
from .cache import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    TABLES,
    CachedDataset,
    connect,
    datasets_in,
    read_rows,
    refusals,
    refuse_foreign,
)
from .dataset import VALUE_COLUMNS, Dataset, DatasetInfo, normalised
from .findings import counted, iso_times

_SLICE_ROWS = 65_536


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of a dataset that was put into a cache.

    Attributes:
        dataset: It, as it is in the cache now.
        added: Bars that were not there before.
        replaced: Bars that were there with other values.
    """

    dataset: CachedDataset
    added: int
    replaced: int


def store_datasets(file: Path, datasets: Sequence[Dataset], *, overwrite: bool = False) -> list[Stored]:
    """Put datasets into a cache, which is made where there is none: bars that are there already stay, others join them.

    All of it is one transaction, and a new file appears whole.

    Args:
        file: The SQLite file.
        datasets: The datasets. Those of one venue, symbol, interval and side are one dataset of the cache.
        overwrite: Whether bars take the place of those of the same time with other values, which are refused else.

    Raises:
        DataError: Bars differ from those that are there, a dataset is not a normalised one, or the file is not a cache,
            is damaged, or is being written by another process.
    """
    with refusals(file), _writing(file) as connection:
        stored = [_store(file, connection, dataset, overwrite=overwrite) for dataset in datasets]
        now = {one.key: one for one in datasets_in(file, connection).values()}
    return [Stored(dataset=now[key], added=added, replaced=changed) for key, added, changed in stored]


@contextmanager
def _writing(file: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on a cache; on a new one in a temporary file that gets the name when all is written."""
    if file.exists():
        with closing(connect(file, "rw")) as connection:
            refuse_foreign(file, connection)
            with _transaction(connection):
                yield connection
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with closing(connect(temporary, "rw")) as connection:
            connection.executescript(
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; {TABLES}"
            )
            with _transaction(connection):
                yield connection
        temporary.chmod(0o644)  # as a dataset: readable by whoever may read the folder
        _give_name(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _give_name(temporary: Path, file: Path) -> None:
    """Give a new cache its name, but not that of one which another process made meanwhile: a rename would lose it."""
    try:
        file.hardlink_to(temporary)
    except FileExistsError:
        raise DataError(f"{file}: another process made it meanwhile. Type the command again.") from None
    except OSError:  # a file system without links
        temporary.replace(file)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _store(file: Path, connection: sqlite3.Connection, dataset: Dataset, *, overwrite: bool) -> tuple[int, int, int]:
    """Its row in the cache, and how many bars were added and replaced."""
    frame, info = normalised(file, _storable(dataset.frame), dataset.info)
    key = _key(connection, info)
    there = read_rows(file, connection, key)
    both = frame.join(there, on="timestamp", how="left", suffix="_there", maintain_order="left").with_columns(
        known=pl.col("timestamp").is_in(there["timestamp"].implode())
    )
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_there")) for name in VALUE_COLUMNS)
    added, changed = both.filter(~pl.col("known")), both.filter(pl.col("known") & ~same)
    if changed.height and not overwrite:
        at = iso_times(changed["timestamp"].to_physical().to_numpy()[:1])[0]
        raise DataError(
            f"{file}: {counted(changed.height, 'bar')} of {info.venue} {info.symbol} differ from those that are there, "
            f"the first at {at}. Add --overwrite to replace them."
        )
    fresh = pl.concat([added, changed]).select(frame.columns)
    _insert(connection, key, fresh)
    if fresh.height:
        kept = there.join(fresh, on="timestamp", how="anti")
        _describe(connection, key, normalised(file, pl.concat([kept, fresh]).sort("timestamp"), info)[1])
    return key, added.height, changed.height


def _storable(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns as SQLite gives them back: it has no NaN, and no negative zero."""
    plain = (pl.col(name).cast(pl.Float64).fill_nan(None) for name in VALUE_COLUMNS)
    # Adding 0.0 would do, but polars takes that for nothing and leaves it out.
    return frame.with_columns(pl.when(value == 0.0).then(0.0).otherwise(value).name.keep() for value in plain)


def _key(connection: sqlite3.Connection, info: DatasetInfo) -> int:
    """The row of a dataset, made where it is new."""
    place = (info.venue, info.symbol, info.interval_seconds, info.side)
    connection.execute(
        "INSERT OR IGNORE INTO dataset (venue, symbol, interval_seconds, side, digest, notes) "
        "VALUES (?, ?, ?, ?, '', '[]')",
        place,
    )
    (key,) = connection.execute(
        "SELECT id FROM dataset WHERE venue = ? AND symbol = ? AND interval_seconds = ? AND side = ?", place
    ).fetchone()
    return int(key)


def _insert(connection: sqlite3.Connection, key: int, frame: pl.DataFrame) -> None:
    numbers = frame.with_columns(pl.col("timestamp").to_physical())
    for part in numbers.iter_slices(_SLICE_ROWS):
        rows = ((key, *row) for row in part.iter_rows())
        connection.executemany("INSERT OR REPLACE INTO candle VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _describe(connection: sqlite3.Connection, key: int, info: DatasetInfo) -> None:
    """Set the digest and the source, and add the notes that are new."""
    (before,) = connection.execute("SELECT notes FROM dataset WHERE id = ?", (key,)).fetchone()
    notes = list(dict.fromkeys([*json.loads(before), *info.notes]))
    connection.execute(
        "UPDATE dataset SET digest = ?, source = ?, notes = ? WHERE id = ?",
        (info.digest, info.source, json.dumps(notes), key),
    )
