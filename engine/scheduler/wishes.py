"""What the engines of a scheduler want, block by block, on the columns of its panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET
from ...kernels.scheduler.wishes import lay_out
from ..bars import Bars, Floats, Integers
from ..pairing import pair_values
from ..simulation import EngineRun, Part
from ..strategy import StrategyEngine

_STRIDE_PAD = 24
"""Rows a power of two apart would share cache sets."""

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
    """Who is asked before an engine is called for a block, and told what came of it."""

    def may_try(self, schedule: int) -> bool:
        """Whether it is called at all."""

    def failed(self, schedule: int, error: Exception) -> None:
        """It raised, and is as it was before."""

    def succeeded(self, schedule: int) -> None:
        """It has seen every bar of the block, and those that it had missed."""


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
        instruments, width = len(runs[0]), block + 1 + _STRIDE_PAD
        engines = [_engine_of(own) for own in runs]
        outs = {rows: np.full((instruments, rows, width), np.nan) for rows in {engine.rows for engine in engines}}
        pairs = _PairTables()
        self._engines = [
            _Engines(own, legs, pairs, measures, outs[engine.rows])
            for own, legs, engine in zip(runs, second_legs, engines, strict=True)
        ]
        self._aligned, self._block = aligned, block
        self.wishes, self.confidence = np.full((2, len(runs), instruments, width), np.nan)
        self.means = np.full((len(measures), len(runs), width), np.nan)
        self._counts = np.empty(width)
        self.health: Integers = np.zeros((3, len(runs)), dtype=np.int64)
        self.watch: EngineWatch | None = None

    @property
    def warm_up_bars(self) -> int:
        """Bars at which an engine has seen too few to wish for anything, added up over all of them."""
        return sum(engines.warm_up_bars for engines in self._engines)

    def skip(self, until_us: int) -> None:
        """Advance all engines over the bars closed at or before this time; watched ones do so with the next block."""
        if self.watch is not None:
            self.health[IS_BEHIND] = 1
            return
        for engines in self._engines:
            engines.skip(until_us, self._block)

    def memories(self) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Everything that the engines remember, by name."""
        yield "health", self.health
        for s, engines in enumerate(self._engines):
            yield f"stops of {s}", engines.stops
            yield f"tails of {s}", engines.tails
            yield from ((f"carry of {s} in {i}", carry) for i, carry in enumerate(engines.carries))

    def fill(self, closes_us: Integers, before_us: int) -> None:
        """Fill the tables for the columns that close at these times, which follow those of the block before.

        before_us: when the bar before them closed; 0 where there is none.

        Raises:
            BlockFailedError: A watched engine raised; it is to be told at which bar, a bar at a time.
        """
        if self.watch is None or closes_us.size == 1:
            self._fill(closes_us, before_us)
            return
        memories, health = [engines.memory() for engines in self._engines], self.health.copy()
        try:
            self._fill(closes_us, before_us)
        except BlockFailedError:
            self.health[...] = health
            for engines, memory in zip(self._engines, memories, strict=True):
                engines.recall(memory)
            raise

    def _fill(self, closes_us: Integers, before_us: int) -> None:
        for s, engines in enumerate(self._engines):
            places = self._advance(s, closes_us, before_us)
            if places is None:  # nothing is known of what it wants
                self.wishes[s], self.confidence[s], self.means[:, s] = np.nan, np.nan, np.nan
                continue
            lay_out(
                engines.outs, engines.tails, places, engines.advanced, engines.traded, engines.measure_rows,
                engines.measure_sizes, s, closes_us.size + 1, self.wishes, self.confidence, self.means, self._counts,
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


class _Engines:
    """One schedule's engine on each of its instruments, and how far it has come.

    Attributes:
        outs: float64[instrument, row, ·], where the engine writes from column 1 on; shared with other schedules.
        tails: float64[instrument, row], what it gave last before the block; column 0 of `outs`.
        carries: What it remembers, by instrument.
        stops: int64[instrument], bars that it has seen.
        advanced: int64[instrument], columns that it wrote.
        traded: int64[instrument], 1 where the schedule trades it.
        measure_rows: int64[measure], the row that is averaged; -1 where the engine has none of that name.
        measure_sizes: int64[measure], 1 where its size is.
        warm_up_bars: Bars at which it has seen too few, added up over instruments.
    """

    def __init__(
        self,
        runs: Sequence[EngineRun | None],
        second_legs: Sequence[Bars | None],
        pairs: _PairTables,
        measures: Sequence[Measure],
        outs: Floats,
    ) -> None:
        engine = _engine_of(runs)
        self.outs, self._runs, self._second_legs, self._pairs = outs, runs, second_legs, pairs
        self._params = [
            np.empty(0) if run is None else engine.pack(run.parameters, run.bars.interval_seconds, run.year_days)
            for run in runs
        ]
        self.carries = [engine.new_carry() for _ in runs]
        self.stops: Integers = np.zeros(len(runs), dtype=np.int64)
        self.tails = np.full((len(runs), engine.rows), np.nan)
        self.tails[:, TARGET] = 0.0
        self.advanced = np.zeros(len(runs), dtype=np.int64)
        self.traded = np.array([run is not None for run in runs], dtype=np.int64)
        self.measure_rows = np.array([measure.row(engine) for measure in measures], dtype=np.int64)
        self.measure_sizes = np.array([measure.of_size for measure in measures], dtype=np.int64)
        self.warm_up_bars = sum(run.warm_up_bars for run in runs if run is not None)

    def skip(self, until_us: int, block: int) -> None:
        """Advance over the bars that are closed at or before this time."""
        for i, run in enumerate(self._runs):
            until = 0 if run is None else int(np.searchsorted(run.bars.closes_us, until_us, side="right"))
            while self.stops[i] < until:
                self._advance(i, min(int(self.stops[i]) + block, until))
                self.tails[i] = self.outs[i, :, self.advanced[i]]

    def memory(self) -> list[np.ndarray[Any, Any]]:
        """A copy of all that it remembers."""
        return [array.copy() for array in (self.stops, self.tails, *self.carries)]

    def recall(self, memory: Sequence[np.ndarray[Any, Any]]) -> None:
        """Be as it was when the copy was made."""
        for array, kept in zip((self.stops, self.tails, *self.carries), memory, strict=True):
            array[...] = kept

    def advance(self, closes_us: Integers, *, aligned: bool) -> Integers:
        """Write what the engine gives to `outs`; returns the column of it that each column sees (none: the same)."""
        places = np.zeros((len(self._runs), 0 if aligned else closes_us.size + 1), dtype=np.int64)
        self.advanced[:] = 0
        if not closes_us.size:
            return places
        for i, run in enumerate(self._runs):
            if run is None:
                continue
            if aligned:
                self._advance(i, int(self.stops[i]) + closes_us.size)
                continue
            seen = np.searchsorted(run.bars.closes_us, closes_us, side="right")
            places[i, 1:] = seen - self.stops[i]
            self._advance(i, int(seen[-1]))
        return places

    def _advance(self, i: int, stop: int) -> None:
        start, run, other = int(self.stops[i]), self._runs[i], self._second_legs[i]
        if run is not None and stop > start:
            part = None if other is None else self._pairs.part(run, other, start, stop)
            run.advance(self._params[i], self.carries[i], self.outs[i], start, stop, 1, part)
        self.stops[i], self.advanced[i] = stop, stop - start


class _PairTables:
    """Pieces of the tables of pairs, shared by schedules: whole tables would take as much memory as the bars."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[int, int, Floats]] = {}

    def part(self, run: EngineRun, other: Bars, start: int, stop: int) -> Part:
        """The bars start..stop and those before them that the engine reads, and the first of these."""
        first = max(start - run.engine.history(run.parameters), 0)
        key = (id(run.bars), id(other))
        kept = self._kept.get(key)
        if kept is None or kept[:2] != (first, stop):
            kept = self._kept[key] = (first, stop, pair_values(run.bars, other, first, stop))
        return kept[2], first


def _engine_of(runs: Sequence[EngineRun | None]) -> StrategyEngine:
    return next(run.engine for run in runs if run is not None)
