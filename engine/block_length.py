"""How long blocks have to be to keep what binds the returns of neighbouring bars.

Politis and White (2004), Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23(1), with
the correction of Patton, Politis and White (2009), Econometric Reviews 28(4): the length at which the bootstrap's
variance of the mean is off by least.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .bars import Floats

_SIGNIFICANT = 2.0
"""c of the paper: autocorrelations within c √(log₁₀ n / n) count as none."""

_FEWEST_LAGS_OF_NONE = 5
"""So many of them in a row, or √(log₁₀ n), end the dependence: K of the paper."""


@dataclass(frozen=True)
class BlockLength:
    """Lengths in bars, not rounded: the mean one of the stationary bootstrap, and that of circular blocks."""

    stationary: float
    circular: float


def optimal_block_length(returns: Floats) -> BlockLength:
    """The lengths for a float64[n] of finite returns; 1 where there is no spread or are fewer than four of them."""
    n = returns.size
    lags = min(math.ceil(math.sqrt(n)) + _lags_of_none(n), n - 1)
    if n < 4 or not np.ptp(returns):
        return BlockLength(1.0, 1.0)
    covariances = _autocovariances(returns, lags)
    if not covariances[0] > 0.0:  # a spread whose square is no number
        return BlockLength(1.0, 1.0)
    reach = min(2 * _first_quiet_lag(covariances / covariances[0], n), lags)
    k = np.arange(1, reach + 1)
    tapered = _flat_top(k / reach) * covariances[1 : reach + 1]
    spectrum = covariances[0] + 2.0 * float(tapered.sum())  # at frequency 0
    slope = 2.0 * float((k * tapered).sum())
    longest = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))

    def length(scale: float) -> float:
        variance = scale * spectrum * spectrum
        found = (2.0 * slope * slope / variance * n) ** (1.0 / 3.0) if variance > 0.0 else math.inf
        return min(max(found, 1.0), float(longest))

    return BlockLength(stationary=length(2.0), circular=length(4.0 / 3.0))


def _lags_of_none(n: int) -> int:
    return max(_FEWEST_LAGS_OF_NONE, math.ceil(math.sqrt(math.log10(n)))) if n > 1 else _FEWEST_LAGS_OF_NONE


def _autocovariances(values: Floats, lags: int) -> Floats:
    """float64[lags + 1]: Σ (x[t] - mean) (x[t - k] - mean) / n of each lag k."""
    n, offsets = values.size, values - values.mean()
    return np.array([offsets[k:] @ offsets[: n - k] for k in range(lags + 1)]) / n


def _first_quiet_lag(correlations: Floats, n: int) -> int:
    """The lag that begins a run of autocorrelations that count as none; without one, the last lag that counts.

    The paper's m is the lag before the run. Its authors' code and others' take the run's first, and so does this.
    """
    counts = np.abs(correlations[1:]) >= _SIGNIFICANT * math.sqrt(math.log10(n) / n)
    run = _lags_of_none(n)
    if counts.size >= run:
        windows = np.lib.stride_tricks.sliding_window_view(counts, run)
        quiet = np.flatnonzero(~windows.any(axis=1))
        if quiet.size:
            return int(quiet[0]) + 1
    return max((int(lag) + 1 for lag in np.flatnonzero(counts)), default=1)


def _flat_top(share: Floats) -> Floats:
    """The trapezoid that is 1 up to a half and falls to 0 at 1 (Politis and Romano 1995)."""
    return np.clip(2.0 * (1.0 - share), 0.0, 1.0)
