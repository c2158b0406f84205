"""A block of columns, laid out for the loop over instants in one call."""

from .._jit import kernel
from ..book import floats_at, ints_at
from ..growing import lay_columns
from .engines import fill_wishes
from .layout import COLUMN
from .marks import see_closes

_WIDTH = 4


@kernel
def take_columns(book, engines, panel, start, origin, closes_us):
    """Lay out the columns of bars that close at `closes_us`, and the one before them; none: that one alone.

    book: what `run_instants` works on; engines: see `fill_wishes`; panel: see `growing.PANEL`, of one that grows; of
    another no pages, and its prices are laid out already. start: place among all bars of the first of these; origin: of
    the first that is traded.
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
    book[_WIDTH, 0] = closes_us.shape[0] + 1
    if panel.shape[0] > 0:
        lay_columns(panel, start, origin, prices, columns)
    if start == origin and start > 0:
        see_closes(0, prices, instruments)  # what the first orders are sized by
    fill_wishes(engines, closes_us, wishes, confidence, means, rules, cells, schedules, upcoming)
    if account[COLUMN] >= 0.0 or start > 0:
        account[COLUMN] = 0.0  # what was closed last stands before the block
