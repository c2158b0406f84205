"""Rolling maximum and minimum, by the method that suits the length of the call.

Short windows over long calls double: the maxima of 1, 4, 16, … bars side by side, then two that overlap make the
window. Every pass is a vector loop in the first-level cache. Long windows, and calls for a few bars, go by van Herk's
blocks (van Herk 1992; Gil and Werman 1993): some three comparisons a bar whatever the window, one after another.

A maximum does not round, so both give the same bits and no state goes from call to call: only the last `window` values
are read again. A NaN in the window gives NaN and leaves with it; infinities are values like others; a zero comes out
without a sign.
"""

import numpy as np

from ._jit import kernel

_CHUNK = 512
"""Bars doubled at a time: with 1024 the rows no longer fit into 32 KB, and it takes half as long again."""
_LONGEST_DOUBLED, _FEWEST_DOUBLED = 256, 16


@kernel
def _greatest(values, sign):
    """Greatest of values × sign, -inf of none, in four lanes: one comparison waits for the one before."""
    a = b = c = d = -np.inf
    whole = values.shape[0] // 4 * 4
    for k in range(0, whole, 4):
        v, w, x, y = values[k] * sign, values[k + 1] * sign, values[k + 2] * sign, values[k + 3] * sign
        a = v if v > a else a
        b = w if w > b else b
        c = x if x > c else c
        d = y if y > d else d
    for value in values[whole:]:
        a = value * sign if value * sign > a else a
    a = b if b > a else a
    c = d if d > c else c
    return c if c > a else a


@kernel
def _mark_nans(seen, window, row):
    """Set row to NaN where one of the last `window` values is; seen[window - 1] belongs to row[0]."""
    found = 0
    for k in range(seen.shape[0]):
        found += seen[k] != seen[k]
    if found:
        last = -window
        for k in range(seen.shape[0]):
            if seen[k] != seen[k]:
                last = k
            if k >= window - 1 and k - last < window:
                row[k - window + 1] = np.nan


@kernel
def _widen(narrow, second, third, fourth, before, after, wide):
    """wide[k] = after × the greatest of before × narrow[k] and the ones `second`, `third` and `fourth` places on."""
    n = wide.shape[0]
    a, b, c, d = narrow[:n], narrow[second : second + n], narrow[third : third + n], narrow[fourth : fourth + n]
    for k in range(n):
        v, w, x, y = a[k] * before, b[k] * before, c[k] * before, d[k] * before
        p = v if v > w else w
        q = x if x > y else y
        wide[k] = (p if p > q else q) * after + 0.0


@kernel(allocates=True)
def _fill_by_doubling(values, start, window, sign, dest):
    """Bars start.. of `values`, as many as `dest` has; every one has a full window."""
    length = min(_CHUNK, dest.shape[0]) + window - 1
    one, two = np.empty(length), np.empty(length)
    for done in range(0, dest.shape[0], _CHUNK):
        row = dest[done : min(done + _CHUNK, dest.shape[0])]
        first = start + done - window + 1
        seen = values[first : start + done + row.shape[0]]
        narrow, wide, spare, before = seen, one, two, sign
        left, width = seen.shape[0], 1
        while 4 * width <= window:
            left -= 3 * width
            _widen(narrow, width, 2 * width, 3 * width, before, 1.0, wide[:left])
            narrow, wide, spare, before = wide, spare, wide, 1.0
            width *= 4
        rest = window - width  # under 3 · width: four overlapping stretches of `width` make the window
        _widen(narrow, min(width, rest), max(0, rest - width), rest, before, sign, row)
        _mark_nans(seen, window, row)


@kernel
def _fill_by_blocks(values, start, window, sign, dest):
    """Bars start.. of `values`, as many as `dest` has; every one has a full window.

    Within a block of `window` bars a window is the end of the block before and the beginning of this one. The
    maxima of the ends are laid down backwards in `dest`, those of the beginnings run over them forwards.
    """
    count = dest.shape[0]
    done = 0
    while done < count:
        first = start + done
        block = first // window * window
        row = dest[done : min(done + block + window - first, count)]
        n = row.shape[0]
        ends = values[first - window + 1 : block]
        both = min(n, ends.shape[0])
        row[both:] = -np.inf
        most = _greatest(ends[both:], sign)
        for k in range(both - 1, -1, -1):
            value = ends[k] * sign
            most = value if value > most else most
            row[k] = most
        most = _greatest(values[block:first], sign)
        inside = values[first : first + n]
        for k in range(n):
            value = inside[k] * sign
            most = value if value > most else most
            row[k] = (most if most > row[k] else row[k]) * sign + 0.0
        _mark_nans(values[first - window + 1 : first + n], window, row)
        done += n


@kernel
def fill_extreme(values, start, count, window, sign, dest):
    """Rolling maximum (sign 1.0) or minimum (sign -1.0) of bars start..start+count, written to dest[0:count]."""
    early = max(0, min(count, window - 1 - start))
    dest[:early] = np.nan
    row = dest[early:count]
    if window <= _LONGEST_DOUBLED and row.shape[0] >= _FEWEST_DOUBLED:
        _fill_by_doubling(values, start + early, window, sign, row)
    else:
        _fill_by_blocks(values, start + early, window, sign, row)


@kernel
def fill_prior_extreme(values, start, count, window, sign, dest):
    """The extreme of the `window` bars before each of start..start+count, written to dest[0:count]."""
    if start > 0:
        fill_extreme(values, start - 1, count, window, sign, dest)
    elif count > 0:
        dest[0] = np.nan
        fill_extreme(values, 0, count - 1, window, sign, dest[1:])


@kernel
def rolling_max(values, window, out, start, stop):
    """Greatest of the last `window` values, in their unit; NaN until there are `window` bars.

    values, out: float64[n], C-contiguous. Reads values[start - window + 1 : stop], writes out[start:stop].
    """
    fill_extreme(values, start, stop - start, window, 1.0, out[start:stop])


@kernel
def rolling_min(values, window, out, start, stop):
    """Least of the last `window` values, in their unit; NaN until there are `window` bars. As `rolling_max`."""
    fill_extreme(values, start, stop - start, window, -1.0, out[start:stop])
