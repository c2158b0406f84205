"""What engines gave, laid onto the columns of a block."""

from .._jit import kernel
from ..columns import CONFIDENCE, TARGET


@kernel
def lay_out(outs, tails, places, advanced, traded, measures, sizes, s, width, wishes, confidence, means, counts):
    """Write wishes and confidence of one schedule, and means of its rows, to the first `width` columns of a block.

    outs: float64[instrument, row, ·], what its engine gave, from column 1 on; tails: float64[instrument, row], what it
    gave last before the block, which goes to column 0 and is kept for the next one; advanced: int64[instrument],
    columns that it gave; places: int64[instrument, column], the column of `outs` that a column of the block sees, and
    no columns where that is the same one; traded: int64[instrument], 1 where it trades there; measures, sizes:
    int64[measure], the row that is averaged over instruments (-1: the engine has none), and 1 where its size is.
    wishes, confidence: float64[schedule, instrument, ·]; means: float64[measure, schedule, ·]; counts: float64[·],
    scratch.
    """
    for i in range(outs.shape[0]):
        if traded[i] == 0:
            continue
        for row in range(outs.shape[1]):
            outs[i, row, 0], tails[i, row] = tails[i, row], outs[i, row, advanced[i]]
            if advanced[i] == 0:
                tails[i, row] = outs[i, row, 0]
        _lay_row(outs[i, TARGET], places[i], wishes[s, i, :width])
        _lay_row(outs[i, CONFIDENCE], places[i], confidence[s, i, :width])
    for m in range(measures.shape[0]):
        _average(outs, places, traded, measures[m], sizes[m] != 0, means[m, s, :width], counts)


@kernel
def _lay_row(row, places, dest):
    """Two plain loops: with the choice inside, neither is made a loop over vectors."""
    if places.shape[0] == 0:
        for c in range(dest.shape[0]):
            dest[c] = row[c]
    else:
        for c in range(dest.shape[0]):
            dest[c] = row[places[c]]


@kernel
def _average(outs, places, traded, row, of_size, mean, counts):
    """Mean of a row over the instruments that give a number; NaN where none does."""
    for c in range(mean.shape[0]):
        mean[c] = counts[c] = 0.0
    if row >= 0:
        for i in range(outs.shape[0]):
            if traded[i] == 0:
                continue
            values = outs[i, row]
            for c in range(mean.shape[0]):
                value = values[places[i, c] if places.shape[1] > 0 else c]
                value = abs(value) if of_size else value
                known = value == value
                mean[c] += value if known else 0.0
                counts[c] += 1.0 if known else 0.0
    for c in range(mean.shape[0]):
        mean[c] = mean[c] / counts[c]  # 0 / 0 is NaN
