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

SPAN = 1024
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
def _window_is_full(value, window, carry):
    """Count a bar towards a full window; True where it is full, so that an anchor can be taken."""
    if not is_finite(value):
        carry[SEEN] = 0.0
        return False
    if carry[SEEN] + 1.0 < window:
        carry[SEEN] += 1.0
        return False
    carry[SEEN] = window
    return True


@kernel
def _to_next_anchor(number, window):
    """Bars that may slide after an anchor at bar `number`: as far as the next multiple of the window."""
    return int((np.floor(number / window) + 1.0) * window - number) - 1


@kernel
def _may_slide(number, window, carry):
    """Bars that may slide from bar `number` on: none before the first anchor, also where numbers are negative."""
    return int(carry[UNTIL] - number) if carry[SEEN] >= window else 0


@kernel
def _spread(squares, ddof_share, root, scale):
    """The variance, or the standard deviation where its `root` is asked for, times `scale`."""
    variance = squares * ddof_share
    return (np.sqrt(variance) if root else variance) * scale


@kernel
def _advance_moments(values, start, count, last, window, ddof, root, scale, carry, deviation, spread):
    """Bars start..start+count; values[last + k] is what bar start + k pushes out of the window.

    One loop with a rare branch: views made at each anchor would cost short windows half as much again, and a count of
    falls and NaNs after the fact as much as this comparison. Roots are taken here, since this loop waits for its sums;
    in a loop of their own they cost half a nanosecond a bar.
    """
    number, reference, offset = carry[NUMBER], carry[REFERENCE], carry[OFFSET]
    squares, floor = carry[SQUARES], carry[FLOOR]
    entering, leaving = values[start : start + count], values[last : last + count]
    share, ddof_share = 1.0 / window, 1.0 / (window - ddof)
    rest = 1.0 - share
    left = _may_slide(number, window, carry)
    for k in range(count):
        if left > 0:
            after, about, d = advance_moments(
                entering[k] - leaving[k], leaving[k] - reference, offset, squares, share, rest
            )
            if about >= floor and about < np.inf:  # false for NaN
                offset, squares = after, about
                deviation[k] = d
                spread[k] = _spread(squares, ddof_share, root, scale)
                left -= 1
                continue
        if _window_is_full(entering[k], window, carry):
            held = values[start + k - window + 1 : start + k + 1]
            reference = held[0]
            offset = sum_from(held, reference) / window
            squares = squares_from(held, reference + offset)
            floor = squares * _FALL
            deviation[k] = (entering[k] - reference) - offset
            spread[k] = _spread(squares, ddof_share, root, scale)
            left = _to_next_anchor(number + k, window)
        else:
            deviation[k] = np.nan
            spread[k] = np.nan
            left = 0
    carry[NUMBER], carry[UNTIL] = number + count, number + count + left
    carry[REFERENCE], carry[OFFSET], carry[SQUARES], carry[FLOOR] = reference, offset, squares, floor


@kernel
def fill_moments(values, start, count, window, ddof, root, scale, carry, deviation, spread):
    """Each bar's deviation from the rolling mean, and the rolling variance or its root, times `scale`.

    Bars start..start+count go to [0:count] of both rows; NaN without a window.
    """
    early = max(0, min(count, window - start))  # no value leaves before bar `window`
    if early > 0:
        _advance_moments(values, start, early, start, window, ddof, root, scale, carry, deviation, spread)
        deviation, spread = deviation[early:], spread[early:]
    if count > early:
        first = start + early
        _advance_moments(
            values, first, count - early, first - window, window, ddof, root, scale, carry, deviation, spread
        )


@kernel
def _anchor_mean(values, bar, number, window, carry):
    """A bar that does not slide. Returns its mean, bars that may slide after it, reference and offset."""
    if not _window_is_full(values[bar], window, carry):
        return np.nan, 0, 0.0, 0.0
    held = values[bar - window + 1 : bar + 1]
    offset = sum_from(held, held[0]) / window
    return held[0] + offset, _to_next_anchor(number, window), held[0], offset


@kernel
def _advance_mean(values, start, count, last, window, carry, mean):
    number, reference, offset = carry[NUMBER], carry[REFERENCE], carry[OFFSET]
    entering, leaving = values[start : start + count], values[last : last + count]
    share = 1.0 / window
    left = _may_slide(number, window, carry)
    for k in range(count):
        after = offset + (entering[k] - leaving[k]) * share
        if left > 0 and is_finite(after):
            mean[k], offset = reference + after, after
            left -= 1
        else:
            mean[k], left, reference, offset = _anchor_mean(values, start + k, number + k, window, carry)
    carry[NUMBER], carry[UNTIL] = number + count, number + count + left
    carry[REFERENCE], carry[OFFSET] = reference, offset


@kernel
def fill_mean(values, start, count, window, carry, mean):
    """Rolling mean of bars start..start+count, written to mean[0:count]. It costs half of `fill_moments`."""
    early = max(0, min(count, window - start))
    if early > 0:
        _advance_mean(values, start, early, start, window, carry, mean)
        mean = mean[early:]
    if count > early:
        _advance_mean(values, start + early, count - early, start + early - window, window, carry, mean)


@kernel
def _slide_two_means(values, start, count, fast, fast_carry, slow, slow_carry, fast_mean, slow_mean):
    number = fast_carry[NUMBER]
    reference, offset = fast_carry[REFERENCE], fast_carry[OFFSET]
    other_reference, other_offset = slow_carry[REFERENCE], slow_carry[OFFSET]
    entering = values[start : start + count]
    leaving, other_leaving = values[start - fast : start - fast + count], values[start - slow : start - slow + count]
    share, other_share = 1.0 / fast, 1.0 / slow
    left, other_left = _may_slide(number, fast, fast_carry), _may_slide(number, slow, slow_carry)
    for k in range(count):
        after = offset + (entering[k] - leaving[k]) * share
        other_after = other_offset + (entering[k] - other_leaving[k]) * other_share
        if left > 0 and is_finite(after):
            fast_mean[k], offset = reference + after, after
            left -= 1
        else:
            fast_mean[k], left, reference, offset = _anchor_mean(values, start + k, number + k, fast, fast_carry)
        if other_left > 0 and is_finite(other_after):
            slow_mean[k], other_offset = other_reference + other_after, other_after
            other_left -= 1
        else:
            slow_mean[k], other_left, other_reference, other_offset = _anchor_mean(
                values, start + k, number + k, slow, slow_carry
            )
    number += count
    fast_carry[NUMBER], fast_carry[UNTIL] = number, number + left
    fast_carry[REFERENCE], fast_carry[OFFSET] = reference, offset
    slow_carry[NUMBER], slow_carry[UNTIL] = number, number + other_left
    slow_carry[REFERENCE], slow_carry[OFFSET] = other_reference, other_offset


@kernel
def fill_two_means(values, start, count, fast, fast_carry, slow, slow_carry, fast_mean, slow_mean):
    """`fill_mean` for two windows, the same bits for three quarters of the time: one loop runs both chains at once."""
    early = max(0, min(count, max(fast, slow) - start))
    if early > 0:
        fill_mean(values, start, early, fast, fast_carry, fast_mean)
        fill_mean(values, start, early, slow, slow_carry, slow_mean)
    if count > early:
        _slide_two_means(
            values, start + early, count - early, fast, fast_carry, slow, slow_carry,
            fast_mean[early:], slow_mean[early:],
        )  # fmt: skip
