"""One generator of nasty inputs for every kernel test: columns of bars that have broken rolling code before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
INTERVAL_SECONDS = 3600
FIRST_NUMBER = 1_000_003.0
"""Of bar 0: no multiple of any window, so that anchors are counted by number and not by place."""
SQUARES_UNDERFLOW = frozenset({"denormals"})
"""The square of a price of 1e-323 is no float, so that its spread is 0 to a kernel and not to longdouble."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Bars by column, each float64[n]; `returns` is the log return of the close, `other` a second venue's close."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    returns: Floats
    other: Floats

    def __len__(self) -> int:
        return self.close.size

    def map(self, change: Callable[[Floats], Floats]) -> Columns:
        """The same columns, each put through `change`."""
        return Columns(**{f.name: change(getattr(self, f.name)) for f in fields(self)})

    def copy(self) -> Columns:
        return self.map(np.copy)


def as_bars(columns: Columns) -> Floats:
    """The columns as an engine reads them: float64[PAIR_COLUMNS, bar]."""
    c = columns
    return np.stack([c.open, c.high, c.low, c.close, c.volume, c.returns, c.other, delay_ms(c)])


def long_log_ratio(before: NDArray[np.floating], after: NDArray[np.floating]) -> NDArray[np.longdouble]:
    """log(after / before) in extended precision: of the relative change where it is small, else of the ratio."""
    old, new = np.asarray(before, dtype=np.longdouble), np.asarray(after, dtype=np.longdouble)
    change = (new - old) / old
    near = np.abs(change) < 0.5
    return np.where(near, np.log1p(np.where(near, change, 0)), np.log(new / old))


def delay_ms(columns: Columns) -> Floats:
    """Ages for the second venue's bars: whole milliseconds, most of them 0."""
    return np.floor(np.arange(len(columns)) % 7 / 5.0) * 60_000.0


def log_of_ratio(close: Floats) -> Floats:
    """Log returns of `close`; NaN at bar 0 and where a close is not a positive finite number."""
    valid = np.isfinite(close) & (close > 0.0)
    result = np.full(close.size, np.nan)
    both = np.flatnonzero(valid[1:] & valid[:-1]) + 1
    result[both] = long_log_ratio(close[both - 1], close[both])
    return result


def around(close: Floats, seed: int = 0) -> Columns:
    """Bars that enclose `close` and open where the bar before closed."""
    rng = np.random.default_rng(seed)
    opened = np.concatenate((close[:1], close[:-1]))
    wick = np.abs(np.where(np.isfinite(close), close, 0.0)) * 1e-3
    with np.errstate(all="ignore"):
        high = np.maximum(opened, close) + wick * rng.random(close.size)
        low = np.minimum(opened, close) - wick * rng.random(close.size)
        other = close * (1.0 + 2e-3 * rng.standard_normal(close.size))
    volume = 10.0 * rng.random(close.size)
    return Columns(
        open=opened, high=high, low=low, close=close, volume=volume, returns=log_of_ratio(close), other=other
    )


def walk(n: int, seed: int = 1, price: float = 100.0, step: float = 0.01) -> Columns:
    """An ordinary random walk of the price: the bars that the nasty ones are compared with."""
    steps = np.random.default_rng(seed).standard_normal(n) * step
    return around(price * np.exp(np.cumsum(steps)), seed)


def _with(close: Floats, at: slice | list[int], value: float) -> Columns:
    changed = close.copy()
    changed[at] = value
    return around(changed)


def nasty(n: int = 90) -> dict[str, Columns]:
    """Inputs of some `n` bars by name."""
    close = walk(n).close
    rng = np.random.default_rng(7)
    third = n // 3
    jumps = close.copy()
    jumps[third:] *= 3.0
    jumps[2 * third :] /= 20.0
    spike = close.copy()
    spike[third] *= 1e6
    return {
        "walk": walk(n),
        "flat": around(np.full(n, 100.0)),
        "flat_then_walk": around(np.concatenate((np.full(third, close[0]), close[: n - third]))),
        "offset_1e8": around(1e8 + rng.standard_normal(n)),
        "tiny_spread": around(50_000.0 + 0.01 * rng.integers(-1, 2, n)),
        "alternating_signs": around(close * np.where(np.arange(n) % 2, 1.0, -1.0)),
        "zeros": around(np.where(np.arange(n) % 2, 0.0, -0.0)),
        "denormals": around(5e-324 * rng.integers(1, 9, n)),
        "gaps": around(jumps),
        "spike": around(spike),
        "rising": around(100.0 + np.arange(n)),
        "falling": around(100.0 + n - np.arange(n)),
        "two_levels": around(rng.integers(1, 3, n).astype(float)),
        "nan_run": _with(close, slice(third, third + 9), np.nan),
        "nan_every_ninth": _with(close, slice(4, None, 9), np.nan),
        "nan_first_and_last": _with(close, [0, n - 1], np.nan),
        "all_nan": _with(close, slice(None), np.nan),
        "inf": _with(close, [third, third + 1], np.inf),
        "minus_inf": _with(close, [third], -np.inf),
        "both_infs": _with(_with(close, [third], np.inf).close, [third + 2], -np.inf),
        "nan_high": replace(walk(n), high=_with(close, [third], np.nan).close),
        "one_bar": walk(1),
        "two_bars": walk(2),
        "no_bars": walk(0),
    }


SHORT = 11


def nan_at_each_position() -> dict[str, Columns]:
    """A short series with one NaN close, at each of its bars in turn."""
    return {f"nan_at_{at}": _with(walk(SHORT).close, [at], np.nan) for at in range(SHORT)}
