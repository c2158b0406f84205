"""Repairs, each stated and asked for by name; whatever a repair changes is counted and located."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..errors import UsageError, unknown_name
from .dataset import SCHEMA, VALUE_COLUMNS
from .durations import MICROSECONDS
from .findings import Finding, counted, iso_times, some

_PRICES = ("open", "high", "low", "close")

# More bars than this at once is a mistaken interval, not a market that was closed.
MOST_FILLED = 50_000_000


@dataclass(frozen=True, kw_only=True)
class _Request:
    interval_us: int
    now_us: int | None


_Repair = Callable[[pl.DataFrame, _Request], tuple[pl.DataFrame, str, pl.Series | None]]


@dataclass(frozen=True)
class Repaired:
    """Bars after repairs, and what was changed."""

    frame: pl.DataFrame
    changes: tuple[Finding, ...]


def repair_bars(
    frame: pl.DataFrame, interval_seconds: int, policies: Sequence[str], *, now_us: int | None = None
) -> Repaired:
    """Apply repairs to bars, always in the order in which `POLICIES` lists them.

    The order is fixed because it matters: a gap is filled at the last close only after impossible bars are gone.

    Args:
        frame: The six columns of a normalised dataset, in any order.
        interval_seconds: Length of a bar.
        policies: Names of repairs.
        now_us: The present, in microseconds, for `drop-unfinished`.

    Raises:
        UsageError: A repair is not known, or lacks what it needs.
    """
    for name in policies:
        if name not in POLICIES:
            raise UsageError(f"--repair: {unknown_name('repair', name, POLICIES)}")
    if "drop-unfinished" in policies and now_us is None:
        raise UsageError("--repair drop-unfinished needs --now, such as --now 2024-01-31T12:00:00Z.")
    request = _Request(interval_us=interval_seconds * MICROSECONDS, now_us=now_us)
    changes = []
    for name, (_, repair) in POLICIES.items():
        if name in policies:
            frame, what, times = repair(frame, request)
            changes.append(_change(name, what, times))
    return Repaired(frame, tuple(changes))


def _change(name: str, what: str, times: pl.Series | None) -> Finding:
    if times is None or times.is_empty():
        return Finding(code=name, severity="info", text="nothing to change")
    places = iso_times(times.drop_nulls().to_physical().to_numpy())
    count = len(times)
    return Finding(
        code=name, severity="info", count=count, text=f"{counted(count, 'bar')} {what} ({some(places)})",
        locations=places,
    )  # fmt: skip


def _sort(frame: pl.DataFrame, _: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
    back = frame.filter((pl.col("timestamp").diff() < pl.duration()).fill_null(value=False))["timestamp"]
    return (
        frame.sort("timestamp", maintain_order=True, nulls_last=True),
        "were dated before the bar above; sorted",
        back,
    )


def _drop_duplicates(frame: pl.DataFrame, _: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
    extra = ~frame["timestamp"].is_last_distinct() & frame["timestamp"].is_not_null()
    return frame.filter(~extra), "dropped; of bars of one time the last one stays", frame["timestamp"].filter(extra)


def _drop_where(condition: pl.Expr, what: str) -> _Repair:
    def repair(frame: pl.DataFrame, _: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
        chosen = frame.select(condition.fill_null(value=False)).to_series()
        return frame.filter(~chosen), what, frame["timestamp"].filter(chosen)

    return repair


def _drop_off_grid(frame: pl.DataFrame, request: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
    phases = frame["timestamp"].to_physical() % request.interval_us
    common = phases.value_counts(sort=True)["timestamp"][0] if len(phases) else 0
    off = (phases != common).fill_null(value=False)
    return frame.filter(~off), "dropped, off the grid of the others", frame["timestamp"].filter(off)


def _drop_unfinished(frame: pl.DataFrame, request: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
    late = frame["timestamp"].to_physical() + request.interval_us > (request.now_us or 0)
    late = late.fill_null(value=False)
    return frame.filter(~late), "dropped, not ended at the given time", frame["timestamp"].filter(late)


def _clip_ohlc(frame: pl.DataFrame, _: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
    """Widen high and low until they hold open and close; the prices that were traded first and last are trusted."""
    opening, high, low, close = (pl.col(name) for name in _PRICES)
    clipped = frame.with_columns(
        high=pl.max_horizontal(opening, high, low, close), low=pl.min_horizontal(opening, high, low, close)
    )
    changed = (clipped["high"] != frame["high"]) | (clipped["low"] != frame["low"])
    changed = changed.fill_null(value=False)
    return clipped, "widened: high and low now hold every price of the bar", frame["timestamp"].filter(changed)


def _fill_gaps(frame: pl.DataFrame, request: _Request) -> tuple[pl.DataFrame, str, pl.Series | None]:
    """Flat bars at the last close, with a volume of zero, wherever a bar is missing."""
    times_us = frame["timestamp"].to_physical().to_numpy()
    steps = np.diff(times_us)
    if (steps <= 0).any():
        raise UsageError("--repair fill-gaps needs bars in order and once each; add sort,drop-duplicates.")
    missing = np.maximum(steps // request.interval_us - 1, 0)
    total = int(missing.sum())
    if total > MOST_FILLED:
        raise UsageError(f"--repair fill-gaps would add {total:,} bars; at most {MOST_FILLED:,} are allowed.")
    if total == 0:
        return frame, "", None
    source = np.repeat(np.arange(steps.size), missing)
    nth = np.arange(total) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    filled_us = times_us[source] + nth * request.interval_us
    last_close = frame["close"].forward_fill().gather(source)
    added = pl.DataFrame(
        {
            "timestamp": pl.Series(filled_us).cast(SCHEMA["timestamp"]),
            **dict.fromkeys(_PRICES, last_close),
            "volume": pl.Series(np.zeros(total)),
        }
    )
    whole = pl.concat([frame.select("timestamp", *VALUE_COLUMNS), added]).sort("timestamp")
    return whole, "added, flat at the last close with a volume of 0", added["timestamp"]


_NO_PRICE = pl.any_horizontal(pl.col(name).is_null() | ~pl.col(name).is_finite() for name in _PRICES)

# Name → what it does (for help and documentation) and the function, in the order of application.
POLICIES: dict[str, tuple[str, _Repair]] = {
    "sort": ("put bars in order of time", _sort),
    "drop-duplicates": ("of bars of one time keep the last", _drop_duplicates),
    "drop-nan": (
        "drop bars without a time, or with a price that is null, NaN or infinite",
        _drop_where(pl.col("timestamp").is_null() | _NO_PRICE.fill_null(value=True), "dropped, a price is no number"),
    ),
    "drop-nonpositive": (
        "drop bars with a price of 0 or below",
        _drop_where(pl.any_horizontal(pl.col(name) <= 0 for name in _PRICES), "dropped, a price is 0 or below"),
    ),
    "clip-ohlc": ("widen high and low until they hold every price of the bar", _clip_ohlc),
    "drop-off-grid": ("drop bars that do not open on the grid of the others", _drop_off_grid),
    "drop-unfinished": ("drop bars that had not ended at --now", _drop_unfinished),
    "fill-gaps": ("add flat bars at the last close with a volume of 0 where bars are missing", _fill_gaps),
}
