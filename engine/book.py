"""Arrays as one argument of a kernel: see `kernels.book`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernels.book import PAGE
from .bars import Integers


class Book:
    """Addresses and shapes of what a kernel works on. It keeps the arrays alive.

    Attributes:
        pages: int64[page, PAGE], what the kernel is given.
    """

    def __init__(self, named: Mapping[str, tuple[str, int] | None], pages: Integers | None = None) -> None:
        """named: what each page names, in order: kind and dimensions; None for a number.

        pages: where they are written; None: in an array of their own.
        """
        self.pages: Integers = np.zeros((len(named), PAGE), dtype=np.int64) if pages is None else pages
        self._named, self._places = named, {name: place for place, name in enumerate(named)}
        self._kept: dict[str, Any] = {}

    def put(self, **arguments: Any) -> None:
        """Put arrays and numbers in their places. An array is not what was said of it: a TypeError, not a crash."""
        for name, value in arguments.items():
            kind, page = self._named[name], self.pages[self._places[name]]
            if kind is None:
                page[0] = value
                continue
            if (value.dtype, value.ndim) != kind or not value.flags.c_contiguous:
                raise TypeError(f"{name} is {value.dtype}[{value.ndim} dimensions]; it must be {kind}, contiguous")
            page[0] = value.__array_interface__["data"][0]
            page[1 : 1 + value.ndim] = value.shape
            self._kept[name] = value
