"""One engine over all instruments of a schedule, whose bars lie in separate arrays.

A call from Python for each of a thousand cells costs milliseconds; a bar of an engine takes a tenth of a microsecond.
`legs` is a book, int64[instrument × LEG_PAGES, PAGE], of each instrument's bars; see `kernels.book`.
"""

import numpy as np

from .._jit import kernel
from ..book import floats_at, ints_at
from ..columns import BAR_COLUMNS, SECONDARY_CLOSE, SECONDARY_DELAY_MS
from ..moments import NUMBER
from .by_number import advance_numbered

LEG = {
    "values": ("float64", 2),
    "closes_us": ("int64", 1),
    "numbers": ("int64", 1),
    "other_closes": ("float64", 1),
    "other_closes_us": ("int64", 1),
    "pair": ("float64", 2),
    "span": ("int64", 1),
}
"""Pages of an instrument: its bars, and where pairs are traded, the second venue's; `pair`, float64[PAIR_COLUMNS, ·],
where the two are laid side by side (without an address: no pair), and `span`, int64[3]: the bars that lie there, from
and to, and how many before the first one are wanted."""
LEG_PAGES = 7
_VALUES, _CLOSES_US, _NUMBERS, _OTHER_CLOSES, _OTHER_CLOSES_US, _PAIR, _SPAN = range(LEG_PAGES)


@kernel
def count_closed(closes_us, start, now_us):
    """How many bars are closed at an instant, of which `start` are known to be."""
    stop = closes_us.shape[0]
    while start < stop:
        middle = (start + stop) // 2
        if closes_us[middle] <= now_us:
            start = middle + 1
        else:
            stop = middle
    return start


@kernel
def _end_of_run(numbers, start, stop):
    """Where the run of consecutive bars ends that begins at `start`; not after `stop`."""
    if numbers[stop - 1] - numbers[start] == stop - 1 - start:
        return stop
    end = start + 1
    while numbers[end] - numbers[end - 1] == 1:
        end += 1
    return end


@kernel
def lay_pair(bars, closes_us, other_closes, other_closes_us, start, stop, span, pair):
    """Lay the second venue's last known closes beside bars up to `stop`; returns the bar that `pair` begins with.

    See `engine.pairing.Pair`. span: what lies there now, which schedules share.
    """
    first = max(start - span[2], 0)
    if span[0] == first and span[1] == stop:
        return first
    for column in range(BAR_COLUMNS):
        source, row = bars[column, first:stop], pair[column, : stop - first]
        for k in range(row.shape[0]):
            row[k] = source[k]
    seen = count_closed(other_closes_us, 0, closes_us[first])
    for bar in range(first, stop):
        while seen < other_closes_us.shape[0] and other_closes_us[seen] <= closes_us[bar]:
            seen += 1
        known = seen > 0
        pair[SECONDARY_CLOSE, bar - first] = other_closes[seen - 1] if known else np.nan
        pair[SECONDARY_DELAY_MS, bar - first] = (closes_us[bar] - other_closes_us[seen - 1]) / 1e3 if known else np.nan
    span[0], span[1] = first, stop
    return first


@kernel(inlined=True)
def _advance_bars(number, legs, i, params, carry, out, start, stop):
    """Bars start..stop of instrument i, given to columns from 1 on; cut at gaps: only there does the number jump."""
    page, first, begin = i * LEG_PAGES, 0, start
    bars, numbers = floats_at(legs, page + _VALUES, 2), ints_at(legs, page + _NUMBERS, 1)
    if legs[page + _PAIR, 0] != 0 and start < stop:
        pair = floats_at(legs, page + _PAIR, 2)
        first = lay_pair(
            bars, ints_at(legs, page + _CLOSES_US, 1), floats_at(legs, page + _OTHER_CLOSES, 1),
            ints_at(legs, page + _OTHER_CLOSES_US, 1), start, stop, ints_at(legs, page + _SPAN, 1), pair,
        )  # fmt: skip
        bars = pair
    while start < stop:
        end = _end_of_run(numbers, start, stop)
        carry[NUMBER] = numbers[start]
        advance_numbered(number, bars, params, carry, out, start - first, end - first, 1 + start - begin)
        start = end


@kernel(inlined=True)
def advance_rows(number, legs, params, carries, outs, stops, advanced, traded, places, closes_us):
    """Advance an engine over the bars of all instruments that are closed at the columns of a block.

    params: float64[instrument, ·]; carries: float64[instrument, carry]; outs: float64[instrument, row, ·], written from
    column 1 on; stops: int64[instrument], bars that were seen, moved on; advanced: int64[instrument], columns written;
    traded: int64[instrument], 0 where nothing is to be done; closes_us: int64[column - 1], when each column after the
    first closes; places: int64[instrument, column], the column of `outs` that each sees, from 1 on written here;
    without columns where each is the next bar of every instrument.
    """
    for i in range(traded.shape[0]):
        advanced[i] = 0
        if traded[i] == 0:
            continue
        start = stop = stops[i]
        if places.shape[1] == 0:
            stop = start + closes_us.shape[0]
        else:
            closed = ints_at(legs, i * LEG_PAGES + _CLOSES_US, 1)
            for c in range(closes_us.shape[0]):
                while stop < closed.shape[0] and closed[stop] <= closes_us[c]:
                    stop += 1
                places[i, 1 + c] = stop - start
        _advance_bars(number, legs, i, params[i], carries[i], outs[i], start, stop)
        stops[i], advanced[i] = stop, stop - start


@kernel(inlined=True)
def skip_rows(number, legs, params, carries, outs, tails, stops, traded, until_us, block):
    """Advance an engine over all bars that are closed at an instant, `block` at a time, keeping what it gave last.

    tails: float64[instrument, row], what it gave last; the rest as in `advance_rows`.
    """
    for i in range(traded.shape[0]):
        if traded[i] == 0:
            continue
        until = count_closed(ints_at(legs, i * LEG_PAGES + _CLOSES_US, 1), stops[i], until_us)
        while stops[i] < until:
            stop = min(stops[i] + block, until)
            _advance_bars(number, legs, i, params[i], carries[i], outs[i], stops[i], stop)
            for row in range(outs.shape[1]):
                tails[i, row] = outs[i, row, stop - stops[i]]
            stops[i] = stop
