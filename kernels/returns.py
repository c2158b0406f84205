"""Returns of the close: logarithmic, simple, and over a window."""

import math

import numpy as np

from ._jit import kernel

_SMALL = 0.03
"""|(b - a) / (b + a)| up to which six terms of the series are exact to the last bits: a move of 6 %."""


@kernel
def log_ratio(before, after):
    """log(after / before); NaN where one of them is not positive.

    Near 1 by the series of 2·artanh((after - before) / (after + before)): plain additions and multiplications, so the
    same bits on every processor and library, and no loss where the ratio rounds (Abramowitz and Stegun 4.1.27).
    """
    s = (after - before) / (after + before)
    if not (before > 0.0 and after > 0.0):
        return np.nan
    if abs(s) > _SMALL:
        return math.log(after / before)
    return _series(s)


@kernel
def _series(s):
    q = s * s
    return 2.0 * s * (1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11))))))


@kernel
def log_returns(close, out, start, stop):
    """Log return of each bar against the one before, written to out[start:stop]; NaN at bar 0.

    close: float64[n], price. Both closes must be positive and finite, or the return is NaN.
    """
    if start == 0 and stop > 0:
        out[0] = np.nan
        start = 1
    n = max(stop - start, 0)
    row, before, after = out[start : start + n], close[start - 1 : start - 1 + n], close[start : start + n]
    unusual = 0
    for k in range(n):
        s = (after[k] - before[k]) / (after[k] + before[k])
        row[k] = _series(s)
        unusual += not ((before[k] > 0.0) & (after[k] > 0.0) & (abs(s) <= _SMALL))
    if unusual:
        for k in range(n):
            row[k] = log_ratio(before[k], after[k])


@kernel
def fill_momentum(close, start, count, window, dest):
    """Close / close `window` bars ago - 1 of bars start..start+count, written to dest[0:count]."""
    early = max(0, min(count, window - start))
    dest[:early] = np.nan
    row = dest[early:count]
    now, then = close[start + early : start + count], close[start + early - window : start + count - window]
    for k in range(row.shape[0]):
        row[k] = now[k] / then[k] - 1.0


@kernel
def momentum(close, window, out, start, stop):
    """Simple return over `window` bars, as a share. NaN for the first `window` bars."""
    fill_momentum(close, start, stop - start, window, out[start:stop])
