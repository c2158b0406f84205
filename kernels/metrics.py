"""Bar returns, and the statistics of an equity curve as one pass over it, a block at a time."""

import numpy as np

from ._jit import kernel
from .moments import sum_from

RETURNS, MEAN, SQUARES, DOWNSIDE_SQUARES, GAINS, LOSSES, DEEPEST, LONGEST, BEFORE, PEAK, AGE = range(11)
"""Number of bar returns; their mean; sum of squares about it; sum of squares of the negative ones; sum of the positive
and of the negative ones (as a positive number); least equity as a share of the peak before it; longest drawdown that
is over, in bars; equity of the bar before; peak so far and bars since it."""
STATISTICS_CARRY = 11

STATISTICS_BLOCK = 1024
"""Bars whose mean is taken at once. A curve may be cut at multiples of it without changing a bit."""


_STRETCH = 64


@kernel
def bar_returns(equity, initial, out):
    """Simple returns of equity[0:n] into out[0:n], the first against `initial`; 0 where there was nothing to lose."""
    n = equity.shape[0]
    if n == 0:
        return
    out[0] = equity[0] / initial - 1.0 if initial > 0.0 else 0.0
    before, after, r = equity[: n - 1], equity[1:], out[1:n]
    for k in range(n - 1):
        r[k] = after[k] / before[k] - 1.0 if before[k] > 0.0 else 0.0


@kernel
def _add_block(returns, out):
    """Merge a block of returns into the running mean and squares (Chan, Golub and LeVeque 1983)."""
    n = returns.shape[0]
    mean = sum_from(returns, 0.0) / n
    squares0 = squares1 = squares2 = squares3 = 0.0
    down0 = down1 = down2 = down3 = 0.0
    gain0 = gain1 = gain2 = gain3 = 0.0
    loss0 = loss1 = loss2 = loss3 = 0.0
    whole = n // 4 * 4
    for k in range(0, whole, 4):
        r0, r1, r2, r3 = returns[k], returns[k + 1], returns[k + 2], returns[k + 3]
        squares0 += (r0 - mean) * (r0 - mean)
        squares1 += (r1 - mean) * (r1 - mean)
        squares2 += (r2 - mean) * (r2 - mean)
        squares3 += (r3 - mean) * (r3 - mean)
        n0, n1, n2, n3 = min(r0, 0.0), min(r1, 0.0), min(r2, 0.0), min(r3, 0.0)
        down0 += n0 * n0
        down1 += n1 * n1
        down2 += n2 * n2
        down3 += n3 * n3
        gain0 += r0 - n0
        gain1 += r1 - n1
        gain2 += r2 - n2
        gain3 += r3 - n3
        loss0 -= n0
        loss1 -= n1
        loss2 -= n2
        loss3 -= n3
    squares = (squares0 + squares2) + (squares1 + squares3)
    down = (down0 + down2) + (down1 + down3)
    gain = (gain0 + gain2) + (gain1 + gain3)
    loss = (loss0 + loss2) + (loss1 + loss3)
    for k in range(whole, n):
        r = returns[k]
        squares += (r - mean) * (r - mean)
        low = min(r, 0.0)
        down += low * low
        gain += r - low
        loss -= low
    seen = out[RETURNS]
    total = seen + n
    gap = mean - out[MEAN]
    out[MEAN] += gap * (n / total)
    out[SQUARES] += squares + gap * gap * (seen * n / total)
    out[DOWNSIDE_SQUARES] += down
    out[GAINS] += gain
    out[LOSSES] += loss
    out[RETURNS] = total


@kernel
def start_statistics(initial, carry):
    """Set the carry (float64[STATISTICS_CARRY]) to what it is before the first bar of a curve begun with `initial`."""
    carry[:] = 0.0
    carry[DEEPEST] = 1.0
    carry[BEFORE] = carry[PEAK] = initial


@kernel
def _advance_drawdown(values, peak, age, deepest, longest):
    """Take in a stretch of the curve. One that stays under the peak is told by its ends, which vectorises."""
    top, bottom = -np.inf, np.inf
    for value in values:
        top = value if value > top else top
        bottom = value if value < bottom else bottom
    if top < peak:
        return peak, age + values.shape[0], min(deepest, bottom / peak), longest
    for value in values:
        if value >= peak:
            longest = age if age > longest else longest
            peak, age = value, 0.0
        else:
            age += 1.0
            deepest = min(deepest, value / peak)
    return peak, age, deepest, longest


@kernel(allocates=True)
def advance_statistics(equity, carry):
    """Take in the next bars of a curve (float64[n], money); n is a multiple of STATISTICS_BLOCK but at the end.

    A drawdown is as long as the bars in a row that are under the peak before them.
    """
    returns = np.empty(STATISTICS_BLOCK)
    peak, age, deepest, longest = carry[PEAK], carry[AGE], carry[DEEPEST], carry[LONGEST]
    for start in range(0, equity.shape[0], STATISTICS_BLOCK):
        block = equity[start : start + STATISTICS_BLOCK]
        row = returns[: block.shape[0]]
        bar_returns(block, carry[BEFORE], row)
        _add_block(row, carry)
        carry[BEFORE] = block[block.shape[0] - 1]
        for first in range(0, block.shape[0], _STRETCH):
            peak, age, deepest, longest = _advance_drawdown(
                block[first : first + _STRETCH], peak, age, deepest, longest
            )
    carry[PEAK], carry[AGE], carry[DEEPEST], carry[LONGEST] = peak, age, deepest, longest


BELOW, AT_LOW, ABOVE, AT_HIGH = range(4)
TAIL_COUNTS = 4


@kernel
def collect_tails(returns, low, high, lows, highs, counts):
    """Append returns under `low` to lows, and minus those over `high` to highs; count them and those at the bounds.

    lows, highs: float64[·], counts: int64[TAIL_COUNTS]. Returns whether there is room for as many returns again: the
    caller stops where there is not.
    """
    below, above, at_low, at_high = counts[BELOW], counts[ABOVE], counts[AT_LOW], counts[AT_HIGH]
    for value in returns:
        lows[below] = value
        highs[above] = -value
        below += value < low
        above += value > high
        at_low += value == low
        at_high += value == high
    counts[BELOW], counts[ABOVE], counts[AT_LOW], counts[AT_HIGH] = below, above, at_low, at_high
    return max(below, above) + returns.shape[0] < lows.shape[0]
