"""The normalised dataset: one Parquet file of bars that says what it holds and can prove that it is whole.

Columns: `timestamp` (Datetime, microseconds, UTC, the bar's OPEN), `open`, `high`, `low`, `close`, `volume`
(all float64; `volume` may be null where the source has none). Rows are sorted and no time occurs twice.
The file's metadata holds, under the key `barstep`, a JSON object with the fields of `DatasetInfo` and the digest.

Prices that are NaN or impossible are not refused here: they are what `check` finds, and whoever runs on the
bars decides whether it can live with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import DataError, nearest
from .cache_path import cache_path
from .durations import MICROSECONDS
from .findings import iso_times
from .naming import guess_names
from .whole_file import whole_file

METADATA_KEY = "barstep"
FORMAT_VERSION = 1
VALUE_COLUMNS = ("open", "high", "low", "close", "volume")
SCHEMA: Mapping[str, pl.DataType] = {
    "timestamp": pl.Datetime("us", "UTC"),
    **{name: pl.Float64() for name in VALUE_COLUMNS},
}

Content = TypeVar("Content")
Side = Literal["trade", "bid", "ask", "mark"]
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What a dataset holds.

    Attributes:
        symbol: The instrument, as its venue writes it.
        venue: Where it trades; `unknown` when the source does not say.
        interval_seconds: Length of a bar.
        digest: SHA-384 of the column bytes in hexadecimal; empty for a file without metadata until it is asked
            for through `Dataset.digest`.
        source: The file or generator that the bars came from.
        side: What the prices are: trades, bid or ask quotes, or a venue's mark price.
        notes: What was assumed or changed on the way, one sentence each.
        format_version: Version of the metadata's form.
    """

    symbol: str
    venue: str
    interval_seconds: int
    digest: str = ""
    source: str | None = None
    side: Side = "trade"
    notes: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class Dataset:
    """Bars and what they are."""

    frame: pl.DataFrame
    info: DatasetInfo

    @cached_property
    def digest(self) -> str:
        """SHA-384 of the bars, whether or not the file carried one."""
        return self.info.digest or frame_digest(self.frame)


def frame_digest(frame: pl.DataFrame) -> str:
    """SHA-384 over the columns' bytes: timestamps as int64 microseconds, then each float64 column, little endian.

    A null counts as the quiet NaN that numpy writes, so that the digest needs no validity bits.
    """
    digest = hashlib.sha384()
    digest.update(np.ascontiguousarray(frame["timestamp"].to_physical().to_numpy(), dtype="<i8").data)
    for name in VALUE_COLUMNS:
        digest.update(np.ascontiguousarray(frame[name].to_numpy(), dtype="<f8").data)
    return digest.hexdigest()


def read_dataset(path: str | Path) -> Dataset:
    """Read a normalised file, or a dataset of a SQLite cache, refusing one that is not what it says.

    A bare Parquet file with the six columns is read too: its names come from the file's name
    (`BINANCE_BTCUSDT_1m.parquet`) and its interval is its most common step.

    Raises:
        DataError: The file is missing, unreadable, lacks a column, has rows out of order or twice, or its digest
            does not match its rows.
    """
    path = Path(path)
    frame, info = read_columns(path)
    _refuse_disorder(path, frame["timestamp"])
    if info is None:
        return Dataset(frame, infer_info(path, frame))
    found = frame_digest(frame)
    if info.digest != found:
        raise DataError(
            f"{path}: the bars do not match the digest in the file's metadata (stored {info.digest[:16]}…, found "
            f"{found[:16]}…): the file was changed after it was written. Import or generate it again."
        )
    return Dataset(frame, info)


def read_columns(path: Path) -> tuple[pl.DataFrame, DatasetInfo | None]:
    """Read the six columns and the metadata, without judging order, duplicates or the digest.

    This is what `check` looks at: a file that `read_dataset` would refuse.
    """
    place = cache_path(path)
    if place is not None:
        from .cache import read_cached  # noqa: PLC0415 - it is built on this module

        return read_cached(place)
    frame = _read_parquet(path, pl.read_parquet)
    return _conform(path, frame), read_info(path)


def read_info(path: Path) -> DatasetInfo | None:
    """What a file's metadata says, without reading its bars; None where barstep did not write it.

    Raises:
        DataError: The file is missing or unreadable, or its metadata is.
    """
    place = cache_path(path)
    if place is not None:
        from .cache import read_cached_info  # noqa: PLC0415 - it is built on this module

        return read_cached_info(place)
    return _parse_info(path, _read_parquet(path, pl.read_parquet_metadata).get(METADATA_KEY))


def _read_parquet(path: Path, read: Callable[[Path], Content]) -> Content:
    if path.is_dir():
        some = sorted(entry.name for entry in path.glob("*.parquet"))
        raise DataError(f"{path}: is a folder; name a dataset{f', such as {path / some[0]}' if some else ''}.")
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.glob("*.parquet")] if path.parent.is_dir() else []
        raise DataError(f"{path}: no such file.{nearest(path.name, siblings)}")
    try:
        return read(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not a readable Parquet file: {reason}. Type: barstep data import {path}") from error


def _conform(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    for name, dtype in SCHEMA.items():
        if name not in frame.columns:
            raise DataError(
                f"{path}: no column {name!r}. Found: {', '.join(frame.columns)}. Allowed: {', '.join(SCHEMA)}. "
                f"Type: barstep data import {path} --column {name}=NAME"
            )
        found = frame.schema[name]
        if found != dtype and not (name == "volume" and found == pl.Null):
            raise DataError(f"{path}: column {name!r} is {found}; it must be {dtype}. Type: barstep data import {path}")
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).rechunk()


def _parse_info(path: Path, text: str | None) -> DatasetInfo | None:
    if text is None:
        return None
    try:
        stored: dict[str, Any] = json.loads(text)
        version = stored.get("format_version")
        if version != FORMAT_VERSION:
            raise DataError(f"{path}: metadata version {version!r} is not known. Allowed: {FORMAT_VERSION}.")
        info = DatasetInfo(**{**stored, "notes": tuple(stored.get("notes", ()))})
        refuse_info(str(path), info)
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: the metadata under {METADATA_KEY!r} cannot be read: {error}.") from error
    return info


def refuse_info(where: str, info: DatasetInfo) -> None:
    """Raise DataError where metadata says what cannot be."""
    if not isinstance(info.interval_seconds, int) or info.interval_seconds <= 0:
        raise DataError(f"{where}: interval_seconds is {info.interval_seconds!r}; it must be a whole number above 0.")
    if info.side not in SIDES:
        raise DataError(f"{where}: side is {info.side!r}.{nearest(str(info.side), SIDES)} Allowed: {', '.join(SIDES)}.")


def _refuse_disorder(path: Path | str, timestamps: pl.Series) -> None:
    if timestamps.null_count():
        row = int(timestamps.is_null().arg_max() or 0)
        raise DataError(f"{path}: row {row + 1} has no timestamp. Type: barstep data check {path} --repair drop-nan")
    times_us = timestamps.to_physical().to_numpy()
    if times_us.size == 0:
        raise DataError(f"{path}: holds no bars.")
    ascending = times_us[1:] > times_us[:-1]
    if ascending.all():
        return
    row = int(np.argmin(ascending)) + 1
    before, found = iso_times(times_us[row - 1 : row + 1])
    duplicate = times_us[row] == times_us[row - 1]
    wrong = f"repeats the time {found}" if duplicate else f"goes back from {before} to {found}"
    policy = "drop-duplicates" if duplicate else "sort"
    raise DataError(
        f"{path}: row {row + 1} {wrong}; timestamps must rise. Type: barstep data check {path} --repair {policy}"
    )


def infer_info(path: Path, frame: pl.DataFrame) -> DatasetInfo:
    """What a file without metadata holds, from its name and its most common step.

    Raises:
        DataError: It holds one bar, and its name tells no interval.
    """
    names = guess_names(path.name)
    interval_seconds = most_common_step(frame["timestamp"].to_physical().to_numpy()) or names.interval_seconds
    if interval_seconds is None:
        raise DataError(
            f"{path}: one bar and no metadata, so its interval cannot be told. "
            f"Type: barstep data import {path} --interval 1h"
        )
    return DatasetInfo(
        symbol=names.symbol or path.stem,
        venue=names.venue or "unknown",
        interval_seconds=interval_seconds,
        source=path.name,
        side=names.side or "trade",
    )


def most_common_step(times_us: NDArray[np.int64]) -> int | None:
    """The most common step between neighbouring times in whole seconds; None where no two times differ.

    Of steps that are equally common the shortest wins: a gap is longer than the interval, never shorter.
    """
    steps = np.abs(np.diff(times_us))
    steps = steps[steps >= MICROSECONDS]
    if steps.size == 0:
        return None
    # In a dataset nearly every step is the interval: counting those first spares a sort of all.
    likely = int(np.median(steps[:1001]))
    if np.count_nonzero(steps == likely) * 2 > steps.size:
        return likely // MICROSECONDS
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)]) // MICROSECONDS


def normalised(path: Path, frame: pl.DataFrame, info: DatasetInfo) -> tuple[pl.DataFrame, DatasetInfo]:
    """Columns and metadata as they are written to a path: the digest is that of these bars.

    Raises:
        DataError: The frame is not a normalised one.
    """
    frame = _conform(path, frame)
    _refuse_disorder(path, frame["timestamp"])
    refuse_info(str(path), info)
    return frame, replace(info, digest=frame_digest(frame), format_version=FORMAT_VERSION)


def write_dataset(frame: pl.DataFrame, info: DatasetInfo, path: str | Path) -> Dataset:
    """Write bars as a normalised file, whole or not at all.

    Returns:
        The dataset as it was written, its info completed by the digest.

    Raises:
        DataError: The frame is not a normalised one.
    """
    path = Path(path)
    if cache_path(path) is not None:
        raise DataError(
            f"{path}: lies in a SQLite cache, and is to be a file. Type: barstep data cache --to FILE.sqlite FILE ..., "
            "or choose another --output."
        )
    frame, info = normalised(path, frame, info)
    text = json.dumps(asdict(info), sort_keys=True)
    with whole_file(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", compression_level=9, metadata={METADATA_KEY: text})
    return Dataset(frame, info)
