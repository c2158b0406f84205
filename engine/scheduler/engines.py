"""One schedule's engine on each of its instruments, and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...kernels.columns import TARGET
from ..bars import Bars, Floats, Integers
from ..pairing import pair_values
from ..simulation import EngineRun, Part
from ..strategy import StrategyEngine


class Engines:
    """An engine on each instrument of a schedule, advanced one after another: how engines from outside are called.

    Attributes:
        runs: By instrument; None where it is not traded.
        second_legs: By instrument the second venue's bars, where a pair is traded.
        engine: The engine.
        outs: float64[instrument, row, ·], where it writes from column 1 on; shared with other schedules.
        tails: float64[instrument, row], what it gave last before the block; column 0 of `outs`.
        params: float64[instrument, ·].
        carries: float64[instrument, ·], what it remembers.
        stops: int64[instrument], bars that it has seen.
        advanced: int64[instrument], columns that it wrote.
        traded: int64[instrument], 1 where the schedule trades it.
    """

    def __init__(
        self, runs: Sequence[EngineRun | None], second_legs: Sequence[Bars | None], pairs: PairTables, outs: Floats
    ) -> None:
        self.runs, self.second_legs, self._pairs, self.outs = runs, second_legs, pairs, outs
        engine = self.engine = engine_of(runs)
        run = next(run for run in runs if run is not None)
        packed = engine.pack(run.parameters, run.bars.interval_seconds, run.year_days)
        self.params = np.repeat(packed[None], len(runs), axis=0)
        self.carries = np.array([engine.new_carry() for _ in runs])
        self.stops: Integers = np.zeros(len(runs), dtype=np.int64)
        self.tails = np.full((len(runs), engine.rows), np.nan)
        self.tails[:, TARGET] = 0.0
        self.advanced: Integers = np.zeros(len(runs), dtype=np.int64)
        self.traded: Integers = np.array([run is not None for run in runs], dtype=np.int64)

    def skip(self, until_us: int, block: int) -> None:
        """Advance over the bars that are closed at or before this time."""
        for i, run in enumerate(self.runs):
            until = 0 if run is None else int(np.searchsorted(run.bars.closes_us, until_us, side="right"))
            while self.stops[i] < until:
                self._advance(i, min(int(self.stops[i]) + block, until))
                self.tails[i] = self.outs[i, :, self.advanced[i]]

    def memory(self) -> list[np.ndarray[Any, Any]]:
        """A copy of all that it remembers."""
        return [array.copy() for array in (self.stops, self.tails, self.carries)]

    def recall(self, memory: Sequence[np.ndarray[Any, Any]]) -> None:
        """Be as it was when the copy was made."""
        for array, kept in zip((self.stops, self.tails, self.carries), memory, strict=True):
            array[...] = kept

    def advance(self, closes_us: Integers, *, aligned: bool) -> Integers:
        """Write what the engine gives to `outs`; returns the column of it that each column sees (none: the same)."""
        places = np.zeros((len(self.runs), 0 if aligned else closes_us.size + 1), dtype=np.int64)
        self.advanced[:] = 0
        if not closes_us.size:
            return places
        for i, run in enumerate(self.runs):
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
        start, run, other = int(self.stops[i]), self.runs[i], self.second_legs[i]
        if run is not None and stop > start:
            part = None if other is None else self._pairs.part(run, other, start, stop)
            run.advance(self.params[i], self.carries[i], self.outs[i], start, stop, 1, part)
        self.stops[i], self.advanced[i] = stop, stop - start


class PairTables:
    """Pieces of the tables of pairs, shared by schedules: whole tables would take as much memory as the bars."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[int, int, Floats]] = {}

    def part(self, run: EngineRun, other: Bars, start: int, stop: int) -> Part:
        """The bars start..stop and those before them that the engine reads, and the first of these."""
        first = max(start - reach_of(run), 0)
        key = (id(run.bars), id(other))
        kept = self._kept.get(key)
        if kept is None or kept[:2] != (first, stop):
            kept = self._kept[key] = (first, stop, pair_values(run.bars, other, first, stop))
        return kept[2], first


def reach_of(run: EngineRun) -> int:
    """How many bars before the first of a call the engine reads, at most."""
    return max(run.engine.history(run.parameters), run.engine.reach(run.parameters))


def most_bars(columns: int) -> int:
    """How many bars of an instrument so many columns can bring.

    Each longer bar has a column of its own, at which it ends or is not whole yet; time alone may have ended one since.
    """
    return columns + 1


def engine_of(runs: Sequence[EngineRun | None]) -> StrategyEngine:
    """The engine of a schedule."""
    return next(run.engine for run in runs if run is not None)
