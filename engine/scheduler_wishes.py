"""What the engines of a scheduler want, block by block, on the columns of its panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET
from ..kernels.scheduler.wishes import lay_out
from .bars import MICROSECONDS, Floats, Integers
from .simulation import EngineRun
from .strategy import StrategyEngine

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

    def row(self, engine: StrategyEngine) -> int:
        """The row of an engine's output that has it."""
        if self.name == "confidence":
            return CONFIDENCE
        return DIAGNOSTICS + engine.diagnostics.index(self.name) if self.name in engine.diagnostics else NOT_GIVEN


class BlockOfWishes:
    """Wishes and confidence of all schedules on the columns of one block; the tables are used again for every block.

    Attributes:
        wishes: float64[schedule, instrument, ·]; column 0 is the one before the block. NaN where nothing is traded.
        confidence: float64[schedule, instrument, ·].
        means: float64[measure, schedule, ·], averages over instruments.
    """

    def __init__(
        self, runs: Sequence[Sequence[EngineRun | None]], measures: Sequence[Measure], block: int, *, aligned: bool
    ) -> None:
        """runs: by schedule and instrument; None where it does not trade it.

        aligned: whether each column is the next bar of every instrument and schedule.
        """
        self._engines = [_Engines(own, measures) for own in runs]
        self._aligned = aligned
        instruments, width = len(runs[0]), block + 1 + _STRIDE_PAD
        self._outs = {rows: np.full((instruments, rows, width), np.nan) for rows in {one.rows for one in self._engines}}
        self.wishes, self.confidence = np.full((2, len(runs), instruments, width), np.nan)
        self.means = np.full((len(measures), len(runs), width), np.nan)
        self._counts = np.empty(width)
        self._block = block

    @property
    def warm_up_bars(self) -> int:
        """Bars at which an engine has seen too few to wish for anything, added up over all of them."""
        return sum(engines.warm_up_bars for engines in self._engines)

    def skip(self, until_us: int) -> None:
        """Advance all engines over the bars that are closed at or before this time."""
        for engines in self._engines:
            engines.skip(until_us, self._outs[engines.rows], self._block)

    def fill(self, closes_us: Integers) -> None:
        """Fill the tables for the columns that close at these times, which follow those of the block before."""
        for s, engines in enumerate(self._engines):
            outs = self._outs[engines.rows]
            places = engines.advance(closes_us, outs, aligned=self._aligned)
            lay_out(
                outs, places, engines.traded, engines.measure_rows, engines.measure_sizes, s, closes_us.size + 1,
                self.wishes, self.confidence, self.means, self._counts,
            )  # fmt: skip


class _Engines:
    """One schedule's engine on each of its instruments, and how far it has come."""

    def __init__(self, runs: Sequence[EngineRun | None], measures: Sequence[Measure]) -> None:
        engine = next(run.engine for run in runs if run is not None)
        self._streams = [None if run is None else _Stream(run) for run in runs]
        self.rows = engine.rows
        self.traded = np.array([run is not None for run in runs], dtype=np.int64)
        self.measure_rows = np.array([measure.row(engine) for measure in measures], dtype=np.int64)
        self.measure_sizes = np.array([measure.of_size for measure in measures], dtype=np.int64)

    @property
    def warm_up_bars(self) -> int:
        return sum(stream.warm_up_bars for stream in self._streams if stream is not None)

    def skip(self, until_us: int, outs: Floats, block: int) -> None:
        for i, stream in enumerate(self._streams):
            if stream is not None:
                stream.skip(until_us, outs[i], block)

    def advance(self, closes_us: Integers, outs: Floats, *, aligned: bool) -> Integers:
        """Write what the engines give to `outs`; returns the column of it that each column sees (none: the same)."""
        places = np.zeros((len(self._streams), 0 if aligned else closes_us.size + 1), dtype=np.int64)
        for i, stream in enumerate(self._streams):
            if stream is None:
                continue
            if aligned:
                stream.advance(stream.stop + closes_us.size, outs[i])
            else:
                seen = np.searchsorted(stream.closes_us, closes_us, side="right")
                places[i, 1:] = seen - stream.stop
                stream.advance(int(seen[-1]), outs[i])
        return places


class _Stream:
    """An engine on one instrument: its carry, and what it gave last."""

    def __init__(self, run: EngineRun) -> None:
        engine = run.engine
        self._run = run
        self._params = engine.pack(run.parameters, run.bars.interval_seconds, run.year_days)
        self._carry = engine.new_carry()
        self._last = np.full(engine.rows, np.nan)
        self._last[[TARGET, CONFIDENCE]] = 0.0
        self.warm_up_bars = run.warm_up_bars
        self.closes_us = run.bars.ts_us + run.bars.interval_seconds * MICROSECONDS
        self.stop = 0

    def advance(self, stop: int, out: Floats) -> None:
        """Write what the engine gives for the next bars, up to `stop`, after what it gave last."""
        out[:, 0] = self._last
        if stop > self.stop:
            self._run.advance(self._params, self._carry, out, self.stop, stop, 1)
            self._last[:] = out[:, stop - self.stop]
            self.stop = stop

    def skip(self, until_us: int, out: Floats, block: int) -> None:
        until = int(np.searchsorted(self.closes_us, until_us, side="right"))
        while self.stop < until:
            self.advance(min(self.stop + block, until), out)
