"""What is wrong with bars: counted and located, nothing changed.

Works on raw rows in any order. Severities: `error` is what a run would trip over or believe wrongly, `warning` is
what may be the market's own doing (a closed venue, a violent print), `info` is a fact.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .durations import MICROSECONDS, format_interval, format_span
from .findings import Finding, Severity, counted, iso_times, some

_PRICES = ("open", "high", "low", "close")

# A print is an outlier when it lies this far from the closes on both sides of it: a level that holds is no outlier.
OUTLIER_RATIO = 0.5


def check_bars(frame: pl.DataFrame, interval_seconds: int, *, now_us: int | None = None) -> list[Finding]:
    """All findings on bars, the gravest first.

    Args:
        frame: The six columns of a normalised dataset, in any order.
        interval_seconds: Length of a bar.
        now_us: The present, in microseconds: a bar that ends after it is unfinished. Without it none is judged.
    """
    found = [
        *_check_order(frame),
        *_check_prices(frame),
        *_check_volume(frame),
    ]
    sorted_frame = frame.filter(pl.col("timestamp").is_not_null()).unique("timestamp", keep="last").sort("timestamp")
    found += _check_grid(sorted_frame, interval_seconds, now_us)
    found += _check_outliers(sorted_frame)
    rank = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: rank[finding.severity])


def _finding(code: str, severity: Severity, times_us: NDArray[np.int64], text: str) -> list[Finding]:
    """One finding located by bar times, or none where there are no such bars."""
    if times_us.size == 0:
        return []
    places = iso_times(times_us)
    sentence = f"{counted(len(places), 'bar')} {text} ({some(places)})"
    return [Finding(code=code, severity=severity, count=len(places), text=sentence, locations=places)]


def _times(frame: pl.DataFrame, condition: pl.Expr) -> NDArray[np.int64]:
    times: NDArray[np.int64] = frame.filter(condition)["timestamp"].drop_nulls().to_physical().to_numpy()
    return times


def _check_order(frame: pl.DataFrame) -> list[Finding]:
    found = []
    absent = frame["timestamp"].null_count()
    if absent:
        rows = tuple(f"row {row + 1}" for row in np.flatnonzero(frame["timestamp"].is_null().to_numpy()))
        text = f"{counted(absent, 'row')} without a timestamp ({some(rows)})"
        found.append(Finding(code="null-timestamp", severity="error", count=absent, text=text, locations=rows))
    times_us = frame["timestamp"].drop_nulls().to_physical().to_numpy()
    back = times_us[1:][np.diff(times_us) < 0]
    found += _finding("out-of-order", "error", back, "dated before the bar above")
    repeated = frame.filter(pl.col("timestamp").is_not_null()).filter(~pl.col("timestamp").is_first_distinct())
    if not repeated.is_empty():
        twice = frame.filter(pl.col("timestamp").is_in(repeated["timestamp"].implode()))
        conflicting = twice.unique().height - twice["timestamp"].n_unique()
        times = repeated["timestamp"].sort().to_physical().to_numpy()
        found += _finding(
            "duplicates", "error", times, f"at a time that is there already, {conflicting:,} with other values"
        )
    return found


def _check_prices(frame: pl.DataFrame) -> list[Finding]:
    opening, high, low, close = (pl.col(name) for name in _PRICES)
    prices = [opening, high, low, close]
    finite = pl.all_horizontal(price.is_finite() for price in prices).fill_null(value=False)
    impossible = (high < pl.max_horizontal(opening, low, close)) | (low > pl.min_horizontal(opening, high, close))
    return [
        *_finding(
            "null-price", "error", _times(frame, pl.any_horizontal(price.is_null() for price in prices)),
            "without a price",
        ),
        *_finding(
            "nan-price", "error",
            _times(frame, pl.any_horizontal((~price.is_finite()).fill_null(value=False) for price in prices)),
            "with a price that is NaN or infinite",
        ),
        *_finding(
            "impossible-ohlc", "error", _times(frame, finite & impossible),
            "with a high below, or a low above, another price of the bar",
        ),
        *_finding(
            "nonpositive-price", "error",
            _times(frame, pl.any_horizontal((price <= 0).fill_null(value=False) for price in prices)),
            "with a price of 0 or below",
        ),
    ]  # fmt: skip


def _check_volume(frame: pl.DataFrame) -> list[Finding]:
    volume = pl.col("volume")
    if frame["volume"].null_count() == frame.height:
        return [Finding(code="volume-absent", severity="info", text="there are no volumes: they are all null")]
    return [
        *_finding("negative-volume", "error", _times(frame, volume < 0), "with a volume below 0"),
        *_finding("null-volume", "warning", _times(frame, volume.is_null() | volume.is_nan()), "without a volume"),
        *_finding("zero-volume", "warning", _times(frame, volume == 0), "with a volume of 0"),
    ]


def _check_grid(frame: pl.DataFrame, interval_seconds: int, now_us: int | None) -> list[Finding]:
    """Gaps, bars off the grid, and a last bar that had not ended."""
    times_us = frame["timestamp"].to_physical().to_numpy()
    if times_us.size == 0:
        return []
    interval_us = interval_seconds * MICROSECONDS
    found = []
    if now_us is not None:
        found += _finding(
            "unfinished-bar", "error", times_us[times_us + interval_us > now_us], "not ended at the given time"
        )
    phases, counts = np.unique(times_us % interval_us, return_counts=True)
    phase = int(phases[np.argmax(counts)])
    found += _finding(
        "off-grid", "warning", times_us[times_us % interval_us != phase],
        f"off the {format_interval(interval_seconds)} grid of the others",
    )  # fmt: skip
    if phase and 604_800 % interval_seconds == 0 and interval_seconds < 604_800:
        text = (
            f"bars open {format_span(phase / MICROSECONDS)} past the multiples of {format_interval(interval_seconds)}"
        )
        found.append(Finding(code="grid-offset", severity="info", text=text))
    return found + _check_gaps(times_us, interval_us)


def _check_gaps(times_us: NDArray[np.int64], interval_us: int) -> list[Finding]:
    steps = np.diff(times_us)
    missing = steps // interval_us - 1
    at = np.flatnonzero(missing > 0)
    if at.size == 0:
        return []
    starts = iso_times(times_us[at] + interval_us)
    places = tuple(f"{start} +{count}" for start, count in zip(starts, missing[at].tolist(), strict=True))
    longest = format_span(float(steps[at].max()) / MICROSECONDS)
    text = (
        f"{counted(at.size, 'gap')}, {counted(int(missing[at].sum()), 'bar')} missing, the longest step is {longest} "
        f"({some(places)})"
    )
    return [Finding(code="gaps", severity="warning", count=int(at.size), text=text, locations=places)]


def _check_outliers(frame: pl.DataFrame) -> list[Finding]:
    """Bars with a price that leaves the closes on both sides of it by more than half, in the same direction."""
    close = pl.col("close")
    before, after = close.shift(1), close.shift(-1)
    upper, lower = 1 + OUTLIER_RATIO, 1 - OUTLIER_RATIO
    above = (pl.col("high") > upper * before) & (pl.col("high") > upper * after)
    below = (pl.col("low") < lower * before) & (pl.col("low") < lower * after)
    positive = (before > 0) & (after > 0)
    return _finding(
        "outlier", "warning", _times(frame, positive & (above | below)),
        f"with a print more than {OUTLIER_RATIO:.0%} away from the closes before and after",
    )  # fmt: skip
