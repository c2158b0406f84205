"""Bar returns, and the statistics of an equity curve as one pass over it, a block at a time."""

from ._jit import kernel
from .block_sums import WIDTH, block_losses, block_range, block_squares, block_sum
from .moments import squares_from, sum_from

RETURNS, MEAN, SQUARES, DOWNSIDE_SQUARES, GAINS, LOSSES, DEEPEST, LONGEST, BEFORE, PEAK, AGE, TOTAL = range(12)
"""Number of bar returns; their mean; sum of squares about it; sum of squares of the negative ones; sum of the positive
and of the negative ones (as a positive number); least equity as a share of the peak before it; longest drawdown that
is over, in bars; equity of the bar before; peak so far and bars since it; sum of equity."""
STATISTICS_CARRY = 12

STATISTICS_BLOCK = 1024
"""Bars whose mean is taken at once. A curve may be cut at multiples of it without changing a bit."""

STATISTICS_SCRATCH = STATISTICS_BLOCK + 2 * WIDTH
"""Room for a block's returns, and for two columns of sums."""


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
def _merge(mean, squares, n, carry):
    """Merge the mean of `n` values, and the sum of squares about it, into the first three slots of a carry.

    Chan, Golub and LeVeque (1983), The American Statistician 37(3).
    """
    gap, seen = mean - carry[MEAN], carry[RETURNS]
    carry[RETURNS] = seen + n
    carry[MEAN] += gap * (n / (seen + n))
    carry[SQUARES] += squares + gap * gap * (seen * n / (seen + n))


@kernel
def add_moments(returns, carry):
    """Merge returns into count, mean and squares, the first three slots of a carry."""
    mean = sum_from(returns, 0.0) / returns.shape[0]
    _merge(mean, squares_from(returns, mean), returns.shape[0], carry)


@kernel
def _add_block(returns, one, other, carry):
    """Take in a block of returns. one, other: scratch, float64[WIDTH]."""
    total = block_sum(returns, one)
    mean = total / returns.shape[0]
    _merge(mean, block_squares(returns, mean, one), returns.shape[0], carry)
    lost, squares = block_losses(returns, one, other)
    carry[DOWNSIDE_SQUARES] += squares
    carry[GAINS] += total - lost
    carry[LOSSES] -= lost


@kernel(shared=True)
def start_statistics(initial, carry):
    """Set the carry (float64[STATISTICS_CARRY]) to what it is before the first bar of a curve begun with `initial`."""
    carry[:] = 0.0
    carry[DEEPEST] = 1.0
    carry[BEFORE] = carry[PEAK] = initial


@kernel
def _advance_drawdown(values, one, other, carry):
    """Take in a block of the curve. One that stays under the peak is told by its least value."""
    peak, age, deepest, longest = carry[PEAK], carry[AGE], carry[DEEPEST], carry[LONGEST]
    least, greatest = block_range(values, one, other)
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

    scratch: float64[STATISTICS_SCRATCH]. A drawdown is as long as the bars in a row that are under the peak before
    them.
    """
    one, other = scratch[STATISTICS_BLOCK : STATISTICS_BLOCK + WIDTH], scratch[STATISTICS_BLOCK + WIDTH :]
    for start in range(0, equity.shape[0], STATISTICS_BLOCK):
        block = equity[start : start + STATISTICS_BLOCK]
        n = block.shape[0]
        returns = scratch[:n]
        bar_returns(block, carry[BEFORE], returns)
        _add_block(returns, one, other, carry)
        _advance_drawdown(block, one, other, carry)
        carry[BEFORE] = block[n - 1]
        carry[TOTAL] += block_sum(block, one)


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
