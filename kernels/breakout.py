"""Breakout of the price channel of the bars before (Donchian's channel)."""

import numpy as np

from ._jit import kernel
from .extrema import fill_prior_extreme

_CHUNK = 2048


@kernel
def fill_breakout(high, low, close, start, count, window, dest, scratch):
    """The side of bars start..start+count, written to dest[0:count]; scratch: float64[>= 1], for the lows."""
    for done in range(0, count, scratch.shape[0]):
        row = dest[done : min(done + scratch.shape[0], count)]
        n = row.shape[0]
        fill_prior_extreme(high, start + done, n, window, 1.0, row)
        fill_prior_extreme(low, start + done, n, window, -1.0, scratch)
        now, bottom = close[start + done : start + done + n], scratch[:n]
        for k in range(n):
            top = row[k]
            side = (1.0 if now[k] > top else 0.0) - (1.0 if now[k] < bottom[k] else 0.0)
            row[k] = np.nan if np.isnan(top) | np.isnan(bottom[k]) | np.isnan(now[k]) else side


@kernel(allocates=True)
def breakout(high, low, close, window, out, start, stop):
    """1 where the close is over the highest high of the `window` bars before, -1 where it is under their lowest low.

    0 inside the channel and on its edge; NaN until there are `window` bars before, and where one of them or the close
    is NaN. high, low, close, out: float64[n], C-contiguous. Reads from bar start - window on.
    """
    scratch = np.empty(max(1, min(_CHUNK, stop - start)))
    fill_breakout(high, low, close, start, stop - start, window, out[start:stop], scratch)
