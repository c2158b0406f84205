"""Rolling mean and second central moment that do not drift, and do not depend on where a history began.

At every bar whose *number* (its open time over the interval) opens a new block of `window` numbers, mean and sum of
squares are computed afresh over the window, in two passes (an *anchor*). Between anchors they slide by Welford's
update (Welford 1962, Technometrics 4(3); Chan, Golub and LeVeque 1983, The American Statistician 37(3)). All sums
run over differences from the value that opens the anchor's window, which are exact or nearly so.

An anchor is also taken where the sum of squares has fallen under 2^-10 of the last anchor's: a spike that leaves
the window would otherwise leave its rounding error behind. A bar that is not finite ends the window; the next
value comes once `window` finite bars have been seen, and it is an anchor.

The carry is float64[MOMENTS_CARRY], zeros before the first bar. Slot 0 holds the number of the next bar: the caller
sets it before the first bar and after a gap.
"""

import numpy as np

from ._jit import kernel

NUMBER, UNTIL, SEEN, REFERENCE, OFFSET, SQUARES, FLOOR = range(7)
MOMENTS_CARRY = 7
MEAN_CARRY = 5

SPAN = 512
"""Bars advanced at a time: scratch rows of this length stay in the first-level cache."""

_FALL = 2.0**-10


@kernel
def is_finite(value):
    """True for a number that is neither NaN nor infinite."""
    return value - value == 0.0


@kernel
def _fold(s0, s1, s2, s3, s4, s5, s6, s7):
    """The eight lanes of a sum, added as a tree."""
    return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))


@kernel
def sum_from(values, reference):
    """Sum of values - reference, in eight lanes: the chain of additions is what a serial sum waits for."""
    n = values.shape[0]
    whole = n // 8 * 8
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for k in range(0, whole, 8):
        s0 += values[k] - reference
        s1 += values[k + 1] - reference
        s2 += values[k + 2] - reference
        s3 += values[k + 3] - reference
        s4 += values[k + 4] - reference
        s5 += values[k + 5] - reference
        s6 += values[k + 6] - reference
        s7 += values[k + 7] - reference
    total = _fold(s0, s1, s2, s3, s4, s5, s6, s7)
    for k in range(whole, n):
        total += values[k] - reference
    return total


@kernel
def squares_from(values, centre):
    """Sum of (values - centre)², in eight lanes."""
    n = values.shape[0]
    whole = n // 8 * 8
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for k in range(0, whole, 8):
        d0 = values[k] - centre
        d1 = values[k + 1] - centre
        d2 = values[k + 2] - centre
        d3 = values[k + 3] - centre
        d4 = values[k + 4] - centre
        d5 = values[k + 5] - centre
        d6 = values[k + 6] - centre
        d7 = values[k + 7] - centre
        s0 += d0 * d0
        s1 += d1 * d1
        s2 += d2 * d2
        s3 += d3 * d3
        s4 += d4 * d4
        s5 += d5 * d5
        s6 += d6 * d6
        s7 += d7 * d7
    total = _fold(s0, s1, s2, s3, s4, s5, s6, s7)
    for k in range(whole, n):
        d = values[k] - centre
        total += d * d
    return total


@kernel
def advance_moments(change, leaving, offset, squares, share, rest):
    """One bar: `change` is the value that enters less the one that leaves, `leaving` the latter less the reference.

    share = 1/window, rest = 1 - share. Returns the mean's offset from the reference, the sum of squares about the
    mean, and the entering value's deviation from the mean.
    """
    before = leaving - offset
    deviation = before + change * rest
    return offset + change * share, squares + change * (before + deviation), deviation


@kernel
def _slide_moments(values, start, window, reference, offset, squares, deviation, sum_squares):
    n = deviation.shape[0]
    entering = values[start : start + n]
    leaving = values[start - window : start - window + n]
    share = 1.0 / window
    rest = 1.0 - share
    for k in range(n):
        offset, squares, d = advance_moments(
            entering[k] - leaving[k], leaving[k] - reference, offset, squares, share, rest
        )
        deviation[k] = d
        sum_squares[k] = squares
    return offset, squares


@kernel
def _count_below(values, floor):
    """How many values are below the floor, or are no number. A count vectorises; an early exit does not."""
    found = 0
    for k in range(values.shape[0]):
        found += not (values[k] >= floor)
    return found


@kernel
def _window_opens(value, number, window, carry):
    """Count a bar towards a full window; True where the window is full, so that an anchor can be taken."""
    if not is_finite(value):
        carry[SEEN] = 0.0
    elif carry[SEEN] + 1.0 < window:
        carry[SEEN] += 1.0
    else:
        carry[SEEN] = window
        carry[UNTIL] = (np.floor(number / window) + 1.0) * window
        return True
    carry[NUMBER] = number + 1.0
    return False


@kernel
def span_moments(values, start, count, window, carry, deviation, sum_squares):
    """Advance to the next anchor, `count` bars at most; return how many bars were done (0 asks to be called again).

    Writes each bar's deviation from the rolling mean and the rolling sum of squared deviations; NaN where the
    window is not full. Both rows hold at least `count` values.
    """
    number = carry[NUMBER]
    done = 0
    if carry[SEEN] < window or number >= carry[UNTIL]:
        value = values[start]
        if not _window_opens(value, number, window, carry):
            deviation[0] = np.nan
            sum_squares[0] = np.nan
            return 1
        held = values[start - window + 1 : start + 1]
        reference = held[0]
        offset = sum_from(held, reference) / window
        squares = squares_from(held, reference + offset)
        carry[REFERENCE] = reference
        carry[FLOOR] = squares * _FALL
        deviation[0] = (value - reference) - offset
        sum_squares[0] = squares
        number += 1.0
        done = 1
    else:
        reference = carry[REFERENCE]
        offset = carry[OFFSET]
        squares = carry[SQUARES]
    n = min(count - done, int(carry[UNTIL] - number))
    if n > 0:
        d = deviation[done : done + n]
        s = sum_squares[done : done + n]
        slid = _slide_moments(values, start + done, window, reference, offset, squares, d, s)
        if _count_below(s, carry[FLOOR]):
            n = 0
            while s[n] >= carry[FLOOR]:
                n += 1
            slid = _slide_moments(values, start + done, window, reference, offset, squares, d[:n], s[:n])
            carry[UNTIL] = number + n
        offset, squares = slid
        number += n
        done += n
    carry[NUMBER] = number
    carry[OFFSET] = offset
    carry[SQUARES] = squares
    return done


@kernel
def span_mean(values, start, count, window, carry, mean):
    """As `span_moments`, for the rolling mean alone, which costs less than half."""
    number = carry[NUMBER]
    done = 0
    if carry[SEEN] < window or number >= carry[UNTIL]:
        if not _window_opens(values[start], number, window, carry):
            mean[0] = np.nan
            return 1
        held = values[start - window + 1 : start + 1]
        reference = held[0]
        offset = sum_from(held, reference) / window
        carry[REFERENCE] = reference
        mean[0] = reference + offset
        number += 1.0
        done = 1
    else:
        reference = carry[REFERENCE]
        offset = carry[OFFSET]
    n = min(count - done, int(carry[UNTIL] - number))
    if n > 0:
        slid, n = _slide_mean(values, start + done, window, reference, offset, mean[done : done + n])
        if n < 0:  # a bar that is not finite: stop before it
            n = -n - 1
            slid, _ = _slide_mean(values, start + done, window, reference, offset, mean[done : done + n])
            carry[UNTIL] = number + n
        offset = slid
        number += n
        done += n
    carry[NUMBER] = number
    carry[OFFSET] = offset
    return done


@kernel
def _slide_mean(values, start, window, reference, offset, mean):
    """Slide over the whole of `mean`; where a value is not finite, return -1 - (its place) in place of the count."""
    n = mean.shape[0]
    entering = values[start : start + n]
    leaving = values[start - window : start - window + n]
    share = 1.0 / window
    for k in range(n):
        offset += (entering[k] - leaving[k]) * share
        mean[k] = reference + offset
    if is_finite(offset):  # a NaN or an infinity would have stayed in the sum
        return offset, n
    k = 0
    while is_finite(entering[k]):
        k += 1
    return offset, -1 - k
