"""Bar returns, and the statistics of an equity curve as one pass over it, a block at a time."""

import numpy as np

from ._jit import kernel
from .moments import squares_from, sum_from

RETURNS, MEAN, SQUARES, DOWNSIDE_SQUARES, GAINS, LOSSES, DEEPEST, LONGEST, BEFORE, PEAK, AGE, TOTAL = range(12)
"""Number of bar returns; their mean; sum of squares about it; sum of squares of the negative ones; sum of the positive
and of the negative ones (as a positive number); least equity as a share of the peak before it; longest drawdown that
is over, in bars; equity of the bar before; peak so far and bars since it; sum of equity."""
STATISTICS_CARRY = 12

STATISTICS_BLOCK = 1024
"""Bars whose mean is taken at once. A curve may be cut at multiples of it without changing a bit."""

STATISTICS_WIDTH = 64
"""Values side by side in a search for the least and the greatest: in one chain each waits for the one before."""


@kernel(shared=True)
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
def add_moments(returns, carry):
    """Merge returns into count, mean and squares, the first three slots of a carry; returns their sum.

    Chan, Golub and LeVeque (1983), The American Statistician 37(3).
    """
    n = returns.shape[0]
    total = sum_from(returns, 0.0)
    mean, seen = total / n, carry[RETURNS]
    gap = mean - carry[MEAN]
    carry[RETURNS] = seen + n
    carry[MEAN] += gap * (n / (seen + n))
    carry[SQUARES] += squares_from(returns, mean) + gap * gap * (seen * n / (seen + n))
    return total


@kernel
def _add_block(returns, losses, carry):
    """Take in a block of returns; losses: scratch."""
    for k in range(returns.shape[0]):
        losses[k] = returns[k] if returns[k] < 0.0 else 0.0
    total, lost = add_moments(returns, carry), -sum_from(losses, 0.0)
    carry[DOWNSIDE_SQUARES] += squares_from(losses, 0.0)
    carry[GAINS] += total + lost
    carry[LOSSES] += lost


@kernel(shared=True)
def start_statistics(initial, carry):
    """Set the carry (float64[STATISTICS_CARRY]) to what it is before the first bar of a curve begun with `initial`."""
    carry[:] = 0.0
    carry[DEEPEST] = 1.0
    carry[BEFORE] = carry[PEAK] = initial


@kernel
def _range_of(values, low, high):
    """Least and greatest of the values. Rows of the scratch's length are folded into one, which vectorises."""
    low[:], high[:] = np.inf, -np.inf
    for start in range(0, values.shape[0], STATISTICS_WIDTH):
        row = values[start : start + STATISTICS_WIDTH]
        for k in range(row.shape[0]):
            low[k] = row[k] if row[k] < low[k] else low[k]
            high[k] = row[k] if row[k] > high[k] else high[k]
    least, greatest = np.inf, -np.inf
    for k in range(STATISTICS_WIDTH):
        least = low[k] if low[k] < least else least
        greatest = high[k] if high[k] > greatest else greatest
    return least, greatest


@kernel
def _advance_drawdown(values, low, high, carry):
    """Take in a block of the curve. One that stays under the peak is told by its least value."""
    peak, age, deepest, longest = carry[PEAK], carry[AGE], carry[DEEPEST], carry[LONGEST]
    least, greatest = _range_of(values, low, high)
    if greatest < peak:
        carry[AGE] = age + values.shape[0]
        carry[DEEPEST] = min(deepest, least / peak)
        return
    for value in values:
        if value >= peak:
            longest = age if age > longest else longest
            peak, age = value, 0.0
        else:
            age += 1.0
            deepest = min(deepest, value / peak)
    carry[PEAK], carry[AGE], carry[DEEPEST], carry[LONGEST] = peak, age, deepest, longest


@kernel(shared=True)
def advance_statistics(equity, scratch, carry):
    """Take in the next bars of a curve (float64[n], money); n is a multiple of STATISTICS_BLOCK but at the end.

    scratch: float64[2, STATISTICS_BLOCK + STATISTICS_WIDTH]. A drawdown is as long as the bars in a row that are under
    the peak before them.
    """
    low, high = scratch[0, STATISTICS_BLOCK:], scratch[1, STATISTICS_BLOCK:]
    for start in range(0, equity.shape[0], STATISTICS_BLOCK):
        block = equity[start : start + STATISTICS_BLOCK]
        n = block.shape[0]
        returns = scratch[0, :n]
        bar_returns(block, carry[BEFORE], returns)
        _add_block(returns, scratch[1, :n], carry)
        _advance_drawdown(block, low, high, carry)
        carry[BEFORE] = block[n - 1]
        carry[TOTAL] += sum_from(block, 0.0)


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
