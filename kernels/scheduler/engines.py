"""The engines that come with barstep over a block of bars: those of all schedules in one call."""

from .._jit import kernel
from ..book import floats_at, ints_at
from ..engines.rows import advance_rows, skip_rows
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
}
"""What each row of a schedule's book names: its place, its engine's number, what `advance_rows` and `lay_out` take."""


@kernel
def fill_wishes(books, closes_us, wishes, confidence, means, counts):
    """Advance engines over a block, and lay out what they give.

    books: int64[·, page, PAGE], a book for each schedule; closes_us: int64[column - 1]; the rest as in `lay_out`.
    """
    for b in range(books.shape[0]):
        book = books[b]
        outs, advanced, traded = floats_at(book, 5, 3), ints_at(book, 8, 1), ints_at(book, 9, 1)
        places = ints_at(book, 10, 2)
        advance_rows(
            book[1, 0], ints_at(book, 2, 2), floats_at(book, 3, 2), floats_at(book, 4, 2), outs, ints_at(book, 7, 1),
            advanced, traded, places, closes_us,
        )  # fmt: skip
        lay_out(
            outs, floats_at(book, 6, 2), places, advanced, traded, ints_at(book, 11, 1), ints_at(book, 12, 1),
            book[0, 0], closes_us.shape[0] + 1, wishes, confidence, means, counts,
        )  # fmt: skip


@kernel
def skip_bars(books, until_us, block):
    """Advance engines over all bars that are closed at an instant, `block` at a time."""
    for b in range(books.shape[0]):
        book = books[b]
        skip_rows(
            book[1, 0], ints_at(book, 2, 2), floats_at(book, 3, 2), floats_at(book, 4, 2), floats_at(book, 5, 3),
            floats_at(book, 6, 2), ints_at(book, 7, 1), ints_at(book, 9, 1), until_us, block,
        )  # fmt: skip
