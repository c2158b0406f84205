"""Averages that never forget: exponential and Wilder's.

y = (1 - share) · y + share · x waits for itself: seven cycles a bar. So bars go in groups of eight. Within a group the
sum of its own inputs, u, is built without what came before, and y = (1 - share)^(k+1) · Y + u, where Y is the value
that closed the group before: only that last step waits, once in eight bars. The groups are counted in the carry, so
that any cut gives the same bits.

A value that is not finite gives NaN for its bar and leaves the average as it was. These averages depend on the first
bar of the history, whatever its length.
"""

import numpy as np

from ._jit import kernel
from .moments import is_finite

SEEN, CLOSED, OPEN_SUM, PLACE = range(4)
SMOOTHED_CARRY = 4

_GROUP = 8


@kernel
def advance_smoothed(value, keep, share, closed, open_sum, place):
    """One bar within a group: returns the average and the group's own sum. `place` is 0 to 7."""
    own = share * value if place == 0.0 else keep * open_sum + share * value
    decay = keep
    for _ in range(int(place)):
        decay = decay * keep
    return decay * closed + own, own


@kernel
def _group_of_eight(x, keep, share, closed, y):
    """The same arithmetic for a whole group, written out so that groups overlap."""
    u0 = share * x[0]
    u1 = keep * u0 + share * x[1]
    u2 = keep * u1 + share * x[2]
    u3 = keep * u2 + share * x[3]
    u4 = keep * u3 + share * x[4]
    u5 = keep * u4 + share * x[5]
    u6 = keep * u5 + share * x[6]
    u7 = keep * u6 + share * x[7]
    if not is_finite(u7):  # one of the eight is not a number
        return False
    k2 = keep * keep
    k3 = k2 * keep
    k4 = k3 * keep
    k5 = k4 * keep
    k6 = k5 * keep
    k7 = k6 * keep
    k8 = k7 * keep
    y[0] = keep * closed + u0
    y[1] = k2 * closed + u1
    y[2] = k3 * closed + u2
    y[3] = k4 * closed + u3
    y[4] = k5 * closed + u4
    y[5] = k6 * closed + u5
    y[6] = k7 * closed + u6
    y[7] = k8 * closed + u7
    return True


@kernel
def fill_smoothed(values, share, warm, carry, dest):
    """Average with weight `share` on the newest value, begun with the mean of the first `warm` finite values.

    values, dest: float64[n], which may be the same array; carry: float64[SMOOTHED_CARRY]. NaN until it has begun.
    """
    keep = 1.0 - share
    seen, closed, own, place = carry[SEEN], carry[CLOSED], carry[OPEN_SUM], carry[PLACE]
    n = values.shape[0]
    k = 0
    while k < n:
        if (
            seen >= warm
            and place == 0.0
            and k + _GROUP <= n
            and _group_of_eight(values[k : k + _GROUP], keep, share, closed, dest[k : k + _GROUP])
        ):
            closed = dest[k + _GROUP - 1]
            k += _GROUP
            continue
        value = values[k]
        if not is_finite(value):
            dest[k] = np.nan
        elif seen < warm:
            own += value
            seen += 1.0
            dest[k] = np.nan
            if seen >= warm:
                closed = own / warm
                dest[k] = closed
        else:
            dest[k], own = advance_smoothed(value, keep, share, closed, own, place)
            place += 1.0
            if place == _GROUP:
                closed, place = dest[k], 0.0
        k += 1
    carry[SEEN], carry[CLOSED], carry[OPEN_SUM], carry[PLACE] = seen, closed, own, place


@kernel
def ema(values, share, carry, out, start, stop):
    """Exponential moving average, in the unit of `values`, begun with the first finite one.

    values, out: float64[n], C-contiguous; reads and writes [start:stop]. share: weight of the newest value in (0, 1],
    2 / (span + 1) for a span in bars. carry: float64[SMOOTHED_CARRY], zeros before bar 0.
    """
    fill_smoothed(values[start:stop], share, 1.0, carry, out[start:stop])


@kernel
def wilder(values, window, carry, out, start, stop):
    """Wilder's average: the mean of the first `window` values, then weight 1/window on the newest.

    Wilder (1978), New Concepts in Technical Trading Systems. NaN until `window` finite values are seen. Arrays and
    carry as for `ema`.
    """
    fill_smoothed(values[start:stop], 1.0 / window, float(window), carry, out[start:stop])
