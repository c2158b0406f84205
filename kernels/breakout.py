"""Breakout of the price channel of the bars before."""

import numpy as np

from ._jit import kernel
from .extrema import fill_prior_extreme


@kernel
def breakout(high, low, close, window, out, start, stop):
    """1 where the close is over the highest high of the `window` bars before, -1 where it is under their lowest low.

    0 inside the channel, NaN until there are `window` bars before, and where a NaN is among them (Donchian's channel).
    """
    n = stop - start
    row, now = out[start:stop], close[start:stop]
    lows = np.empty(min(n, 512))
    for done in range(0, n, 512):
        part = row[done : min(done + 512, n)]
        count = part.shape[0]
        fill_prior_extreme(high, start + done, count, window, 1.0, part)
        fill_prior_extreme(low, start + done, count, window, -1.0, lows)
        for k in range(count):
            top, bottom, price = part[k], lows[k], now[done + k]
            part[k] = (1.0 if price > top else 0.0) - (1.0 if price < bottom else 0.0) + 0.0 * (top + bottom + price)
