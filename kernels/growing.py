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
LEG, FIRST = 0, 1
TOLD = FIRST + VOLUME + 1
"""Of a bar as it is told, float64[bar, TOLD]: its leg, and from FIRST on its columns, all but the return."""


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
    for column in range(row.shape[0]):
        own[column, at] = row[column]
    own[RETURN, at] = log_ratio(own[CLOSE, at - 1], own[CLOSE, at]) if at > 0 else np.nan
    if at == 0 or numbers[leg, at] - numbers[leg, at - 1] != 1:
        starts[leg, counts[leg, RUNS]] = at
        counts[leg, RUNS] += 1
    counts[leg, BARS] = at + 1


@kernel
def add_bars(open_us, length_us, told, opens_us, closes_us, numbers, values, counts, starts):
    """Add the bars that opened at an instant: all of them, or none.

    told: float64[bar, TOLD]. Returns the first that does not open after the last one of its leg, or is not fit to trade
    on; NO_ROOM where a leg has no room, ALL_FIT where they were added.
    """
    for k in range(told.shape[0]):
        leg = int(told[k, LEG])
        at = counts[leg, BARS]
        if (at > 0 and open_us <= opens_us[leg, at - 1]) or not _is_fit(told[k][FIRST:]):
            return k
        if at == opens_us.shape[1]:
            return NO_ROOM
    for k in range(told.shape[0]):
        leg, row = int(told[k, LEG]), told[k][FIRST:]
        _add_bar(leg, open_us, length_us, row, opens_us, closes_us, numbers, values, counts, starts)
    return ALL_FIT


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
    "length_us": None,
    "ends_us": None,
    "told": ("float64", 2),
    "joined": ("int64", 3),
}
"""Pages of a panel that grows: its table; int64[column], times and numbers of its columns; places, int64[leg, column],
of each leg's last bar (-1: none); the length of a bar; when the first longer bar ends that is not whole; told,
float64[leg, TOLD], where bars are told; joined, int64[·, page, PAGE], the `JOINED` of each longer interval."""
ENDS_US = 11

JOINED = {
    "opens_us": ("int64", 2),
    "closes_us": ("int64", 2),
    "numbers": ("int64", 2),
    "values": ("float64", 3),
    "counts": ("int64", 2),
    "starts": ("int64", 2),
    "taken": ("int64", 1),
    "unfinished": ("int64", 1),
    "rows": ("float64", 2),
    "length_us": None,
    "origin_us": None,
}
"""Pages of bars that the panel's are joined into: their table, and what `join_bars` takes."""


@kernel
def add_column(panel, column, open_us, count):
    """Add the `count` bars told that opened at an instant, to a column and to longer bars; or none, where one is unfit.

    panel: int64[page, PAGE], a row for each of `PANEL`. Returns what `add_bars` does.
    """
    counts, places, length_us = ints_at(panel, 4, 2), ints_at(panel, 9, 2), panel[10, 0]
    told = floats_at(panel, 12, 2)[:count]
    unfit = add_bars(
        open_us, length_us, told, ints_at(panel, 0, 2), ints_at(panel, 1, 2), ints_at(panel, 2, 2),
        floats_at(panel, 3, 3), counts, ints_at(panel, 5, 2),
    )  # fmt: skip
    if unfit == ALL_FIT:
        ints_at(panel, 6, 1)[column] = open_us
        ints_at(panel, 7, 1)[column] = open_us + length_us
        ints_at(panel, 8, 1)[column] = open_us // length_us
        for leg in range(counts.shape[0]):
            places[leg, column] = counts[leg, BARS] - 1
        join_all(panel, open_us + length_us)
    return unfit


@kernel
def lay_columns(panel, start, origin, prices, columns):
    """Lay the column before `start` of a panel, and those from it on, onto a block; nothing is known after the last.

    The close stands for as long as nothing comes after it, the rest is NaN where a leg has no bar. prices: float64[leg,
    price, ·]; columns: int64[2, ·], number (0: there is no such column), and place from `origin` on.
    """
    opens_us, values = ints_at(panel, 0, 2), floats_at(panel, 3, 3)
    column_opens_us, numbers, places = ints_at(panel, 6, 1), ints_at(panel, 8, 1), ints_at(panel, 9, 2)
    for k in range(prices.shape[2]):
        column = start - 1 + k
        exists = 0 <= column < numbers.shape[0]
        columns[0, k], columns[1, k] = numbers[column] if exists else 0, column - origin
        for leg in range(prices.shape[0]):
            place = places[leg, column] if exists else -1
            has_bar = place >= 0 and opens_us[leg, place] == column_opens_us[column]
            for price in range(prices.shape[1]):
                is_known = has_bar or (price == CLOSE and place >= 0)
                prices[leg, price, k] = values[leg, price, place] if is_known else np.nan


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
        row, first_us = rows[leg], base_opens_us[leg, 0] if base_counts[leg, BARS] > 0 else _NEVER
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


@kernel(shared=True)
def join_all(panel, now_us):
    """Everything that closes by now is in the panel: take it into all longer bars, and end those that end."""
    joined, following = ints_at(panel, 13, 3), _NEVER
    for k in range(joined.shape[0]):
        own = joined[k]
        ends_us = join_bars(
            now_us, own[9, 0], own[10, 0], ints_at(panel, 0, 2), floats_at(panel, 3, 3), ints_at(panel, 4, 2),
            ints_at(own, 6, 1), ints_at(own, 7, 1), floats_at(own, 8, 2), ints_at(own, 0, 2), ints_at(own, 1, 2),
            ints_at(own, 2, 2), floats_at(own, 3, 3), ints_at(own, 4, 2), ints_at(own, 5, 2),
        )  # fmt: skip
        following = min(following, ends_us)
    panel[ENDS_US, 0] = following
