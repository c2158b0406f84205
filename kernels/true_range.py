"""True range and its Wilder average (Wilder 1978, New Concepts in Technical Trading Systems)."""

import numpy as np

from ._jit import kernel
from .recurrences import SMOOTHED_CARRY, fill_smoothed

ATR_CARRY = SMOOTHED_CARRY

_SPAN = 128


@kernel
def fill_true_range(high, low, close, start, count, dest):
    """True range of bars start..start+count, written to dest[0:count]."""
    done = 0
    if start == 0 and count > 0:
        dest[0] = np.nan
        done = 1
    n = count - done
    row = dest[done : done + n]
    top, bottom = high[start + done : start + count], low[start + done : start + count]
    before = close[start + done - 1 : start + count - 1]
    for k in range(n):
        spread, up, down = top[k] - bottom[k], abs(top[k] - before[k]), abs(bottom[k] - before[k])
        widest = up if up > spread else spread
        widest = down if down > widest else widest
        row[k] = widest + 0.0 * (up + down)  # a NaN in any of the three gives NaN; a comparison would drop it


@kernel
def fill_atr(high, low, close, start, count, window, carry, dest):
    """Average true range of bars start..start+count, written to dest[0:count], a cache-sized piece at a time."""
    share, warm = 1.0 / window, float(window)
    for done in range(0, count, _SPAN):
        row = dest[done : min(done + _SPAN, count)]
        fill_true_range(high, low, close, start + done, row.shape[0], row)
        fill_smoothed(row, share, warm, carry, row)


@kernel
def true_range(high, low, close, out, start, stop):
    """Greatest of high - low, |high - close before| and |low - close before|, in price. NaN at bar 0, as in TA-Lib.

    high, low, close, out: float64[n], C-contiguous. NaN where one of the three is NaN or infinite. Reads bars
    start - 1 to stop, writes out[start:stop].
    """
    fill_true_range(high, low, close, start, stop - start, out[start:stop])


@kernel
def atr(high, low, close, window, carry, out, start, stop):
    """Wilder's average of the true range, in price. NaN for the first `window` bars, then as TA-Lib's ATR.

    A bar without a true range gives NaN and leaves the average as it was. Arrays as for `true_range`; carry:
    float64[ATR_CARRY], zeros before bar 0.
    """
    fill_atr(high, low, close, start, stop - start, window, carry, out[start:stop])
