"""Rolling maximum and minimum: van Herk's blocks (van Herk 1992; Gil and Werman 1993), some three comparisons a bar.

A maximum does not round, so no state goes from call to call: only the last `window` values are read again. A NaN in
the window gives NaN and leaves with it; infinities are values like others; the zeros are not told apart.
"""

import numpy as np

from ._jit import kernel


@kernel
def _mark_nans(values, first, window, row):
    """Set row to NaN where one of the last `window` values is; values[first + window - 1] belongs to row[0]."""
    seen = values[first : first + window - 1 + row.shape[0]]
    found = 0
    for k in range(seen.shape[0]):
        found += seen[k] != seen[k]
    if found:
        last = -window
        for k in range(seen.shape[0]):
            if seen[k] != seen[k]:
                last = k
            if k >= window - 1 and k - last < window:
                row[k - window + 1] = np.nan


@kernel
def fill_extreme(values, start, count, window, sign, dest):
    """Rolling maximum (sign 1.0) or minimum (sign -1.0) of bars start..start+count, written to dest[0:count].

    Within a block of `window` bars a window is the end of the block before and the beginning of this one. The
    maxima of the ends are laid down backwards in `dest`, those of the beginnings run over them forwards.
    """
    at = max(0, min(count, window - 1 - start))
    dest[:at] = np.nan
    while at < count:
        first = start + at
        block = first // window * window
        end = min(block + window, start + count)
        row = dest[at : at + end - first]
        n = row.shape[0]
        most = -np.inf
        ends = values[first - window + 1 : block]
        for k in range(ends.shape[0] - 1, n - 1, -1):
            value = ends[k] * sign
            most = value if value > most else most
        for k in range(ends.shape[0], n):
            row[k] = -np.inf
        for k in range(min(ends.shape[0], n) - 1, -1, -1):
            value = ends[k] * sign
            most = value if value > most else most
            row[k] = most
        most = -np.inf
        for value in values[block:first]:
            most = value * sign if value * sign > most else most
        inside = values[first:end]
        for k in range(n):
            value = inside[k] * sign
            most = value if value > most else most
            row[k] = (most if most > row[k] else row[k]) * sign + 0.0
        _mark_nans(values, first - window + 1, window, row)
        at += n


@kernel
def fill_prior_extreme(values, start, count, window, sign, dest):
    """The extreme of the `window` bars before each of start..start+count, written to dest[0:count]."""
    if start > 0:
        fill_extreme(values, start - 1, count, window, sign, dest)
    elif count > 0:
        dest[0] = np.nan
        fill_extreme(values, 0, count - 1, window, sign, dest[1:])


@kernel
def rolling_max(values, window, out, start, stop):
    """Greatest of the last `window` values, in their unit; NaN until there are `window` bars."""
    fill_extreme(values, start, stop - start, window, 1.0, out[start:stop])


@kernel
def rolling_min(values, window, out, start, stop):
    """Least of the last `window` values, in their unit; NaN until there are `window` bars."""
    fill_extreme(values, start, stop - start, window, -1.0, out[start:stop])
