"""A block of columns: where signals may be, how wide it is, what first orders are sized by, and prices that grow."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.book import Book
from barstep.kernels import growing
from barstep.kernels.book import PAGE
from barstep.kernels.columns import CLOSE
from barstep.kernels.scheduler import book, layout
from barstep.kernels.scheduler.columns import take_columns
from contract import POISON
from schedules import NAN, NO_PANEL, Integers, Scheduler, Shape, laid_out

pytestmark = pytest.mark.unit_kernel

FIT = [10.0, 12.0, 9.0, 11.0, 5.0]


class Block:
    """Two schedules in two instruments, whose wishes are laid out on three columns and the one before them."""

    def __init__(self) -> None:
        self.scheduler = one = Scheduler(Shape(schedules=2, instruments=2))
        self.wishes, self.confidence = np.full((2, 2, 2, 5), POISON)
        self.wishes[:, :, :4] = [[[0.0, 0.0, 0.5, 0.5], [0.0] * 4], [[NAN] * 4, [0.0] * 4]]
        self.prices, self.columns = np.full((2, 5, 5), POISON), np.full((2, 5), -7)
        self.prices[:, CLOSE, 0] = 40.0, NAN
        self.book = Book(book.PAGES)
        self.book.put(
            columns=self.columns, prices=self.prices, wishes=self.wishes, confidence=self.confidence,
            means=np.empty((0, 2, 5)), rules=one.rules, account=one.account, instruments=one.instruments,
            schedules=one.schedules, cells=one.cells, upcoming=one.upcoming, width=-1, engines=laid_out(2),
        )  # fmt: skip

    def take(self, start: int, origin: int, panel: Integers = NO_PANEL) -> None:
        self.book.put(panel=panel, origin=origin, closes_us=np.arange(start, start + 3) * 60_000_000)
        take_columns(self.book.pages, start, start + 3)


def test_where_each_schedule_may_next_have_a_signal() -> None:
    """From column 0 on and within the block; what is beyond it is not read."""
    block = Block()
    block.take(5, 2)
    assert block.scheduler.upcoming.tolist() == [[2, 4], [4, 4]]
    assert block.scheduler.schedules[layout.FIRST].tolist() == [2.0, 4.0]
    assert block.book.pages[list(book.PAGES).index("width"), 0] == 4


@pytest.mark.parametrize(("start", "origin", "column"), [(0, 0, -1.0), (2, 2, 0.0), (5, 2, 0.0)])
def test_what_stands_before_the_block(start: int, origin: int, column: float) -> None:
    """Its column is that of the bar closed last, where there is one; at the start, orders are sized by its closes."""
    block = Block()
    before = block.scheduler.instruments.copy()
    block.take(start, origin)
    assert block.scheduler.account[layout.COLUMN] == column
    if start == origin > 0:
        before[layout.MARK], before[layout.WORTH] = (40.0, NAN), (40.0, 0.0)
    assert block.scheduler.instruments.tobytes() == before.tobytes()


def test_prices_of_a_panel_that_grows_are_laid_out_too() -> None:
    """Those of the bar before and of the one that closes; the marks at the start are seen on them."""
    block, panel = Block(), Book(growing.PANEL)
    opens_us, closes_us, numbers, starts = np.zeros((4, 2, 4), dtype=np.int64)
    times, places = np.zeros((3, 4), dtype=np.int64), np.full((2, 4), -1)
    panel.put(
        opens_us=opens_us, closes_us=closes_us, numbers=numbers, values=np.full((2, 6, 4), NAN), starts=starts,
        counts=np.zeros((2, 2), dtype=np.int64), column_opens_us=times[0], column_closes_us=times[1],
        column_numbers=times[2], places=places, length_us=60_000_000, told=np.array([[0, *FIT]]),
        joined=np.empty((0, len(growing.JOINED), PAGE), dtype=np.int64),
    )  # fmt: skip
    for minute in (7, 8):
        assert growing.add_column(panel.pages, minute - 7, minute * 60_000_000, 1) == growing.ALL_FIT
    block.take(1, 1, panel.pages)
    assert block.columns[:, :2].tolist() == [[7, 8], [-1, 0]]
    assert block.prices[0, :, :2].T.tolist() == [FIT, FIT]
    assert np.isnan(block.prices[1]).all()
    assert np.isnan(block.prices[:, :, 2:]).all()
    assert block.scheduler.instruments[layout.WORTH].tolist() == [FIT[CLOSE], 0.0]
