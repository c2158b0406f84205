"""Sums over a block that lies in the first-level cache.

A sum in one chain waits for each addition before the next. Here a block is read as rows of `WIDTH` values, four rows at
a time, and added up by column: no column waits for another, and four values share one load and store of their sum. The
columns are added last, with the values that make up no four rows. `column` is always scratch, float64[WIDTH].
"""

import numpy as np

from ._jit import kernel
from .moments import squares_from, sum_from

WIDTH = 64
_FOUR = 4 * WIDTH


@kernel
def _rows(values, start, width):
    """Four rows from `start` on."""
    second, third, fourth, end = start + width, start + 2 * width, start + 3 * width, start + 4 * width
    return values[start:second], values[second:third], values[third:fourth], values[fourth:end]


@kernel
def block_sum(values, column):
    """Sum of the values."""
    whole = values.shape[0] // _FOUR * _FOUR
    column[:] = 0.0
    for start in range(0, whole, _FOUR):
        a, b, c, d = _rows(values, start, WIDTH)
        for k in range(WIDTH):
            column[k] += (a[k] + b[k]) + (c[k] + d[k])
    return sum_from(column, 0.0) + sum_from(values[whole:], 0.0)


@kernel
def block_squares(values, centre, column):
    """Sum of (values - centre)²."""
    whole = values.shape[0] // _FOUR * _FOUR
    column[:] = 0.0
    for start in range(0, whole, _FOUR):
        a, b, c, d = _rows(values, start, WIDTH)
        for k in range(WIDTH):
            p, q, r, s = a[k] - centre, b[k] - centre, c[k] - centre, d[k] - centre
            column[k] += (p * p + q * q) + (r * r + s * s)
    return sum_from(column, 0.0) + squares_from(values[whole:], centre)


@kernel
def _loss(value):
    return value if value < 0.0 else 0.0


@kernel
def block_losses(returns, column, squares):
    """Sum of the negative returns, and of their squares. squares: scratch as `column`."""
    whole = returns.shape[0] // _FOUR * _FOUR
    column[:], squares[:] = 0.0, 0.0
    for start in range(0, whole, _FOUR):
        a, b, c, d = _rows(returns, start, WIDTH)
        for k in range(WIDTH):
            p, q, r, s = _loss(a[k]), _loss(b[k]), _loss(c[k]), _loss(d[k])
            column[k] += (p + q) + (r + s)
            squares[k] += (p * p + q * q) + (r * r + s * s)
    lost, squared = sum_from(column, 0.0), sum_from(squares, 0.0)
    for value in returns[whole:]:
        lost += _loss(value)
        squared += _loss(value) * _loss(value)
    return lost, squared


@kernel
def _less(value, least):
    return value if value < least else least  # NaN is not less


@kernel
def _more(value, greatest):
    return value if value > greatest else greatest


@kernel
def _range_of_columns(lowest, highest):
    """Least of one and greatest of the other, four side by side: in one chain each would wait for the one before."""
    quarter = WIDTH // 4
    a, b, c, d = _rows(lowest, 0, quarter)
    e, f, g, h = _rows(highest, 0, quarter)
    for k in range(quarter):
        a[k] = _less(_less(a[k], b[k]), _less(c[k], d[k]))
        e[k] = _more(_more(e[k], f[k]), _more(g[k], h[k]))
    least, greatest = a[0], e[0]
    for k in range(1, quarter):
        least, greatest = _less(a[k], least), _more(e[k], greatest)
    return least, greatest


@kernel
def block_range(values, column, highest):
    """Least and greatest of the values; NaN is neither. highest: scratch as `column`."""
    whole = values.shape[0] // _FOUR * _FOUR
    column[:], highest[:] = np.inf, -np.inf
    for start in range(0, whole, _FOUR):
        a, b, c, d = _rows(values, start, WIDTH)
        for k in range(WIDTH):
            column[k] = _less(d[k], _less(c[k], _less(b[k], _less(a[k], column[k]))))
            highest[k] = _more(d[k], _more(c[k], _more(b[k], _more(a[k], highest[k]))))
    least, greatest = _range_of_columns(column, highest)
    for value in values[whole:]:
        least, greatest = _less(value, least), _more(value, greatest)
    return least, greatest
