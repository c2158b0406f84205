"""Bars: one instrument's OHLCV history, validated once, laid out as kernels read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ..data.dataset import Dataset, frame_digest, read_dataset
from ..data.durations import format_interval
from ..errors import DataError
from ..kernels.columns import BAR_COLUMNS, CLOSE, HIGH, LOW, OPEN, RETURN, VOLUME
from ..kernels.returns import log_returns

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MICROSECONDS = 1_000_000
_COLUMNS = ("open", "high", "low", "close", "volume")
_PRICES = (("open", OPEN), ("high", HIGH), ("low", LOW), ("close", CLOSE))


@dataclass(frozen=True, eq=False)
class Bars:
    """One instrument's bars on one venue.

    Attributes:
        symbol: The instrument, as its venue writes it.
        venue: Where it trades.
        interval_seconds: Length of a bar.
        ts_us: int64[bar], open times in microseconds since the epoch, UTC, rising.
        values: float64[column, bar], C-contiguous; rows by `kernels.columns` (open, high, low, close in quote
            currency, volume in base units or NaN, log return of the close).
        digest: SHA-384 of the columns, as the dataset format defines it; empty until `content_digest` is asked for.
    """

    symbol: str
    venue: str
    interval_seconds: int
    ts_us: Integers
    values: Floats
    digest: str = ""

    @classmethod
    def from_arrays(
        cls,
        ts_us: ArrayLike,
        open: ArrayLike,  # noqa: A002 - the field's word
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike | None = None,
        *,
        interval_seconds: int,
        symbol: str = "unnamed",
        venue: str = "unknown",
        digest: str = "",
    ) -> Bars:
        """Copy columns of equal length into one contiguous table and check them.

        Args:
            ts_us: Open times in microseconds since the epoch, UTC, rising; or datetime64 of any unit.
            open: First price of each bar, in quote currency; likewise `high`, `low`, `close`.
            high: Highest price.
            low: Lowest price.
            close: Last price.
            volume: Base units traded; None, or NaN in places, where the source has none.
            interval_seconds: Length of a bar.
            symbol: The instrument's name.
            venue: The venue's name.
            digest: SHA-384 of the columns where it is known already.

        Raises:
            DataError: A price is missing, not positive or outside its bar's range; times do not rise; lengths differ.
        """
        times = _microseconds(ts_us)
        values = np.empty((BAR_COLUMNS, times.size))
        columns = (open, high, low, close, volume if volume is not None else np.full(times.size, np.nan))
        for row, (name, column) in enumerate(zip(_COLUMNS, columns, strict=True)):
            given = np.asarray(column, dtype=np.float64)
            if given.shape != times.shape:
                raise DataError(
                    f"{symbol}: {name} has {given.size:,} values for {times.size:,} times; lengths must agree"
                )
            values[row] = given
        bars = cls(symbol, venue, int(interval_seconds), times, values, digest)
        _check(bars)
        log_returns(values[CLOSE], values[RETURN], 0, times.size)
        return bars

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> Bars:
        """Bars of a normalised dataset."""
        frame, info = dataset.frame, dataset.info
        columns = (frame[name].to_numpy() for name in _COLUMNS)
        return cls.from_arrays(
            frame["timestamp"].to_physical().to_numpy(),
            *columns,
            interval_seconds=info.interval_seconds,
            symbol=info.symbol,
            venue=info.venue,
            digest=info.digest,
        )

    def __len__(self) -> int:
        return self.ts_us.size

    def __repr__(self) -> str:
        return f"Bars({self.venue} {self.symbol} {format_interval(self.interval_seconds)}, {describe_span(self.times)})"

    @property
    def open(self) -> Floats:
        """First prices."""
        row: Floats = self.values[OPEN]
        return row

    @property
    def close(self) -> Floats:
        """Last prices."""
        row: Floats = self.values[CLOSE]
        return row

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Open times as datetime64, UTC."""
        return self.ts_us.view("datetime64[us]")

    @cached_property
    def numbers(self) -> Integers:
        """int64[bar]: open time over interval. What windows are anchored to, whatever the history begins with."""
        return self.ts_us // (self.interval_seconds * MICROSECONDS)

    @cached_property
    def closes_us(self) -> Integers:
        """int64[bar], close times in microseconds since the epoch, UTC."""
        return self.ts_us + self.interval_seconds * MICROSECONDS

    @cached_property
    def is_gapless(self) -> bool:
        """Whether each bar follows the one before."""
        if not len(self):
            return False
        first, last = self.ts_us[[0, -1]] // (self.interval_seconds * MICROSECONDS)  # `numbers` would stay in memory
        return int(last - first) == len(self) - 1

    @cached_property
    def segment_starts(self) -> Integers:
        """Places where a run of consecutive bars begins: 0 and each bar after a gap."""
        return np.concatenate(([0], np.flatnonzero(np.diff(self.numbers) != 1) + 1)).astype(np.int64)

    @cached_property
    def content_digest(self) -> str:
        """SHA-384 of the columns, computed where the dataset did not carry it."""
        return self.digest or frame_digest(self.to_frame())

    def part(self, start: int, stop: int) -> Bars:
        """Bars start..stop, with the returns that they have here; the same object where that is all of them."""
        if start == 0 and stop == len(self):
            return self
        values = np.ascontiguousarray(self.values[:, start:stop])
        return Bars(self.symbol, self.venue, self.interval_seconds, self.ts_us[start:stop].copy(), values)

    def take(self, places: Integers) -> Bars:
        """The bars at these places, rising; where some are left out is a gap, and the return goes over it."""
        values = np.ascontiguousarray(self.values[:, places])
        log_returns(values[CLOSE], values[RETURN], 0, places.size)
        return Bars(self.symbol, self.venue, self.interval_seconds, self.ts_us[places], values)

    def to_frame(self) -> pl.DataFrame:
        """The bars as a polars frame in the normalised form."""
        times = pl.Series("timestamp", self.times).dt.replace_time_zone("UTC")
        return pl.DataFrame([times, *(pl.Series(name, self.values[row]) for row, name in enumerate(_COLUMNS))])


def describe_span(times: NDArray[np.datetime64]) -> str:
    """How many bars there are, and the times of the first and the last: `17,544 bars, 2023-01-01T00:00Z to …`."""
    if not times.size:
        return "empty"
    first, last = np.datetime_as_string(times[[0, -1]], unit="m")
    return f"{times.size:,} bars, {first}Z to {last}Z"


def load(path: str | Path) -> Bars:
    """Read a normalised Parquet dataset, or one of a SQLite cache: `cache.sqlite/binance_BTCUSDT_1h`.

    Raises:
        DataError: The file is not a normalised dataset, or its bars are not fit to trade on.
    """
    return Bars.from_dataset(read_dataset(path))


def _check(bars: Bars) -> None:
    """Refuse what no engine could give an honest answer on, and say where it is and how it is mended."""
    if bars.interval_seconds <= 0:
        raise DataError(f"{bars.symbol}: interval_seconds is {bars.interval_seconds}; it must be positive")
    _check_times(bars)
    for name, row in _PRICES:
        price = bars.values[row]
        _refuse_where(bars, ~np.isfinite(price), f"{name} is not a number", "drop-nan", row)
        _refuse_where(bars, price <= 0.0, f"{name} is not positive", "drop-nonpositive", row)
    high, low = bars.values[HIGH], bars.values[LOW]
    for name, row in (("open", OPEN), ("close", CLOSE)):
        outside = (bars.values[row] > high) | (bars.values[row] < low)
        _refuse_where(bars, outside, f"{name} is outside the bar's high and low", "clip-ohlc", row)
    _refuse_where(bars, bars.values[VOLUME] < 0.0, "volume is negative", None, VOLUME)


def _check_times(bars: Bars) -> None:
    within = np.diff(bars.numbers, prepend=bars.numbers[:1] - 1) <= 0
    if not within.any():
        return
    steps = np.diff(bars.ts_us, prepend=bars.ts_us[:1] - 1)
    _refuse_where(bars, steps < 0, "time goes back", "sort")
    _refuse_where(bars, steps == 0, "time is there twice", "drop-duplicates")
    _refuse_where(bars, within, "time is inside the bar before", "drop-off-grid")


def _refuse_where(bars: Bars, bad: NDArray[np.bool_], what: str, repair: str | None, row: int | None = None) -> None:
    found = np.flatnonzero(bad)
    if not found.size:
        return
    first = int(found[0])
    value = f" ({bars.values[row, first]:g})" if row is not None else ""
    more = f" and {found.size - 1:,} more" if found.size > 1 else ""
    mend = f"mend them with `barstep data check FILE --repair {repair}`" if repair else "mend them at their source"
    raise DataError(
        f"{bars.venue} {bars.symbol}: {what}{value} at {bars.times[first]}Z (row {first}){more}. "
        f"See them with `barstep data check FILE`, {mend}."
    )


def _microseconds(times: ArrayLike) -> Integers:
    """A copy of open times as int64; a datetime64 says its unit, whole numbers are microseconds."""
    given = np.asarray(times)
    return np.array(given.astype("datetime64[us]") if given.dtype.kind == "M" else given, dtype=np.int64)
