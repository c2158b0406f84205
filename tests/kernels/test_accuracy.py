"""Ten million bars do not wear a rolling window out: z-score and volatility stay within 1e-12 of two-pass sums.

Quick: every 997th bar, and the bars about every 97th anchor, where an error would have piled up the longest. With
SEEDS of 10 or more: every bar. Not among the unit tests of kernels, for its size.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from barstep.kernels import rolling
from barstep.kernels.moments import MOMENTS_CARRY
from inputs import Floats
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

BARS, WINDOW = 10_000_000, 96
ALLOWED = 1e-12
AT_ONCE = 20_000
HOURS_OF_A_YEAR = 365.0 * 24.0
EVERY_BAR = int(os.environ.get("SEEDS", "1")) >= 10

Long = NDArray[np.longdouble]


def relative_walk() -> Floats:
    """About 50,000, by steps of a ten-thousandth."""
    return 50_000.0 * np.exp(np.cumsum(1e-4 * np.random.default_rng(1).standard_normal(BARS)))


def unit_walk() -> Floats:
    """By unit steps, crossing zero, some thousands away at last."""
    return np.cumsum(np.random.default_rng(2).standard_normal(BARS))


def noise_far_from_zero() -> Floats:
    """Unit noise at 1e8: a sum of squares would have no digit left."""
    return 1e8 + np.random.default_rng(3).standard_normal(BARS)


def log_returns(values: Floats) -> Floats:
    """Of prices that are far from zero. NumPy's rounding is the input here, and no part of the comparison."""
    return np.diff(np.log(values), prepend=np.nan)


def steps(values: Floats) -> Floats:
    """What moved, as it is: a walk that crosses zero has no returns, but its steps have a volatility."""
    return np.diff(values, prepend=np.nan)


def _compared_bars() -> Iterator[NDArray[np.int64]]:
    """The bars that are compared, a piece at a time; all of them have a full window."""
    first = WINDOW  # the returns begin at bar 1
    if EVERY_BAR:
        bars = np.arange(first, BARS)
    else:
        anchors = np.arange(WINDOW, BARS - 3, 97 * WINDOW)
        near = (anchors[:, None] + np.arange(-3, 3)).ravel()
        bars = np.union1d(np.arange(first, BARS, 997), near[near >= first])
        bars = np.append(bars, BARS - 1)
    for start in range(0, bars.size, AT_ONCE):
        yield bars[start : start + AT_ONCE]


def _greatest_error(values: Floats, got: Floats, measure: Callable[[Long], Long]) -> float:
    """The greatest difference from `measure` of the windows, each less its first value, in longdouble."""
    windows = sliding_window_view(values, WINDOW)
    worst = 0.0
    for bars in _compared_bars():
        held = windows[bars - WINDOW + 1].astype(np.longdouble)
        error = np.abs(got[bars] - measure(held - held[:, :1]))
        assert not np.isnan(error).any()
        worst = max(worst, float(error.max()))
    return worst


def _zscore(shifted: Long) -> Long:
    deviations = shifted - shifted.mean(axis=1, keepdims=True)
    return deviations[:, -1] / np.sqrt((deviations**2).mean(axis=1))


def _deviation(shifted: Long) -> Long:
    deviations = shifted - shifted.mean(axis=1, keepdims=True)
    return np.sqrt((deviations**2).sum(axis=1) / (WINDOW - 1))


INPUTS = pytest.mark.parametrize("make", [relative_walk, unit_walk, noise_far_from_zero], ids=lambda f: f.__name__)


@INPUTS
def test_zscore_of_ten_million_bars(make: Callable[[], Floats]) -> None:
    """No z-score is off by more than 1e-12."""
    values, got = make(), np.full(BARS, np.nan)
    rolling.zscore(values, WINDOW, np.zeros(MOMENTS_CARRY), got, 0, BARS)
    assert _greatest_error(values, got, _zscore) <= ALLOWED


@INPUTS
def test_volatility_of_ten_million_bars(make: Callable[[], Floats]) -> None:
    """No annual volatility of log returns (of the walk that crosses zero: of its steps, not annual) is off by 1e-12."""
    crosses_zero = make is unit_walk
    scale = 1.0 if crosses_zero else np.sqrt(HOURS_OF_A_YEAR)
    returns, got = (steps if crosses_zero else log_returns)(make()), np.full(BARS, np.nan)
    rolling.realized_volatility(returns, WINDOW, scale, np.zeros(MOMENTS_CARRY), got, 0, BARS)
    assert _greatest_error(returns, got, lambda shifted: _deviation(shifted) * np.longdouble(scale)) <= ALLOWED


def test_the_comparison_sees_an_error() -> None:
    """A z-score that is off by 2e-12 at one compared bar, or is missing there, is not passed over."""
    values, got = np.random.default_rng(4).standard_normal(BARS), np.full(BARS, np.nan)
    rolling.zscore(values, WINDOW, np.zeros(MOMENTS_CARRY), got, 0, BARS)
    got[BARS - 1] += 2e-12
    assert _greatest_error(values, got, _zscore) > ALLOWED
    got[BARS - 1] = np.nan
    with pytest.raises(AssertionError):
        _greatest_error(values, got, _zscore)
