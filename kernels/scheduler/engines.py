"""The engines of all schedules over a block of bars, and where they bring signals: one call for all of them."""

from .._jit import kernel
from ..book import floats_at, ints_at
from ..engines.rows import advance_rows, skip_rows
from .layout import FIRST
from .runs import find_signals
from .wishes import lay_out

PAGES = {
    "schedule": None,
    "engine": None,
    "legs": ("int64", 2),
    "params": ("float64", 2),
    "carries": ("float64", 2),
    "outs": ("float64", 3),
    "tails": ("float64", 2),
    "stops": ("int64", 1),
    "advanced": ("int64", 1),
    "traded": ("int64", 1),
    "places": ("int64", 2),
    "measure_rows": ("int64", 1),
    "measure_sizes": ("int64", 1),
    "counts": ("float64", 1),
}
"""What each row of a schedule's book names: its place, its engine's number, what `advance_rows` and `lay_out` take."""
ENGINE = 1

LAID_OUT = -1
"""In place of an engine's number: what it wants is laid out by somebody else."""


@kernel(inlined=True)
def fill_wishes(books, closes_us, wishes, confidence, means, rules, cells, schedules, upcoming):
    """Advance engines over a block, lay out what they give, and find where each schedule may next have a signal.

    books: int64[schedule, page, PAGE], of each schedule a row for each of `PAGES`; closes_us: int64[column - 1];
    wishes, confidence, means: as in `lay_out`; the rest as `layout` says.
    """
    width = closes_us.shape[0] + 1
    for b in range(books.shape[0]):
        book, s = books[b], books[b, 0, 0]
        if book[ENGINE, 0] != LAID_OUT:
            outs, advanced, traded = floats_at(book, 5, 3), ints_at(book, 8, 1), ints_at(book, 9, 1)
            places = ints_at(book, 10, 2)
            advance_rows(
                book[ENGINE, 0], ints_at(book, 2, 2), floats_at(book, 3, 2), floats_at(book, 4, 2), outs,
                ints_at(book, 7, 1), advanced, traded, places, closes_us,
            )  # fmt: skip
            lay_out(
                outs, floats_at(book, 6, 2), places, advanced, traded, ints_at(book, 11, 1), ints_at(book, 12, 1), s,
                width, wishes, confidence, means, floats_at(book, 13, 1),
            )  # fmt: skip
        schedules[FIRST, s] = find_signals(wishes[s], 0, width, rules[s], cells[s], upcoming[s])


@kernel
def skip_bars(books, until_us, block):
    """Advance engines over all bars that are closed at an instant, `block` at a time."""
    for b in range(books.shape[0]):
        book = books[b]
        if book[ENGINE, 0] != LAID_OUT:
            skip_rows(
                book[ENGINE, 0], ints_at(book, 2, 2), floats_at(book, 3, 2), floats_at(book, 4, 2),
                floats_at(book, 5, 3), floats_at(book, 6, 2), ints_at(book, 7, 1), ints_at(book, 9, 1), until_us, block,
            )  # fmt: skip
