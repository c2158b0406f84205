"""Returns of the close: logarithmic, simple, and over a window.

A return wants two closes that are positive and finite; otherwise it is NaN. It spans exactly the bars it is asked for:
a missing close makes NaN on both its sides and is not bridged.
"""

import math

import numpy as np

from ._jit import kernel

_SMALL = 0.03
"""|(b - a) / (b + a)| up to which six terms of the series are exact to the last bits: a move of 6 %."""
_CHUNK = 512


@kernel
def _series(s):
    q = s * s
    return 2.0 * s * (1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11))))))


@kernel
def log_ratio(before, after):
    """log(after / before); NaN where one of them is not positive or their sum is not finite.

    Near 1 by the series of 2·artanh((after - before) / (after + before)): plain additions and multiplications, so the
    same bits on every processor and library, and no loss where the ratio rounds (Abramowitz and Stegun 4.1.27).
    """
    total = after + before
    if not (before > 0.0 and after > 0.0 and total < np.inf):
        return np.nan
    s = (after - before) / total
    if abs(s) > _SMALL:
        return math.log(after / before)
    return _series(s)


@kernel
def fill_log_returns(close, start, count, dest):
    """Log returns of bars start..start+count, written to dest[0:count]."""
    early = max(0, min(count, 1 - start))
    dest[:early] = np.nan
    for done in range(early, count, _CHUNK):
        row = dest[done : min(done + _CHUNK, count)]
        n = row.shape[0]
        before, after = close[start + done - 1 : start + done - 1 + n], close[start + done : start + done + n]
        unusual = 0
        for k in range(n):
            total = after[k] + before[k]
            s = (after[k] - before[k]) / total
            row[k] = _series(s)
            unusual += not ((before[k] > 0.0) & (after[k] > 0.0) & (total < np.inf) & (abs(s) <= _SMALL))
        if unusual:
            for k in range(n):
                row[k] = log_ratio(before[k], after[k])


@kernel
def fill_momentum(close, start, count, window, dest):
    """Close / close `window` bars ago - 1 of bars start..start+count, written to dest[0:count]."""
    early = max(0, min(count, window - start))
    dest[:early] = np.nan
    row = dest[early:count]
    first = start + early
    now, then = close[first : start + count], close[first - window : start + count - window]
    for k in range(row.shape[0]):
        valid = (now[k] > 0.0) & (then[k] > 0.0) & (now[k] < np.inf) & (then[k] < np.inf)
        row[k] = now[k] / then[k] - 1.0 if valid else np.nan


@kernel
def log_returns(close, out, start, stop):
    """Log return of each bar against the one before; NaN at bar 0.

    close, out: float64[n], C-contiguous. Reads close[start - 1 : stop], writes out[start:stop].
    """
    fill_log_returns(close, start, stop - start, out[start:stop])


@kernel
def simple_returns(close, out, start, stop):
    """Close / close before - 1, as a share; NaN at bar 0. As `log_returns`."""
    fill_momentum(close, start, stop - start, 1, out[start:stop])


@kernel
def momentum(close, window, out, start, stop):
    """Simple return over `window` bars, as a share; NaN for the first `window` bars.

    close, out: float64[n], C-contiguous. Reads close[start - window : stop], writes out[start:stop].
    """
    fill_momentum(close, start, stop - start, window, out[start:stop])
