"""Rolling mean, variance, standard deviation and z-score over a window of bars.

Every kernel reads values[start - window : stop] (float64[n], C-contiguous), writes out[start:stop], and keeps its
state in `carry` (see `moments`). NaN until `window` finite bars are seen; a NaN leaves with its window. Cutting 0..n
into any calls, in order, with one carry, gives the same bits; histories that begin at different bars agree bit for
bit after two windows.

`ddof` is subtracted from the window in the denominator: 0 for a population, 1 for a sample.
"""

import numpy as np

from ._jit import kernel
from .moments import SPAN, fill_mean, fill_moments


@kernel
def fill_variance(values, start, count, window, ddof, carry, variance, scratch):
    """Rolling variance of bars start..start+count, written to variance[0:count]; scratch: float64[>= 1]."""
    for done in range(0, count, scratch.shape[0]):
        row = variance[done : min(done + scratch.shape[0], count)]
        fill_moments(values, start + done, row.shape[0], window, ddof, False, 1.0, carry, scratch, row)


@kernel
def fill_std(values, start, count, window, ddof, scale, carry, std, scratch):
    """Rolling standard deviation times `scale` of bars start..start+count, written to std[0:count]."""
    for done in range(0, count, scratch.shape[0]):
        row = std[done : min(done + scratch.shape[0], count)]
        fill_moments(values, start + done, row.shape[0], window, ddof, True, scale, carry, scratch, row)


@kernel
def fill_zscore(values, start, count, window, carry, zscore, scratch):
    """Rolling z-score of bars start..start+count, written to zscore[0:count]; scratch: float64[>= 1]."""
    for done in range(0, count, scratch.shape[0]):
        z = zscore[done : min(done + scratch.shape[0], count)]
        fill_moments(values, start + done, z.shape[0], window, 0, True, 1.0, carry, z, scratch)
        for k in range(z.shape[0]):
            z[k] = z[k] / scratch[k]


@kernel
def rolling_mean(values, window, carry, out, start, stop):
    """Arithmetic mean of the last `window` values, in their unit. carry: float64[MEAN_CARRY]."""
    fill_mean(values, start, stop - start, window, carry, out[start:stop])


@kernel(allocates=True)
def _scratch(start, stop):
    """A row for one span. It stays in the first-level cache, whatever the length of the input."""
    return np.empty(max(1, min(SPAN, stop - start)))


@kernel(allocates=True)
def rolling_variance(values, window, ddof, carry, out, start, stop):
    """Variance of the last `window` values, in their unit squared. carry: float64[MOMENTS_CARRY]."""
    fill_variance(values, start, stop - start, window, ddof, carry, out[start:stop], _scratch(start, stop))


@kernel(allocates=True)
def rolling_std(values, window, ddof, carry, out, start, stop):
    """Standard deviation of the last `window` values, in their unit. carry: float64[MOMENTS_CARRY]."""
    fill_std(values, start, stop - start, window, ddof, 1.0, carry, out[start:stop], _scratch(start, stop))


@kernel(allocates=True)
def zscore(values, window, carry, out, start, stop):
    """(value - mean) / standard deviation (ddof 0) over the last `window` values. carry: float64[MOMENTS_CARRY].

    NaN where the window is flat: it has no spread to measure by.
    """
    fill_zscore(values, start, stop - start, window, carry, out[start:stop], _scratch(start, stop))


@kernel(allocates=True)
def realized_volatility(returns, window, scale, carry, out, start, stop):
    """Standard deviation (ddof 1) of the last `window` bar returns, times `scale`. carry: float64[MOMENTS_CARRY].

    `scale` is the root of the bars per year for an annual figure, or 1 for a bar's.
    """
    fill_std(returns, start, stop - start, window, 1, scale, carry, out[start:stop], _scratch(start, stop))
