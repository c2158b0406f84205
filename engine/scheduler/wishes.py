"""What the engines of a scheduler want, block by block, on the columns of its panel.

Engines that come with barstep are advanced by `take_columns`, all in one call. Those from outside are called one by one
before it, and may raise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...kernels.columns import CONFIDENCE, DIAGNOSTICS
from ...kernels.scheduler.wishes import lay_out
from ..bars import Bars, Integers
from ..simulation import EngineRun
from ..strategy import StrategyEngine
from .engine_books import EngineBooks, number_of
from .engines import Engines, PairTables, engine_of, most_bars

_STRIDE_PAD = 24
"""Rows a power of two apart would share cache sets; those of a single bar lie side by side."""

NOT_GIVEN = -1
"""In place of a row: the engine has none of that name."""


@dataclass(frozen=True, order=True)
class Measure:
    """What telemetry averages over the instruments of a schedule.

    Attributes:
        name: `confidence`, or a diagnostic of an engine.
        of_size: Whether sizes are averaged, without the sign.
    """

    name: str
    of_size: bool = False

    @property
    def full_name(self) -> str:
        """What policies and telemetry call it."""
        return f"avg_abs_{self.name}" if self.of_size else f"avg_{self.name}"

    def row(self, engine: StrategyEngine) -> int:
        """The row of an engine's output that has it."""
        if self.name == "confidence":
            return CONFIDENCE
        return DIAGNOSTICS + engine.diagnostics.index(self.name) if self.name in engine.diagnostics else NOT_GIVEN


FAILURES, RETRY_US, IS_BEHIND = range(3)
"""`health`, by schedule: how often in a row its engine has failed; when it is tried again, in microseconds; 1 where it
has not seen all bars that are closed."""


class EngineWatch(Protocol):
    """Who is asked before an engine from outside is called for a block, and told what came of it."""

    def may_try(self, schedule: int) -> bool:
        """Whether it is called at all."""

    def failed(self, schedule: int, error: Exception) -> None:
        """It raised, and is as it was before."""

    def succeeded(self, schedule: int) -> None:
        """It has seen every bar of the block, and those that it had missed."""


class Ahead(Protocol):
    """Who has made wishes before they are asked for."""

    def lay_out(self, own: BlockOfWishes, closes_us: Integers) -> None:
        """Write the columns that close at these times, and the one before them."""


class BlockFailedError(Exception):
    """A watched engine raised somewhere in a block of several bars; nothing has been advanced."""


class BlockOfWishes:
    """Wishes and confidence of all schedules on the columns of one block; the tables are used again for every block.

    Attributes:
        wishes: float64[schedule, instrument, ·]; column 0 is the one before the block. NaN where nothing is traded.
        confidence: float64[schedule, instrument, ·].
        means: float64[measure, schedule, ·], averages over instruments.
        health: int64[3, schedule], how the engines fare.
        watch: Who looks after engines that raise; None: nobody, and the error is the caller's.
        books: What `take_columns` reads the engines by.
        asks_outside: Whether there is anything to `fill_outside`.
    """

    def __init__(
        self,
        runs: Sequence[Sequence[EngineRun | None]],
        second_legs: Sequence[Sequence[Bars | None]],
        measures: Sequence[Measure],
        block: int,
        *,
        aligned: bool,
    ) -> None:
        """runs: by schedule and instrument; None where it does not trade it.

        second_legs: the second venue's bars, where a pair is traded.
        aligned: whether each column is the next bar of every instrument and schedule.
        """
        instruments, width = len(runs[0]), 1 + most_bars(block) + (_STRIDE_PAD if block > 1 else 0)
        kinds = [engine_of(own) for own in runs]
        outs = {rows: np.full((instruments, rows, width), np.nan) for rows in {engine.rows for engine in kinds}}
        pairs = PairTables()
        self._engines = [
            Engines(own, legs, pairs, outs[engine.rows])
            for own, legs, engine in zip(runs, second_legs, kinds, strict=True)
        ]
        self._measure_rows = np.array([[measure.row(engine) for measure in measures] for engine in kinds], np.int64)
        self._measure_sizes = np.array([measure.of_size for measure in measures], np.int64)
        self._aligned, self._block = aligned, block
        self.wishes, self.confidence = np.full((2, len(runs), instruments, width), np.nan)
        self.means = np.full((len(measures), len(runs), width), np.nan)
        self._counts = np.empty(width)
        self.health: Integers = np.zeros((3, len(runs)), dtype=np.int64)
        self.watch: EngineWatch | None = None
        self._ahead: Ahead | None = None
        numbers = [number_of(engine.kernel) for engine in kinds]
        self._outside = [s for s, number in enumerate(numbers) if number is None]
        self.asks_outside = bool(self._outside)
        self.books = EngineBooks(
            self._engines, numbers, self._measure_rows, self._measure_sizes, block, aligned=aligned
        )

    def lend(self, ahead: Ahead) -> None:
        """From now on somebody else has made the wishes of later columns, and no engine is asked."""
        self._ahead, self.asks_outside = ahead, True
        self.books.lay_out_nothing()

    @property
    def warm_up_bars(self) -> int:
        """Bars at which an engine has seen too few to wish for anything, added up over all of them."""
        return sum(run.warm_up_bars for engines in self._engines for run in engines.runs if run is not None)

    def skip(self, until_us: int) -> None:
        """Advance all engines over the bars closed at or before this time; watched ones do so with the next block."""
        self.books.skip(until_us)
        if self.watch is not None:
            self.health[IS_BEHIND, self._outside] = 1
            return
        for s in self._outside:
            self._engines[s].skip(until_us, self._block)

    def memories(self) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Everything that the engines remember, by name."""
        yield "health", self.health
        for s, engines in enumerate(self._engines):
            yield f"stops of {s}", engines.stops
            yield f"tails of {s}", engines.tails
            yield f"carries of {s}", engines.carries

    def fill_outside(self, closes_us: Integers, before_us: int) -> None:
        """Lay out what the engines from outside want on the columns that close at these times, after those before.

        before_us: when the bar before them closed; 0 where there is none.

        Raises:
            BlockFailedError: A watched engine raised; it is to be told at which bar, a bar at a time.
        """
        if self._ahead is not None:
            self._ahead.lay_out(self, closes_us)
        else:
            self._fill_outside(closes_us, before_us)

    def _fill_outside(self, closes_us: Integers, before_us: int) -> None:
        if self.watch is None or closes_us.size == 1:
            self._call(closes_us, before_us)
            return
        memories, health = [self._engines[s].memory() for s in self._outside], self.health.copy()
        try:
            self._call(closes_us, before_us)
        except BlockFailedError:
            self.health[...] = health
            for s, memory in zip(self._outside, memories, strict=True):
                self._engines[s].recall(memory)
            raise

    def _call(self, closes_us: Integers, before_us: int) -> None:
        for s in self._outside:
            engines, places = self._engines[s], self._advance(s, closes_us, before_us)
            if places is None:  # nothing is known of what it wants
                self.wishes[s], self.confidence[s], self.means[:, s] = np.nan, np.nan, np.nan
                continue
            lay_out(
                engines.outs, engines.tails, places, engines.advanced, engines.traded, self._measure_rows[s],
                self._measure_sizes, s, closes_us.size + 1, self.wishes, self.confidence, self.means, self._counts,
            )  # fmt: skip

    def _advance(self, s: int, closes_us: Integers, before_us: int) -> Integers | None:
        """Have an engine write what it gives, under the eyes of who watches it; None where it gave nothing."""
        engines, watch = self._engines[s], self.watch
        if watch is None:
            return engines.advance(closes_us, aligned=self._aligned)
        was_behind, self.health[IS_BEHIND, s] = self.health[IS_BEHIND, s], 1
        if not watch.may_try(s):
            return None
        memory = engines.memory()
        try:
            if was_behind:
                engines.skip(before_us, self._block)
            places = engines.advance(closes_us, aligned=self._aligned)
        except Exception as error:
            if closes_us.size > 1:
                raise BlockFailedError from error
            engines.recall(memory)
            watch.failed(s, error)
            return None
        self.health[IS_BEHIND, s] = 0
        watch.succeeded(s)
        return places
