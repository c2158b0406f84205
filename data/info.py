"""What a dataset file or a SQLite cache holds, at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from .cache import CachedDataset, list_cache
from .cache_path import cache_path
from .dataset import read_dataset
from .durations import MICROSECONDS, format_interval
from .findings import iso_times


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The facts that `barstep data info` prints."""

    file: str
    symbol: str
    venue: str
    side: str
    interval: str
    interval_seconds: int
    rows: int
    first_open: str
    last_open: str
    gaps: int
    missing_bars: int
    lowest: float | None
    highest: float | None
    first_open_price: float | None
    last_close_price: float | None
    total_volume: float | None
    digest: str
    file_bytes: int
    source: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CacheRow:
    """The facts of one dataset that `barstep data info` prints of a SQLite cache."""

    name: str
    symbol: str
    venue: str
    side: str
    interval: str
    interval_seconds: int
    rows: int
    first_open: str
    last_open: str
    digest: str
    source: str | None


def summarise_cache(file: Path) -> tuple[CacheRow, ...]:
    """The datasets of a SQLite cache, without reading their bars.

    Raises:
        DataError: The file is not such a cache.
    """
    return tuple(cache_row(cached) for cached in list_cache(file).values())


def cache_row(cached: CachedDataset) -> CacheRow:
    """The facts of one dataset of a cache."""
    first, last = iso_times(np.array([cached.first_us, cached.last_us]))
    info = cached.info
    return CacheRow(
        name=cached.name,
        symbol=info.symbol,
        venue=info.venue,
        side=info.side,
        interval=format_interval(info.interval_seconds),
        interval_seconds=info.interval_seconds,
        rows=cached.rows,
        first_open=first,
        last_open=last,
        digest=info.digest,
        source=info.source,
    )


def summarise(path: str | Path) -> Summary:
    """Read a dataset and sum it up.

    Raises:
        DataError: The file is not a normalised dataset.
    """
    path = Path(path)
    dataset = read_dataset(path)
    place = cache_path(path)
    frame, info = dataset.frame, dataset.info
    times_us = frame["timestamp"].to_physical().to_numpy()
    missing = np.diff(times_us) // (info.interval_seconds * MICROSECONDS) - 1
    ends = iso_times(times_us[[0, -1]])
    facts = frame.select(
        lowest=pl.col("low").fill_nan(None).min(),
        highest=pl.col("high").fill_nan(None).max(),
        opening=pl.col("open").fill_nan(None).drop_nulls().first(),
        closing=pl.col("close").fill_nan(None).drop_nulls().last(),
        volume=pl.col("volume").fill_nan(None).drop_nulls().sum(),
    ).row(0, named=True)
    return Summary(
        file=str(path),
        symbol=info.symbol,
        venue=info.venue,
        side=info.side,
        interval=format_interval(info.interval_seconds),
        interval_seconds=info.interval_seconds,
        rows=frame.height,
        first_open=ends[0],
        last_open=ends[1],
        gaps=int(np.count_nonzero(missing > 0)),
        missing_bars=int(missing[missing > 0].sum()),
        lowest=facts["lowest"],
        highest=facts["highest"],
        first_open_price=facts["opening"],
        last_close_price=facts["closing"],
        total_volume=None if frame["volume"].null_count() == frame.height else facts["volume"],
        digest=dataset.digest,
        file_bytes=(path if place is None else place.file).stat().st_size,
        source=info.source,
        notes=info.notes,
    )
