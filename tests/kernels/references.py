"""What the kernels ought to give, by other reasoning: plain loops over each window, and longdouble arithmetic.

Nothing here calls a kernel. Slow on purpose.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from inputs import Floats
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Long = NDArray[np.longdouble]
_FINITE = np.isfinite


def over_windows(values: Floats, window: int, measure: Callable[[list[float]], float], lag: int = 0) -> Floats:
    """measure(the last `window` values, `lag` bars ago), NaN where they are too few or one is NaN."""
    result = np.full(values.size, np.nan)
    for bar in range(window - 1 + lag, values.size):
        held = values[bar - lag - window + 1 : bar - lag + 1].tolist()
        if not any(math.isnan(value) for value in held):
            result[bar] = measure(held)
    return result


def smoothed(values: NDArray[np.floating], share: float, warm: int) -> Long:
    """y = (1 - share) · y + share · x, bar by bar, begun with the mean of the first `warm` finite values.

    NaN before that and on a bar that is not finite.
    """
    result = np.full(values.size, np.nan, dtype=np.longdouble)
    seeds: list[float] = []
    level = np.longdouble(np.nan)
    for bar in np.flatnonzero(_FINITE(values)):
        if len(seeds) < warm:
            seeds.append(values[bar])
            if len(seeds) == warm:
                level = result[bar] = sum(map(np.longdouble, seeds)) / warm
        else:
            level = (1 - np.longdouble(share)) * level + np.longdouble(share) * values[bar]
            result[bar] = level
    return result


def widest(high: Floats, low: Floats, close: Floats) -> Long:
    """True range: the length of the interval that holds the bar and the close before; NaN at bar 0."""
    result = np.full(high.size, np.nan, dtype=np.longdouble)
    for bar in range(1, high.size):
        three = [high[bar], low[bar], close[bar - 1]]
        if all(map(math.isfinite, three)):
            top, bottom, before = map(np.longdouble, three)
            result[bar] = max(top, before) - min(bottom, before) if top >= bottom else np.nan
    return result


def change(close: Floats, window: int) -> Long:
    """(close - close `window` bars ago) / the latter, for two positive finite closes."""
    result = np.full(close.size, np.nan, dtype=np.longdouble)
    for bar in range(window, close.size):
        now, then = np.longdouble(close[bar]), np.longdouble(close[bar - window])
        if 0 < now < np.inf and 0 < then < np.inf:
            result[bar] = (now - then) / then
    return result


def side_of_channel(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    """1 over all highs of the `window` bars before, -1 under all lows, else 0."""
    result = np.full(close.size, np.nan)
    for bar in range(window, close.size):
        highs, lows = high[bar - window : bar], low[bar - window : bar]
        if not np.isnan([*highs, *lows, close[bar]]).any():
            result[bar] = int((close[bar] > highs).all()) - int((close[bar] < lows).all())
    return result


@dataclass(frozen=True)
class Moments:
    """Of each window: mean, sum of squared deviations from it, and the newest value's own deviation; longdouble [n]."""

    mean: Long
    squares: Long
    deviation: Long


def two_pass(values: Floats, window: int) -> Moments:
    """Mean first, deviations after, over every full window of finite values, less the window's first value."""
    found = np.full((3, values.size), np.nan, dtype=np.longdouble)
    if values.size >= window:
        held = sliding_window_view(values.astype(np.longdouble), window)
        complete = _FINITE(held).all(axis=1)
        held = held[complete]
        shifted = held - held[:, :1]
        middle = shifted.mean(axis=1)
        deviations = shifted - middle[:, None]
        bars = np.flatnonzero(complete) + window - 1
        found[:, bars] = held[:, 0] + middle, (deviations**2).sum(axis=1), deviations[:, -1]
    return Moments(*found)


def variance(values: Floats, window: int, ddof: int) -> Long:
    """Mean squared deviation, with `window - ddof` in the denominator; NaN where that is 0."""
    spread = two_pass(values, window).squares
    return spread / (window - ddof) if window > ddof else np.full_like(spread, np.nan)


def zscore(values: Floats, window: int) -> Long:
    """Deviations in units of the standard deviation (ddof 0); NaN where there is none."""
    moments = two_pass(values, window)
    spread = np.sqrt(moments.squares / window)
    return np.where(spread > 0, moments.deviation / spread, np.nan)


def recent_size(values: Floats, window: int) -> Floats:
    """Greatest finite |value| of the last two windows: the size of what a sliding mean was added up from."""
    sizes = np.where(_FINITE(values), np.abs(values), 0.0)
    return np.array([sizes[max(0, bar - 2 * window) : bar + 1].max() for bar in range(values.size)])
