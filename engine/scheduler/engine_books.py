"""The engines that come with barstep, as a compiled loop reads them: those of all schedules and instruments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...kernels.book import PAGE
from ...kernels.columns import CLOSE, PAIR_COLUMNS
from ...kernels.engines.by_number import NUMBERED
from ...kernels.engines.rows import LEG, LEG_PAGES
from ...kernels.scheduler.engines import ENGINE, LAID_OUT, PAGES, skip_bars
from ..bars import Bars, Integers
from ..book import Book
from .engines import Engines, most_bars, reach_of


def number_of(kernel: Callable[..., Any]) -> int | None:
    """An engine's number; None of one from outside."""
    return next((number for number, own in enumerate(NUMBERED) if own is kernel), None)


class EngineBooks:
    """A book for each schedule. Engines that a compiled loop can call never raise.

    Attributes:
        pages: int64[schedule, page, PAGE], what kernels are given; see `kernels.scheduler.engines.PAGES`.
    """

    def __init__(
        self,
        schedules: Sequence[Engines],
        numbers: Sequence[int | None],
        measure_rows: Integers,
        measure_sizes: Integers,
        block: int,
        *,
        aligned: bool,
    ) -> None:
        """numbers: those of the engines; None of one from outside, which is not called here.

        measure_rows, measure_sizes: by schedule and for all, which rows are averaged: see `lay_out`. block: bars that
        come at a time. aligned: see `BlockOfWishes`.
        """
        self.pages: Integers = np.zeros((len(schedules), len(PAGES), PAGE), dtype=np.int64)
        self._books = [Book(PAGES, pages) for pages in self.pages]
        self._block, self._legs, counts = block, _Legs(most_bars(block)), np.empty(1 + most_bars(block))
        for s, (book, engines, number) in enumerate(zip(self._books, schedules, numbers, strict=True)):
            book.put(schedule=s, engine=LAID_OUT if number is None else number)
            if number is None:
                continue
            places = np.zeros((len(engines.runs), 0 if aligned else block + 1), dtype=np.int64)
            book.put(
                legs=self._legs.pages(engines), params=engines.params, carries=engines.carries, outs=engines.outs,
                tails=engines.tails, stops=engines.stops, advanced=engines.advanced, traded=engines.traded,
                places=places, measure_rows=measure_rows[s], measure_sizes=measure_sizes, counts=counts,
            )  # fmt: skip

    def skip(self, until_us: int) -> None:
        """Advance over the bars that are closed at or before this time."""
        skip_bars(self.pages, until_us, self._block)

    def lay_out_nothing(self) -> None:
        """From now on no engine is called here."""
        self.pages[:, ENGINE, 0] = LAID_OUT


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
