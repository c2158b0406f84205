"""Rolling z-score of many columns at once: rows are bars, columns are instruments.

Whole rows are walked, so that one instruction serves several columns. A column gets the same bits as from
`rolling.zscore`: the steps of `moments` are taken in the same order, and a column that has no full window, or whose
sum of squares has fallen, leaves the row and is done by itself.
"""

import numpy as np

from ._jit import kernel
from .moments import (
    _FALL,
    FLOOR,
    MOMENTS_CARRY,
    NUMBER,
    OFFSET,
    REFERENCE,
    SEEN,
    SQUARES,
    UNTIL,
    _to_next_anchor,
    advance_moments,
    is_finite,
    squares_from,
    sum_from,
)

WIDE_CARRY = MOMENTS_CARRY
"""Rows of the carry, float64[WIDE_CARRY, column]; zeros before bar 0 but for [NUMBER, 0], the first bar's number."""

_LANES = 8


@kernel
def _restart_column(values, bar, column, window, carry, held):
    """One column's bar by itself: returns its z-score, NaN without a full window. held: float64[window]."""
    value = values[bar, column]
    if not is_finite(value):
        carry[SEEN, column] = 0.0
        return np.nan
    if carry[SEEN, column] + 1.0 < window:
        carry[SEEN, column] += 1.0
        return np.nan
    for k in range(window):
        held[k] = values[bar - window + 1 + k, column]
    reference = held[0]
    offset = sum_from(held, reference) / window
    squares = squares_from(held, reference + offset)
    carry[SEEN, column] = window
    carry[REFERENCE, column], carry[OFFSET, column] = reference, offset
    carry[SQUARES, column], carry[FLOOR, column] = squares, squares * _FALL
    return ((value - reference) - offset) / np.sqrt(squares * (1.0 / window))


@kernel
def _slide_row(entering, leaving, window, carry, z):
    """Slide every column; returns how many could not, whose z-score is then not to be used."""
    share = 1.0 / window
    rest = 1.0 - share
    seen, reference, offset = carry[SEEN], carry[REFERENCE], carry[OFFSET]
    squares, floor = carry[SQUARES], carry[FLOOR]
    unfit = 0
    for c in range(z.shape[0]):
        after, about, d = advance_moments(
            entering[c] - leaving[c], leaving[c] - reference[c], offset[c], squares[c], share, rest
        )
        fit = (about >= floor[c]) & (about < np.inf) & (seen[c] >= window)
        unfit += not fit
        seen[c] = seen[c] if fit else min(seen[c], window - 1.0)
        offset[c] = after
        squares[c] = about
        z[c] = d / np.sqrt(about * share)
    return unfit


@kernel
def _add_rows(values, first, whole, centre, squared, lanes):
    """Sums by lane of values - centre, or of its square, over rows first..first+whole: as in `moments.sum_from`."""
    lanes[:] = 0.0
    for k in range(whole):
        row, lane = values[first + k], lanes[k % _LANES]
        if squared:
            for c in range(row.shape[0]):
                d = row[c] - centre[c]
                lane[c] += d * d
        else:
            for c in range(row.shape[0]):
                lane[c] += row[c] - centre[c]


@kernel
def _window_sum(values, first, window, centre, squared, lanes, total):
    """Sum over a window of every column, into `total`, in the order of `moments.sum_from` and `squares_from`."""
    whole = window // _LANES * _LANES
    _add_rows(values, first, whole, centre, squared, lanes)
    for c in range(total.shape[0]):
        total[c] = ((lanes[0, c] + lanes[4, c]) + (lanes[2, c] + lanes[6, c])) + (
            (lanes[1, c] + lanes[5, c]) + (lanes[3, c] + lanes[7, c])
        )
    for k in range(whole, window):
        row = values[first + k]
        for c in range(total.shape[0]):
            d = row[c] - centre[c]
            total[c] += d * d if squared else d


@kernel
def _anchor_row(values, bar, window, carry, lanes, z):
    """Take an anchor in every column. One that has no full window is done by itself afterwards."""
    first = bar - window + 1
    opening, newest = values[first], values[bar]
    reference, offset, squares, floor = carry[REFERENCE], carry[OFFSET], carry[SQUARES], carry[FLOOR]
    _window_sum(values, first, window, opening, False, lanes, offset)
    share = 1.0 / window
    for c in range(z.shape[0]):
        reference[c] = opening[c]
        offset[c] = offset[c] / window
        z[c] = opening[c] + offset[c]
    _window_sum(values, first, window, z, True, lanes, squares)
    unfit = 0
    for c in range(z.shape[0]):
        floor[c] = squares[c] * _FALL
        z[c] = ((newest[c] - reference[c]) - offset[c]) / np.sqrt(squares[c] * share)
        unfit += not (carry[SEEN, c] >= window and is_finite(newest[c]))
    return unfit


@kernel
def _warm_row(row, seen, z):
    """A bar before any window can be full: count the finite ones."""
    for c in range(z.shape[0]):
        seen[c] = seen[c] + 1.0 if is_finite(row[c]) else 0.0
        z[c] = np.nan


@kernel(allocates=True)
def zscore_wide(values, window, carry, out, start, stop):
    """(value - mean) / standard deviation (ddof 0) over the last `window` rows of each column, into out[start:stop].

    values, out: float64[bar, column], C-contiguous, in any unit. A bar's number follows that of the bar before; the
    caller cuts at gaps and sets carry[NUMBER, 0] anew. NaN as in `rolling.zscore`.
    """
    columns = values.shape[1]
    held = np.empty(window)
    lanes = np.empty((_LANES, columns))
    for bar in range(start, stop):
        number = carry[NUMBER, 0]
        z = out[bar]
        if bar < window - 1:
            _warm_row(values[bar], carry[SEEN], z)
        else:
            due = number >= carry[UNTIL, 0] or bar == window - 1
            if bar == window - 1:
                for c in range(columns):
                    z[c] = _restart_column(values, bar, c, window, carry, held)
            elif due:
                if _anchor_row(values, bar, window, carry, lanes, z):
                    for c in range(columns):
                        if not (carry[SEEN, c] >= window and is_finite(values[bar, c])):
                            z[c] = _restart_column(values, bar, c, window, carry, held)
            elif _slide_row(values[bar], values[bar - window], window, carry, z):
                for c in range(columns):
                    if not carry[SEEN, c] >= window:
                        z[c] = _restart_column(values, bar, c, window, carry, held)
            if due:
                carry[UNTIL, 0] = number + 1.0 + _to_next_anchor(number, window)
        carry[NUMBER, 0] = number + 1.0
