"""Arrays as one argument of a kernel."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from barstep.engine.book import Book
from barstep.kernels.scheduler.book import PAGES
from barstep.kernels.scheduler.columns import take_columns
from barstep.kernels.scheduler.loop import run_instants


def test_pages_stand_in_the_order_in_which_the_loop_reads_them() -> None:
    """Each row is read under its own name, as the kind that the book says: an address could be of anything."""
    stated = {name: (row, kind) for row, (name, kind) in enumerate(PAGES.items())}
    loop, columns = read_by(run_instants), read_by(take_columns)
    assert loop | columns == stated
    assert columns == {name: stated[name] for name in columns}
    assert loop == {name: stated[name] for name in loop}


def read_by(kernel: Any) -> dict[str, tuple[int, tuple[str, int] | None]]:
    """By name, the rows of its book that a kernel reads, and as what."""
    source = inspect.getsource(getattr(kernel, "py_func", kernel))
    read = re.findall(r"^    (\w+) = (?:(int|float)s_at\(book, (\d+), (\d)\)|book\[(\d+), 0\])$", source, re.MULTILINE)
    return {
        name: (int(row or number), (f"{kind}64", int(dimensions)) if kind else None)
        for name, kind, row, dimensions, number in read
    }


@pytest.mark.parametrize(
    "wrong", [np.zeros(3, dtype=np.int64), np.zeros((3, 1)), np.zeros(6)[::2]], ids=["kind", "dimensions", "strided"]
)
def test_an_array_that_is_not_what_the_kernel_reads_is_refused(wrong: np.ndarray) -> None:
    """A book of addresses must not be taken on trust."""
    with pytest.raises(TypeError, match="account"):
        Book(PAGES).put(account=wrong)


def test_a_book_keeps_its_arrays() -> None:
    """An address outlives the name that the array had."""
    book = Book(PAGES)
    book.put(account=np.full(4, 2.5), width=9)
    page = book.pages[list(PAGES).index("account")]
    kept = book._kept["account"]
    assert page[:2].tolist() == [kept.__array_interface__["data"][0], 4]
    assert book.pages[list(PAGES).index("width"), 0] == 9
