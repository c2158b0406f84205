"""The engines that come with barstep: those of all schedules and instruments are advanced in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ...kernels.book import PAGE
from ...kernels.columns import CLOSE, PAIR_COLUMNS
from ...kernels.engines.by_number import NUMBERED
from ...kernels.engines.rows import LEG, LEG_PAGES
from ...kernels.scheduler.engines import PAGES, fill_wishes, skip_bars
from ..bars import Bars, Floats, Integers
from ..book import Book
from .engines import Engines, most_bars, reach_of


def number_of(kernel: Callable[..., Any]) -> int | None:
    """An engine's number; None of one from outside."""
    return next((number for number, own in enumerate(NUMBERED) if own is kernel), None)


class NumberedEngines:
    """Engines that a compiled loop can call; they never raise."""

    def __init__(
        self, schedules: Iterable[tuple[int, Engines, Integers, Integers]], block: int, *, aligned: bool
    ) -> None:
        """schedules: place, engines, and which of its rows are averaged: see `lay_out`.

        block: bars that come at a time. aligned: see `BlockOfWishes`.
        """
        taken = list(schedules)
        self._block = block
        self._pages: Integers = np.zeros((len(taken), len(PAGES), PAGE), dtype=np.int64)
        self._books = [Book(PAGES, pages) for pages in self._pages]
        self._legs = _Legs(most_bars(block))
        for book, (s, engines, measure_rows, measure_sizes) in zip(self._books, taken, strict=True):
            instruments = len(engines.runs)
            book.put(
                schedule=s, engine=number_of(engines.engine.kernel), legs=self._legs.pages(engines),
                params=engines.params, carries=engines.carries, outs=engines.outs, tails=engines.tails,
                stops=engines.stops, advanced=engines.advanced, traded=engines.traded,
                places=np.zeros((instruments, 0 if aligned else block + 1), dtype=np.int64),
                measure_rows=measure_rows, measure_sizes=measure_sizes,
            )  # fmt: skip

    def fill(self, closes_us: Integers, wishes: Floats, confidence: Floats, means: Floats, counts: Floats) -> None:
        """Fill the tables of `BlockOfWishes` for columns that close at these times."""
        fill_wishes(self._pages, closes_us, wishes, confidence, means, counts)

    def skip(self, until_us: int) -> None:
        """Advance over the bars that are closed at or before this time."""
        skip_bars(self._pages, until_us, self._block)


class _Legs:
    """Books of instruments' bars; schedules that see the same bars share one."""

    def __init__(self, bars: int) -> None:
        """bars: most of an instrument that come at a time."""
        self._bars = bars
        self._kept: dict[tuple[int, ...], tuple[Integers, list[Book]]] = {}

    def pages(self, engines: Engines) -> Integers:
        """int64[instrument × LEG_PAGES, PAGE]: where the bars are that these engines see."""
        legs = [None if run is None else run.bars for run in engines.runs]
        reach = max(reach_of(run) for run in engines.runs if run is not None)
        pairs = engines.second_legs
        key = (*map(id, legs), *map(id, pairs), reach if any(pair is not None for pair in pairs) else 0)
        if key not in self._kept:
            pages: Integers = np.zeros((len(legs) * LEG_PAGES, PAGE), dtype=np.int64)
            books = [
                self._book(pages[i * LEG_PAGES : (i + 1) * LEG_PAGES], bars, other, reach)
                for i, (bars, other) in enumerate(zip(legs, pairs, strict=True))
                if bars is not None
            ]
            self._kept[key] = pages, books
        return self._kept[key][0]

    def _book(self, pages: Integers, bars: Bars, other: Bars | None, reach: int) -> Book:
        book = Book(LEG, pages)
        book.put(values=bars.values, closes_us=bars.closes_us, numbers=bars.numbers)
        if other is not None:
            pair, span = np.full((PAIR_COLUMNS, reach + self._bars), np.nan), np.array([0, -1, reach])
            book.put(other_closes=other.values[CLOSE], other_closes_us=other.closes_us, pair=pair, span=span)
        return book
