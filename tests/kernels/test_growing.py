"""Bars put behind what has come: `tests/engine/test_growing.py` holds the same to a panel of all bars at once."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.book import Book
from barstep.kernels import growing
from barstep.kernels.book import PAGE
from barstep.kernels.columns import BAR_COLUMNS, CLOSE, RETURN

pytestmark = pytest.mark.unit_kernel

LEGS, ROOM, LENGTH_US = 2, 5, 60_000_000
UNTOUCHED = -12345.5
FIT = [10.0, 12.0, 9.0, 11.0, 5.0]


def told(rows: dict[int, list[float]]) -> np.ndarray:
    """Bars by leg as kernels are told of them."""
    return np.array([[leg, *row] for leg, row in rows.items()], dtype=np.float64)


class Tables:
    """Two legs with room for five bars; what has not come is poison."""

    def __init__(self) -> None:
        self.opens_us, self.closes_us, self.numbers, self.starts = np.full((4, LEGS, ROOM), -7)
        self.values, self.counts = np.full((LEGS, BAR_COLUMNS, ROOM), UNTOUCHED), np.zeros((LEGS, 2), dtype=np.int64)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.opens_us, self.closes_us, self.numbers, self.values, self.counts, self.starts

    def add(self, minute: int, rows: dict[int, list[float]]) -> int:
        return int(growing.add_bars(minute * LENGTH_US, LENGTH_US, told(rows), *self.arrays))


def test_bars_are_added_with_their_returns_and_runs() -> None:
    """A leg that lacks a minute begins a new run; the return is that between the two closes all the same."""
    tables = Tables()
    assert tables.add(3, {0: FIT, 1: FIT}) == growing.ALL_FIT
    assert tables.add(4, {0: [11.0, 12.0, 10.0, 11.5, np.nan]}) == growing.ALL_FIT
    assert tables.add(5, {0: FIT, 1: FIT}) == growing.ALL_FIT
    assert tables.counts.tolist() == [[3, 1], [2, 2]]
    assert tables.starts.tolist() == [[0, -7, -7, -7, -7], [0, 1, -7, -7, -7]]
    assert tables.numbers[:, :3].tolist() == [[3, 4, 5], [3, 5, -7]]
    assert (tables.closes_us[0, :3] - tables.opens_us[0, :3]).tolist() == [LENGTH_US] * 3
    assert np.isnan(tables.values[:, RETURN, 0]).all()
    assert tables.values[0, RETURN, 1] == pytest.approx(np.log(11.5 / 11.0), rel=1e-14)
    assert (tables.values[:, :, 3:] == UNTOUCHED).all()


@pytest.mark.parametrize(
    "row",
    [
        [np.nan, 12.0, 9.0, 11.0, 5.0], [10.0, np.nan, 9.0, 11.0, 5.0], [10.0, 12.0, np.nan, 11.0, 5.0],
        [10.0, 12.0, 9.0, np.nan, 5.0], [10.0, np.inf, 9.0, 11.0, 5.0], [10.0, 12.0, 0.0, 11.0, 5.0],
        [8.0, 12.0, 9.0, 11.0, 5.0], [10.0, 12.0, 9.0, 12.5, 5.0], [10.0, 12.0, 9.0, 11.0, -1.0],
    ],
)  # fmt: skip
def test_one_row_that_is_not_fit_keeps_all_out(row: list[float]) -> None:
    """Its place is returned, and nothing is written."""
    tables = Tables()
    before = [array.copy() for array in tables.arrays]
    assert tables.add(3, {1: FIT, 0: row}) == 1
    assert all((array == kept).all() for array, kept in zip(tables.arrays, before, strict=True))


def test_what_comes_late_or_finds_no_room_is_kept_out() -> None:
    """A bar of a time that has come before, and one more than there is room for."""
    tables = Tables()
    for minute in range(ROOM):
        assert tables.add(minute, {0: FIT}) == growing.ALL_FIT
    assert tables.add(ROOM - 1, {1: FIT, 0: FIT}) == 1
    assert tables.add(ROOM, {1: FIT, 0: FIT}) == growing.NO_ROOM
    assert tables.counts[:, growing.BARS].tolist() == [ROOM, 0]


class Columns:
    """A panel of the two legs, with room for three columns, and bars of two minutes that it is joined into."""

    def __init__(self) -> None:
        self.opens_us, self.closes_us, self.numbers = np.full((3, 3), -7)
        self.places, longer = np.full((LEGS, 3), -1), Tables()
        self.arrays = (*Tables().arrays, self.opens_us, self.closes_us, self.numbers, self.places)
        self._book, self.longer = Book(growing.PANEL), longer
        self._book.put(**dict(zip(growing.PANEL, self.arrays, strict=False)), length_us=LENGTH_US)
        self._joined = np.zeros((1, len(growing.JOINED), PAGE), dtype=np.int64)
        self._longer_book = Book(growing.JOINED, self._joined[0])
        self._longer_book.put(
            **dict(zip(growing.JOINED, longer.arrays, strict=False)), taken=np.zeros(LEGS, dtype=np.int64),
            unfinished=np.full(LEGS, -1), rows=np.full((LEGS, 5), UNTOUCHED), length_us=2 * LENGTH_US, origin_us=0,
        )  # fmt: skip
        self._book.put(joined=self._joined)

    @property
    def next_end(self) -> int:
        """The minute in which the next longer bar ends."""
        return int(self._book.pages[growing.ENDS_US, 0]) // LENGTH_US

    def add(self, column: int, minute: int, rows: dict[int, list[float]]) -> int:
        self._book.put(told=told(rows))
        return int(growing.add_column(self._book.pages, column, minute * LENGTH_US, len(rows)))

    def join(self, minute: int) -> None:
        growing.join_all(self._book.pages, minute * LENGTH_US)

    def laid_out(self, start: int) -> tuple[np.ndarray, list[list[int]]]:
        """Prices and columns of a block of four whose second one is `start`, with places from 1 on."""
        prices, columns = np.full((LEGS, 5, 4), UNTOUCHED), np.full((2, 4), -7)
        growing.lay_columns(self._book.pages, start, 1, prices, columns)
        return prices, columns.tolist()


def test_a_column_has_the_prices_of_those_that_have_a_bar() -> None:
    """The close of the others stands; before the first bar there is none, and of the next column nothing is known."""
    panel = Columns()
    panel.add(0, 0, {0: FIT})
    panel.add(1, 1, {1: FIT})
    assert panel.places.tolist() == [[0, 0, -1], [-1, 0, -1]]
    prices, columns = panel.laid_out(0)
    assert columns == [[0, 0, 1, -7], [-2, -1, 0, 1]]
    assert np.isnan(prices[:, :, 0]).all()
    assert prices[0, :, 1].tolist() == prices[1, :, 2].tolist() == FIT
    assert np.isnan(prices[1, :, 1]).all()
    assert prices[0, CLOSE, 2] == FIT[CLOSE]
    assert np.isnan(np.delete(prices[0, :, 2], CLOSE)).all()
    assert np.isnan(prices[:, :, 3]).all()
    last, columns = panel.laid_out(2)
    assert columns == [[1, -7, 0, 0], [0, 1, 2, 3]]
    assert last[:, :, 0].tobytes() == prices[:, :, 2].tobytes()
    assert np.isnan(last[:, :, 1:]).all()


def test_longer_bars_grow_with_a_column_and_end_with_time() -> None:
    """By the same call; one that began before its first bar is none; time alone may end one, which is asked for."""
    panel = Columns()
    assert panel.add(0, 0, {0: FIT}) == growing.ALL_FIT
    assert (panel.next_end, panel.longer.counts[0, growing.BARS]) == (2, 0)
    assert panel.add(1, 1, {0: FIT, 1: FIT}) == growing.ALL_FIT
    assert panel.longer.counts[:, growing.BARS].tolist() == [1, 0]
    assert panel.add(2, 2, {0: FIT}) == growing.ALL_FIT
    assert (panel.next_end, panel.longer.counts[0, growing.BARS]) == (4, 1)
    panel.join(4)
    assert panel.longer.counts[:, growing.BARS].tolist() == [2, 0]
    assert panel.next_end > 10**6


def test_a_column_is_added_whole_or_not_at_all() -> None:
    """Bars, times, number, places and prices by one call; where a bar is not fit, none of them is touched."""
    panel = Columns()
    assert panel.add(0, 4, {0: FIT, 1: FIT}) == growing.ALL_FIT
    before = [array.tobytes() for array in panel.arrays]
    assert panel.add(1, 5, {0: FIT, 1: [*FIT[:4], -1.0]}) == 1
    assert [array.tobytes() for array in panel.arrays] == before
    assert panel.add(1, 6, {0: FIT, 1: FIT}) == growing.ALL_FIT
    assert panel.opens_us.tolist() == [4 * LENGTH_US, 6 * LENGTH_US, -7]
    assert panel.closes_us.tolist() == [5 * LENGTH_US, 7 * LENGTH_US, -7]
    assert (panel.numbers.tolist(), panel.places.tolist()) == ([4, 6, -7], [[0, 1, -1]] * LEGS)


def test_shorter_bars_are_joined_until_their_end_has_come() -> None:
    """Two minutes each: the first that is not whole is left out, time alone ends one, and the next end is told."""
    base, longer = Tables(), Tables()
    taken, unfinished = np.zeros(LEGS, dtype=np.int64), np.full(LEGS, -1)
    rows = np.full((LEGS, growing.TOLD - growing.FIRST), UNTOUCHED)

    def join(minute: int) -> int:
        given = base.opens_us, base.values, base.counts, taken, unfinished, rows
        return int(growing.join_bars(minute * LENGTH_US, 2 * LENGTH_US, 0, *given, *longer.arrays)) // LENGTH_US

    base.add(1, {0: FIT})
    assert join(1) == 2
    base.add(2, {0: FIT, 1: FIT})
    assert join(3) == 4
    base.add(3, {0: [11.0, 13.0, 8.0, 12.0, np.nan]})
    assert join(4) > 10**6
    assert longer.counts[:, growing.BARS].tolist() == [1, 1]
    assert longer.opens_us[:, 0].tolist() == [2 * LENGTH_US] * 2
    assert longer.values[0, :5, 0].tolist() == [10.0, 13.0, 8.0, 12.0, 5.0]
    assert longer.values[1, :5, 0].tolist() == FIT
