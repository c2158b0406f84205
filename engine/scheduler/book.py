"""The arrays of a scheduler as one argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels.book import PAGE
from ...kernels.scheduler.book import PAGES
from ..bars import Integers

_PLACES = {name: place for place, name in enumerate(PAGES)}


class Book:
    """Addresses and shapes of what `run_book` works on. It keeps the arrays alive.

    Attributes:
        pages: int64[page, PAGE], what the kernel is given.
    """

    def __init__(self) -> None:
        self.pages: Integers = np.zeros((len(PAGES), PAGE), dtype=np.int64)
        self._kept: dict[str, Any] = {}

    def put(self, **arguments: Any) -> None:
        """Put arrays and numbers in their places. An array is not what was said of it: a TypeError, not a crash."""
        for name, value in arguments.items():
            kind, page = PAGES[name], self.pages[_PLACES[name]]
            if kind is None:
                page[0] = value
                continue
            if (value.dtype, value.ndim) != kind or not value.flags.c_contiguous:
                raise TypeError(f"{name} is {value.dtype}[{value.ndim} dimensions]; it must be {kind}, contiguous")
            page[0] = value.__array_interface__["data"][0]
            page[1 : 1 + value.ndim] = value.shape
            self._kept[name] = value
