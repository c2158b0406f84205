"""Combinatorially symmetric cross-validation: each half of the blocks of a history against the other half.

Bailey, Borwein, López de Prado and Zhu 2017, J. Computational Finance 20(4), section 2. A row is one trial. Of its bar
returns each block keeps the number, the mean and the sum of squared deviations, which merge (Chan, Golub and LeVeque
1983, The American Statistician 37(3)); so a split costs two merges, however many bars there are.

A split is the set of blocks that are in sample, as bits. Splits stand in rising order of their bits, so that the blocks
out of sample of split k are those in sample of split count - 1 - k: one score a split serves both sides.
"""

import numpy as np

from ._jit import kernel

COUNT, MEAN, SQUARES = range(3)
"""Number of bar returns; their mean; sum of squares about it."""
BLOCK_MOMENTS = 3


@kernel
def _bits_of(number):
    bits = 0
    while number:
        bits += number & 1
        number >>= 1
    return bits


@kernel
def _merge_blocks(blocks, out):
    """Moments of every set of some blocks, float64[BLOCK_MOMENTS, block] into float64[BLOCK_MOMENTS, set]."""
    out[:, 0] = 0.0
    for block in range(blocks.shape[1]):
        first = 1 << block
        for rest in range(first):
            count = out[COUNT, rest] + blocks[COUNT, block]
            share = blocks[COUNT, block] / count
            gap = blocks[MEAN, block] - out[MEAN, rest]
            out[COUNT, first + rest] = count
            out[MEAN, first + rest] = out[MEAN, rest] + gap * share
            out[SQUARES, first + rest] = (
                out[SQUARES, rest] + blocks[SQUARES, block] + gap * gap * (out[COUNT, rest] * share)
            )


@kernel
def _order_by_size(order, starts):
    """Sets by their size, rising within one; those of `size` stand at starts[size]:starts[size + 1] of `order`."""
    at = 0
    for size in range(starts.shape[0] - 1):
        starts[size] = at
        for bits in range(order.shape[0]):
            if _bits_of(bits) == size:
                order[at] = bits
                at += 1
    starts[-1] = at


@kernel
def _score(count, mean, squares, lower, scores):
    """Sharpe ratios of one upper set merged with each of some lower ones; 0 where nothing was earned or lost.

    A ratio without deviation is infinite. lower: float64[BLOCK_MOMENTS, set]; scores: float64[set].
    """
    counts, means, about = lower[COUNT], lower[MEAN], lower[SQUARES]
    for k in range(scores.shape[0]):
        n = counts[k] + count
        share = count / n
        gap = mean - means[k]
        merged = means[k] + gap * share
        variance = (about[k] + squares + gap * gap * (counts[k] * share)) / (n - 1.0)
        scores[k] = merged / np.sqrt(variance) if merged != 0.0 else 0.0


@kernel
def _score_splits(blocks, order, starts, lower, upper, grouped, scores):
    """Sharpe ratio (per bar, ddof 1) of a row in each half of its blocks; the arrays after `starts` are scratch."""
    half = blocks.shape[1] // 2
    _merge_blocks(blocks[:, :half], lower)
    _merge_blocks(blocks[:, half:], upper)
    for k in range(order.shape[0]):
        for moment in range(BLOCK_MOMENTS):
            grouped[moment, k] = lower[moment, order[k]]
    at = 0
    for bits in range(upper.shape[1]):
        size = half - _bits_of(bits)
        first, last = starts[size], starts[size + 1]
        _score(
            upper[COUNT, bits], upper[MEAN, bits], upper[SQUARES, bits],
            grouped[:, first:last], scores[at : at + last - first],
        )  # fmt: skip
        at += last - first


@kernel(allocates=True)
def choose_in_sample(moments, start, stop, in_sample, out_of_sample, chosen):
    """Take in rows start..stop: the best row of each split in sample, its score there, and its score out of sample.

    moments: float64[row, BLOCK_MOMENTS, block], an even number of blocks; in_sample, out_of_sample: float64[split],
    chosen: int64[split], NaN and -1 before row 0. Of rows that are equal the first is chosen.
    """
    half, splits = moments.shape[2] // 2, chosen.shape[0]
    order, starts = np.empty(1 << half, np.int64), np.empty(half + 2, np.int64)
    _order_by_size(order, starts)
    scratch, scores = np.empty((3, BLOCK_MOMENTS, 1 << half)), np.empty(splits)
    for row in range(start, stop):
        _score_splits(moments[row], order, starts, scratch[0], scratch[1], scratch[2], scores)
        for k in range(splits):
            if not scores[k] <= in_sample[k]:  # true before the first row
                in_sample[k], out_of_sample[k], chosen[k] = scores[k], scores[splits - 1 - k], row


@kernel(allocates=True)
def rank_out_of_sample(moments, start, stop, out_of_sample, below, equal):
    """Count the rows start..stop that do worse out of sample than the chosen one of each split, and as well as it.

    moments as in `choose_in_sample`, out_of_sample: float64[split] from it; below, equal: int64[split], zeros before
    row 0. The chosen row is equal to itself.
    """
    half, splits = moments.shape[2] // 2, out_of_sample.shape[0]
    order, starts = np.empty(1 << half, np.int64), np.empty(half + 2, np.int64)
    _order_by_size(order, starts)
    scratch, scores = np.empty((3, BLOCK_MOMENTS, 1 << half)), np.empty(splits)
    for row in range(start, stop):
        _score_splits(moments[row], order, starts, scratch[0], scratch[1], scratch[2], scores)
        for k in range(splits):
            score = scores[splits - 1 - k]
            below[k] += score < out_of_sample[k]
            equal[k] += score == out_of_sample[k]
