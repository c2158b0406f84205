"""Bars that are still coming: those of an instant are put behind what has come, and joined into longer ones.

Tables of one interval: opens_us, closes_us, numbers: int64[leg, room]; values: float64[leg, column, room]; counts:
int64[leg, 2], how many bars have come, and how many runs of consecutive ones; starts: int64[leg, room], where these
begin.
"""

import numpy as np

from ._jit import kernel
from .book import floats_at, ints_at
from .columns import CLOSE, HIGH, LOW, OPEN, RETURN, VOLUME
from .returns import log_ratio

BARS, RUNS = 0, 1
"""Of `counts`."""

ALL_FIT, NO_ROOM = -1, -2
"""In place of a bar that is not fit to trade on."""

_NONE_OPEN, _NEVER = -1, 2**63 - 1
TOLD = VOLUME + 1
"""Columns that are told: all but the return."""

LATEST = 2
"""Columns of a panel whose prices are at hand."""


@kernel
def _is_fit(row):
    """Whether open, high, low, close and volume can be those of a bar."""
    opening, high, low, close = row[OPEN], row[HIGH], row[LOW], row[CLOSE]
    if not (low > 0.0 and high < np.inf) or row[VOLUME] < 0.0:
        return False
    return low <= opening and low <= close and opening <= high and close <= high


@kernel
def _add_bar(leg, open_us, length_us, row, opens_us, closes_us, numbers, values, counts, starts):
    at = counts[leg, BARS]
    own = values[leg]
    opens_us[leg, at], closes_us[leg, at], numbers[leg, at] = open_us, open_us + length_us, open_us // length_us
    for column in range(TOLD):
        own[column, at] = row[column]
    own[RETURN, at] = log_ratio(own[CLOSE, at - 1], own[CLOSE, at]) if at > 0 else np.nan
    if at == 0 or numbers[leg, at] - numbers[leg, at - 1] != 1:
        starts[leg, counts[leg, RUNS]] = at
        counts[leg, RUNS] += 1
    counts[leg, BARS] = at + 1


@kernel
def add_bars(open_us, length_us, legs, rows, opens_us, closes_us, numbers, values, counts, starts):
    """Add the bars that opened at an instant: all of them, or none.

    legs: int64[bar]; rows: float64[bar, column], what was told of them. Returns the first that does not open after the
    last one of its leg, or is not fit to trade on; NO_ROOM where a leg has no room, ALL_FIT where they were added.
    """
    for k in range(legs.shape[0]):
        leg = legs[k]
        at = counts[leg, BARS]
        if (at > 0 and open_us <= opens_us[leg, at - 1]) or not _is_fit(rows[k]):
            return k
        if at == opens_us.shape[1]:
            return NO_ROOM
    for k in range(legs.shape[0]):
        _add_bar(legs[k], open_us, length_us, rows[k], opens_us, closes_us, numbers, values, counts, starts)
    return ALL_FIT


@kernel
def _see_column(column, open_us, opens_us, values, counts, places, latest):
    """Lay out the last bars that have come on a column of the panel.

    The close stands for as long as nothing comes after it, the rest is NaN where a leg has no bar.
    """
    for leg in range(counts.shape[0]):
        place = counts[leg, BARS] - 1
        places[leg, column] = place
        has_bar = place >= 0 and opens_us[leg, place] == open_us
        for price in range(latest.shape[1]):
            for k in range(LATEST - 1):
                latest[leg, price, k] = latest[leg, price, k + 1]
            is_known = has_bar or (price == CLOSE and place >= 0)
            latest[leg, price, LATEST - 1] = values[leg, price, place] if is_known else np.nan


PANEL = {
    "opens_us": ("int64", 2),
    "closes_us": ("int64", 2),
    "numbers": ("int64", 2),
    "values": ("float64", 3),
    "counts": ("int64", 2),
    "starts": ("int64", 2),
    "column_opens_us": ("int64", 1),
    "column_closes_us": ("int64", 1),
    "column_numbers": ("int64", 1),
    "places": ("int64", 2),
    "latest": ("float64", 3),
}
"""Pages of a panel that grows: its table; int64[column], times and numbers of its columns; places, int64[leg, column],
of each leg's last bar; latest, float64[leg, price, LATEST], the prices of the last columns that have come."""


@kernel
def add_column(panel, column, open_us, length_us, legs, rows):
    """Add the bars that opened at an instant, and lay them out on a column; where one is kept out, nothing is done.

    panel: int64[page, PAGE], a row for each of `PANEL`; the rest, and what is returned, as in `add_bars`.
    """
    opens_us, values, counts = ints_at(panel, 0, 2), floats_at(panel, 3, 3), ints_at(panel, 4, 2)
    unfit = add_bars(
        open_us, length_us, legs, rows, opens_us, ints_at(panel, 1, 2), ints_at(panel, 2, 2), values, counts,
        ints_at(panel, 5, 2),
    )  # fmt: skip
    if unfit == ALL_FIT:
        ints_at(panel, 6, 1)[column] = open_us
        ints_at(panel, 7, 1)[column] = open_us + length_us
        ints_at(panel, 8, 1)[column] = open_us // length_us
        _see_column(column, open_us, opens_us, values, counts, ints_at(panel, 9, 2), floats_at(panel, 10, 3))
    return unfit


@kernel
def fill_columns(panel, count, first, stop, before, origin, prices, columns):
    """Lay columns `first` to `stop` of a panel on those of a block from `before` on; nothing is known after the last.

    count: how many have come; the last LATEST of them may be wanted. prices: float64[leg, price, ·]; columns:
    int64[2, ·], number, and place from `origin` on.
    """
    numbers, latest = ints_at(panel, 8, 1), floats_at(panel, 10, 3)
    for k in range(before, prices.shape[2]):
        column = first + k - before
        if column < stop:
            columns[0, k], columns[1, k] = numbers[column], column - origin
        back = column - count + LATEST
        for leg in range(prices.shape[0]):
            for price in range(prices.shape[1]):
                prices[leg, price, k] = latest[leg, price, back] if back < LATEST else np.nan


@kernel
def _join(row, values, at):
    """Take a bar into a longer one; what is no number is passed over."""
    row[OPEN] = values[OPEN, at] if row[OPEN] != row[OPEN] else row[OPEN]
    row[HIGH] = max(row[HIGH], values[HIGH, at])
    row[LOW] = min(row[LOW], values[LOW, at])
    row[CLOSE] = values[CLOSE, at]
    more = values[VOLUME, at]
    if more == more:
        row[VOLUME] = more if row[VOLUME] != row[VOLUME] else row[VOLUME] + more


@kernel
def join_bars(
    now_us, length_us, origin_us, base_opens_us, base_values, base_counts, taken, unfinished, rows,
    opens_us, closes_us, numbers, values, counts, starts,
):  # fmt: skip
    """Join bars that have come into longer ones, and add those that have ended, by the rule of `engine.joining`.

    now_us: everything that closes by then is among the shorter bars; base_opens_us, base_values, base_counts: these;
    taken: int64[leg], how many of them were taken in; unfinished: int64[leg], when the longer bar opened that is not
    ended (negative: none); rows: float64[leg, column], what it has been until now. Returns when the next one ends.
    """
    following = _NEVER
    for leg in range(taken.shape[0]):
        first_us, row = base_opens_us[leg, 0], rows[leg]
        for at in range(taken[leg], base_counts[leg, BARS] + 1):
            if at < base_counts[leg, BARS]:
                came_us = base_opens_us[leg, at]
                open_us = came_us - (came_us - origin_us) % length_us
            else:  # time alone may end it
                open_us = unfinished[leg] if unfinished[leg] + length_us > now_us else _NONE_OPEN
            if open_us != unfinished[leg]:
                if unfinished[leg] != _NONE_OPEN and unfinished[leg] >= first_us:  # not one that began before
                    _add_bar(leg, unfinished[leg], length_us, row, opens_us, closes_us, numbers, values, counts, starts)
                unfinished[leg] = open_us
                row[OPEN] = row[CLOSE] = row[VOLUME] = np.nan
                row[HIGH], row[LOW] = -np.inf, np.inf
            if at < base_counts[leg, BARS]:
                _join(row, base_values[leg], at)
        taken[leg] = base_counts[leg, BARS]
        if unfinished[leg] != _NONE_OPEN:
            following = min(following, unfinished[leg] + length_us)
    return following
