"""A block of columns, laid out for the loop over instants in one call."""

from .._jit import kernel
from ..book import floats_at, ints_at
from ..growing import lay_columns
from .engines import fill_wishes
from .layout import COLUMN
from .marks import see_closes

_WIDTH = 4


@kernel
def take_columns(book, start, stop):
    """Lay out the columns of the bars `start` to `stop`, and the one before them; none: that one alone.

    book: see `book.PAGES`. Of it `engines` is as in `fill_wishes`; `panel` as in `growing.PANEL` where bars are still
    coming: of others it has no pages, their prices are laid out, and `closes_us`, int64[bar], says when they close;
    `origin` is the first bar that is traded.
    """
    columns = ints_at(book, 1, 2)
    prices = floats_at(book, 2, 3)
    wishes = floats_at(book, 5, 3)
    confidence = floats_at(book, 6, 3)
    means = floats_at(book, 7, 3)
    rules = floats_at(book, 13, 2)
    account = floats_at(book, 26, 1)
    instruments = floats_at(book, 27, 2)
    schedules = floats_at(book, 31, 2)
    cells = floats_at(book, 32, 4)
    upcoming = ints_at(book, 34, 2)
    engines = ints_at(book, 50, 3)
    panel = ints_at(book, 51, 2)
    origin = book[52, 0]
    closes_us = ints_at(book, 53, 1)
    book[_WIDTH, 0] = stop - start + 1
    if panel.shape[0] > 0:
        lay_columns(panel, start, origin, prices, columns)
        closes_us = ints_at(panel, 7, 1)[start:stop]
    if start == origin and start > 0:
        see_closes(0, prices, instruments)  # what the first orders are sized by
    fill_wishes(engines, closes_us, wishes, confidence, means, rules, cells, schedules, upcoming)
    if account[COLUMN] >= 0.0 or start > 0:
        account[COLUMN] = 0.0  # what was closed last stands before the block
