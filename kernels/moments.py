"""Rolling mean and second central moment that do not drift, and do not depend on where a history began.

At every bar whose *number* (its open time over the interval) opens a new block of `window` numbers, mean and sum of
squares are computed afresh over the window, in two passes (an *anchor*). Between anchors they slide by Welford's
update (Welford 1962, Technometrics 4(3); Chan, Golub and LeVeque 1983, The American Statistician 37(3)). All sums
run over differences from the value that opens the anchor's window, which are exact or nearly so. Bars slide by blocks
of four, counted back from the next anchor: what a block adds is summed by itself.

An anchor is also taken where the sum of squares has fallen under 2^-10 of the last anchor's: a spike that leaves
the window would otherwise leave its rounding error behind. A bar that is not finite ends the window; the next
value comes once `window` finite bars have been seen, and it is an anchor.

The carry is float64[MOMENTS_CARRY], zeros before the first bar. Slot 0 holds the number of the next bar: the caller
sets it before the first bar and after a gap.
"""

import numpy as np

from ._jit import kernel

NUMBER, UNTIL, SEEN, REFERENCE, OFFSET, PART, SQUARES, MORE, FLOOR = range(9)
"""PART and MORE: what the bars of an unfinished block add to the offset and to the sum of squares."""
MOMENTS_CARRY = 9
MEAN_CARRY = 6

SPAN = 1024
"""Bars advanced at a time: scratch rows of this length stay in the first-level cache."""

_FALL = 2.0**-10
_BLOCK = 4
"""Bars that slide together."""
_PLACE = 2**62 - 1
"""A place & _PLACE is the place; but the compiler then sees that it does not count from the end of an array."""


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
def advance_moments(change, leaving, offset, share, rest):
    """One bar: `change` is the value that enters less the one that leaves, `leaving` the latter less the reference.

    share = 1/window, rest = 1 - share. Returns what the bar adds to the mean's offset from the reference and to the sum
    of squares about the mean, and the entering value's deviation from the mean.
    """
    before = leaving - offset
    deviation = before + change * rest
    return change * share, change * (before + deviation), deviation


@kernel
def ends_block(left):
    """Whether no block is begun where so many bars may still slide."""
    return left & (_BLOCK - 1) == 0


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
def _slide_moments(entering, leaving, j, reference, offset, squares, share, rest, deviation, sum_squares):
    """The four bars of a block, from place j on; returns the offset after them, and the sums' least, greatest and last.

    All is read before anything is written, so that the four are computed side by side.
    """
    change1, change2 = entering[j] - leaving[j], entering[j + 1] - leaving[j + 1]
    change3, change4 = entering[j + 2] - leaving[j + 2], entering[j + 3] - leaving[j + 3]
    left1, left2 = leaving[j] - reference, leaving[j + 1] - reference
    left3, left4 = leaving[j + 2] - reference, leaving[j + 3] - reference
    one, added1, d1 = advance_moments(change1, left1, offset, share, rest)
    step, added2, d2 = advance_moments(change2, left2, offset + one, share, rest)
    two, added2 = one + step, added1 + added2
    step, added3, d3 = advance_moments(change3, left3, offset + two, share, rest)
    three, added3 = two + step, added2 + added3
    step, added4, d4 = advance_moments(change4, left4, offset + three, share, rest)
    four, added4 = three + step, added3 + added4
    after1, after2, after3, after4 = squares + added1, squares + added2, squares + added3, squares + added4
    deviation[j], deviation[j + 1], deviation[j + 2], deviation[j + 3] = d1, d2, d3, d4
    sum_squares[j], sum_squares[j + 1] = after1, after2
    sum_squares[j + 2], sum_squares[j + 3] = after3, after4
    return offset + four, min(after1, after2, after3, after4), max(after1, after2, after3, after4), after4


@kernel
def _anchor_moments(values, bar, number, window, carry):
    """A bar that does not slide. Returns bars that may slide after it, reference, offset, sum of squares, its floor."""
    if not _window_is_full(values[bar], window, carry):
        return 0, np.nan, np.nan, np.nan, np.nan
    held = values[bar - window + 1 : bar + 1]
    offset = sum_from(held, held[0]) / window
    squares = squares_from(held, held[0] + offset)
    return _to_next_anchor(number, window), held[0], offset, squares, squares * _FALL


@kernel
def _advance_moments(values, start, count, last, window, carry, deviation, sum_squares):
    """Bars start..start+count; values[last + k] is what bar start + k pushes out of the window.

    Bars slide by blocks of `_BLOCK`, counted back from the next anchor. What a block adds is summed by itself, so that
    only one addition in a block waits for the one before. One loop with rare branches: views made at each anchor would
    cost short windows half as much again.
    """
    number, reference, floor = carry[NUMBER], carry[REFERENCE], carry[FLOOR]
    offset, part, squares, more = carry[OFFSET], carry[PART], carry[SQUARES], carry[MORE]
    entering, leaving = values[start : start + count], values[last : last + count]
    share = 1.0 / window
    rest = 1.0 - share
    left, k = _may_slide(number, window, carry), 0
    while k < count:
        if ends_block(left):  # after a gap a block may end where none was begun
            offset, part, squares, more = offset + part, 0.0, squares + more, 0.0
            for _ in range(min(left, count - k) // _BLOCK):
                after, least, greatest, about = _slide_moments(
                    entering, leaving, k & _PLACE, reference, offset, squares, share, rest, deviation, sum_squares
                )
                if not (least >= floor and greatest < np.inf and about < np.inf):  # true for NaN, which is the last one
                    break
                offset, squares = after, about
                k += _BLOCK
                left -= _BLOCK
            if k == count:
                break
        if left > 0:
            step, added, d = advance_moments(
                entering[k] - leaving[k], leaving[k] - reference, offset + part, share, rest
            )
            about = squares + (more + added)
            if about >= floor and about < np.inf:  # false for NaN
                deviation[k], sum_squares[k] = d, about
                part, more = part + step, more + added
                left -= 1
                k += 1
                continue
        left, reference, offset, squares, floor = _anchor_moments(values, start + k, number + k, window, carry)
        deviation[k], sum_squares[k] = (entering[k] - reference) - offset, squares
        part = more = 0.0
        k += 1
    if ends_block(left):
        offset, part, squares, more = offset + part, 0.0, squares + more, 0.0
    carry[NUMBER], carry[UNTIL] = number + count, number + count + left
    carry[REFERENCE], carry[FLOOR] = reference, floor
    carry[OFFSET], carry[PART], carry[SQUARES], carry[MORE] = offset, part, squares, more


@kernel
def fill_moments(values, start, count, window, carry, deviation, sum_squares):
    """Each bar's deviation from the rolling mean, and the rolling sum of squared deviations; NaN without a window.

    Bars start..start+count go to [0:count] of both rows.
    """
    early = max(0, min(count, window - start))  # no value leaves before bar `window`
    if early > 0:
        _advance_moments(values, start, early, start, window, carry, deviation, sum_squares)
        deviation, sum_squares = deviation[early:], sum_squares[early:]
    if count > early:
        _advance_moments(
            values, start + early, count - early, start + early - window, window, carry, deviation, sum_squares
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
    """As `_advance_moments`."""
    number, reference, offset, part = carry[NUMBER], carry[REFERENCE], carry[OFFSET], carry[PART]
    entering, leaving = values[start : start + count], values[last : last + count]
    share = 1.0 / window
    left, k = _may_slide(number, window, carry), 0
    while k < count:
        if ends_block(left):
            offset, part = offset + part, 0.0
            for _ in range(min(left, count - k) // _BLOCK):
                j = k & _PLACE
                one = (entering[j] - leaving[j]) * share
                two = one + (entering[j + 1] - leaving[j + 1]) * share
                three = two + (entering[j + 2] - leaving[j + 2]) * share
                four = three + (entering[j + 3] - leaving[j + 3]) * share
                if not is_finite(((offset + one) + (offset + two)) + ((offset + three) + (offset + four))):
                    break
                mean[j], mean[j + 1] = reference + (offset + one), reference + (offset + two)
                mean[j + 2], mean[j + 3] = reference + (offset + three), reference + (offset + four)
                offset += four
                k += _BLOCK
                left -= _BLOCK
            if k == count:
                break
        if left > 0:
            longer = part + (entering[k] - leaving[k]) * share
            if is_finite(offset + longer):
                mean[k], part = reference + (offset + longer), longer
                left -= 1
                k += 1
                continue
        mean[k], left, reference, offset = _anchor_mean(values, start + k, number + k, window, carry)
        part = 0.0
        k += 1
    if ends_block(left):
        offset, part = offset + part, 0.0
    carry[NUMBER], carry[UNTIL] = number + count, number + count + left
    carry[REFERENCE], carry[OFFSET], carry[PART] = reference, offset, part


@kernel
def fill_mean(values, start, count, window, carry, mean):
    """Rolling mean of bars start..start+count, written to mean[0:count]. It costs half of `fill_moments`."""
    early = max(0, min(count, window - start))
    if early > 0:
        _advance_mean(values, start, early, start, window, carry, mean)
        mean = mean[early:]
    if count > early:
        _advance_mean(values, start + early, count - early, start + early - window, window, carry, mean)
