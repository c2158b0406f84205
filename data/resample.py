"""Bars of a coarser interval out of finer ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from ..errors import UsageError
from .dataset import SCHEMA, Dataset
from .durations import DAY, MICROSECONDS, WEEK, format_interval
from .findings import Finding, counted, iso_times, some

# Weeks begin on Monday; the epoch was a Thursday.
_FIRST_MONDAY_US = 4 * DAY * MICROSECONDS


@dataclass(frozen=True)
class Resampled:
    """The coarser dataset and what is to be known about it."""

    dataset: Dataset
    findings: tuple[Finding, ...]


def resample(
    dataset: Dataset, interval_seconds: int, *, keep_partial: bool = False, known_until_us: int | None = None
) -> Resampled:
    """Join bars into longer ones: first open, highest high, lowest low, last close, sum of volumes.

    Longer bars open at multiples of their interval since the epoch, weeks on Monday. A gap stays a gap. A price that
    is null or NaN is passed over; a bar of nothing else has null prices.

    Args:
        dataset: The finer bars.
        interval_seconds: Length of the longer bars, a multiple of the finer ones'.
        keep_partial: Whether to keep a first or last bar that the source covers in part only.
        known_until_us: Up to when the source has every bar that there is, in microseconds since the epoch; None: up to
            the close of its last one.

    Raises:
        UsageError: The interval is no multiple of the source's, or no whole bar is left.
    """
    source_seconds = dataset.info.interval_seconds
    if interval_seconds <= source_seconds or interval_seconds % source_seconds:
        raise UsageError(
            f"interval {format_interval(interval_seconds)} is not a longer multiple of the source's "
            f"{format_interval(source_seconds)}."
        )
    interval_us = interval_seconds * MICROSECONDS
    bars = _join(dataset.frame, interval_seconds)
    last_close_us = int(dataset.frame["timestamp"].to_physical()[-1]) + source_seconds * MICROSECONDS
    known = max(last_close_us, known_until_us or last_close_us)
    bars, findings = _judge_ends(bars, dataset, interval_us, known, keep_partial=keep_partial)
    findings += _judge_inside(bars, interval_seconds // source_seconds)
    if bars.is_empty():
        raise UsageError(
            f"no whole bar of {format_interval(interval_seconds)} lies in the data; --keep-partial keeps parts of one."
        )
    note = f"resampled from {format_interval(source_seconds)}, source digest {dataset.digest[:16]}"
    info = replace(dataset.info, interval_seconds=interval_seconds, digest="", notes=(*dataset.info.notes, note))
    return Resampled(Dataset(bars.select(list(SCHEMA)).rechunk(), info), tuple(findings))


def origin_us(interval_seconds: int) -> int:
    """A time at which a bar of this length opens, in microseconds since the epoch."""
    return _FIRST_MONDAY_US if interval_seconds % WEEK == 0 else 0


def _join(frame: pl.DataFrame, interval_seconds: int) -> pl.DataFrame:
    time = pl.col("timestamp").to_physical()
    since_open = (time - origin_us(interval_seconds)) % (interval_seconds * MICROSECONDS)
    bucket = (time - since_open).cast(SCHEMA["timestamp"])
    opening, high, low, close, volume = (
        pl.col(name).fill_nan(None).drop_nulls() for name in ("open", "high", "low", "close", "volume")
    )
    return (
        frame.lazy()
        .group_by(bucket.alias("bucket"), maintain_order=True)
        .agg(
            open=opening.first(),
            high=high.max(),
            low=low.min(),
            close=close.last(),
            # In order of time: `sum` adds up in an order that depends on the rows around, and its last bits with it.
            # Over nothing it is null: unknown, not zero.
            volume=volume.cum_sum().last(),
            parts=pl.len(),
        )
        .rename({"bucket": "timestamp"})
        .collect()
    )


def _judge_ends(
    bars: pl.DataFrame, dataset: Dataset, interval_us: int, known_until_us: int, *, keep_partial: bool
) -> tuple[pl.DataFrame, list[Finding]]:
    """Name a first and last bar that the source covers in part, and drop them unless they are wanted."""
    first_us = int(dataset.frame["timestamp"].to_physical()[0])
    opens_us = bars["timestamp"].to_physical()
    late_start = int(opens_us[0]) < first_us
    early_end = int(opens_us[-1]) + interval_us > known_until_us
    partial = [0] * late_start + [bars.height - 1] * (early_end and not (late_start and bars.height == 1))
    if not partial:
        return bars, []
    places = iso_times(opens_us.gather(partial).to_numpy())
    fate = "kept" if keep_partial else "dropped"
    text = f"{counted(len(places), 'bar')} at the ends only partly covered by the source, {fate} ({some(places)})"
    finding = Finding(code="partial-bar", severity="warning", count=len(places), text=text, locations=places)
    return bars if keep_partial else bars.with_row_index("row").filter(~pl.col("row").is_in(partial)), [finding]


def _judge_inside(bars: pl.DataFrame, parts: int) -> list[Finding]:
    thin = bars.filter(pl.col("parts") < parts)["timestamp"]
    if thin.is_empty():
        return []
    places = iso_times(thin.to_physical().to_numpy())
    text = f"{counted(len(places), 'bar')} made of fewer than {parts} source bars ({some(places)})"
    return [Finding(code="thin-bar", severity="info", count=len(places), text=text, locations=places)]
