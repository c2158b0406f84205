"""Rows of a sweep: those of barstep's own engines in one compiled loop, those of others one backtest after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...kernels import account, tally, trades
from ...kernels import metrics as statistics
from ...kernels import sweep as kernel
from ...kernels.columns import ANNUAL_SCALE, CLOSE, OPEN, OWN
from ...kernels.engines.by_indicators import INDICATORS, MOST_INDICATORS
from ...kernels.indicators import INDICATOR_CARRY
from ...kernels.venue import FUNDED, VENUE_RULES
from ..bars import Floats, Integers
from ..metrics import activity_figures, curve_figures, end_figures, group_of, trade_figures
from ..result import Result
from ..scheduler.engine_books import number_of
from ..simulation import Setup, simulate
from ..strategy import StrategyEngine, bars_per_year
from ..tables import bars_held
from .kinds import Progress, Rows, StoppedError
from .plan import SweepPlan

MOST_COLUMNS = 256
"""Indicators that are shared at a time: with a block of bars each, they stay in the second-level cache."""

_BARS_A_CALL = 64 * kernel.BLOCK
_WINDOW_BITS = 32


class RowRunner:
    """Runs rows of one plan; threads may share it."""

    def __init__(self, plan: SweepPlan) -> None:
        self.plan = plan
        self._groups = {group_of(name) for name in plan.metrics}
        self._number = number_of(plan.engine.kernel)

    @property
    def is_compiled(self) -> bool:
        """Whether one compiled loop runs all rows."""
        return self._number is not None

    def bytes_of(self, sets: int) -> int:
        """What `sets` rows that are run together hold, at most."""
        if not self.is_compiled:
            longest = max(len(setup.bars) for setup in self.plan.setups)
            return 8 * longest * 8
        row: int = (
            kernel.ENGINE + self.plan.engine.carry_size + VENUE_RULES + self._sets.params.shape[1] + MOST_INDICATORS
        )
        shared: int = MOST_COLUMNS * (kernel.BLOCK_STRIDE + INDICATOR_CARRY)
        scratch: int = (account.FILL_COLUMNS + 2 * trades.TRADE_COLUMNS) * kernel.BLOCK_FILLS + 16 * kernel.BLOCK_STRIDE
        return 8 * (sets * (row + 3 * self.plan.slices + len(self.plan.metrics)) + shared + scratch)

    @property
    def bytes_kept(self) -> int:
        """What is held of all sets while any of them runs."""
        if not self.is_compiled:
            return 0
        return sum(each.nbytes for each in (self._sets.params, self._sets.which, self._sets.reads))

    def shares_columns(self, start: int, stop: int) -> bool:
        """Whether rows of one instrument are few enough in their indicators to be run together."""
        if not self.is_compiled or stop - start == 1:
            return stop - start == 1
        height = self.plan.sets.height
        return bool(np.unique(self._sets.reads[start % height : (stop - 1) % height + 1]).size <= MOST_COLUMNS)

    def run(self, start: int, stop: int, progress: Progress) -> Rows:
        """What rows start..stop, all of one instrument, come to.

        Raises:
            StoppedError: `progress` said so.
        """
        if self._number is None:
            return self._run_each(start, stop, progress)
        instrument, first = divmod(start, self.plan.sets.height)
        sets = slice(first, first + stop - start)
        setup = self.plan.setups[instrument]
        batch = _Batch(self.plan.engine, self._number, setup, self._sets, sets, self._reduced, self.plan.slices)
        for begin in range(0, len(setup.bars), _BARS_A_CALL):
            end = min(begin + _BARS_A_CALL, len(setup.bars))
            batch.advance(begin, end)
            if not progress((end - begin) * (stop - start)):
                raise StoppedError
        return Rows(start, self._figures(setup, batch), batch.slices)

    def _figures(self, setup: Setup, batch: _Batch) -> Floats:
        """float64[metric, row]."""
        n, bars, finals = len(setup.bars), setup.bars, batch.finals()
        year = bars_per_year(bars.interval_seconds, setup.execution.year_days)
        growth = float(bars.close[-1] / bars.close[0])
        values = np.empty((len(self.plan.metrics), finals.size))
        for k in range(finals.size):
            row, capital, final = batch.state[k], float(batch.capital[k]), float(finals[k])
            fills = row[kernel.FILL_SUMS : kernel.TRADE_SUMS]
            found = end_figures(capital, final, year, n, growth)
            if "curve" in self._groups:
                curve = row[kernel.STATISTICS : kernel.FILL_SUMS]
                found |= curve_figures(curve, capital, final, year, float(fills[tally.TRADED]))
            if "trades" in self._groups:
                still_open = sum(row[trip + trades.HELD] != 0.0 for trip in (kernel.TRIPS, kernel.OTHER_TRIPS))
                found |= trade_figures(row[kernel.TRADE_SUMS : kernel.TRIPS], still_open)
            if "activity" in self._groups:
                found |= activity_figures(fills, bars_held(fills, n), n)
            values[:, k] = [found[name] for name in self.plan.metrics]
        return values

    def _run_each(self, start: int, stop: int, progress: Progress) -> Rows:
        values = np.empty((len(self.plan.metrics), stop - start))
        slices = np.zeros((stop - start, self.plan.slices, 3))
        for row in range(start, stop):
            result = simulate(self.plan.setup_of(row))
            values[:, row - start] = [result.metrics[name] for name in self.plan.metrics]
            if self.plan.slices:
                _slice(result, slices[row - start])
            if not progress(len(result.bars)):
                raise StoppedError
        return Rows(start, values, slices)

    @cached_property
    def _reduced(self) -> int:
        reduced = 0
        if "curve" in self._groups or self.plan.slices:
            reduced |= kernel.CURVE
        if self._groups & {"curve", "activity"}:
            reduced |= kernel.FILL_TABLE
        if "trades" in self._groups:
            reduced |= kernel.TRADE_TABLE
        return reduced

    @cached_property
    def _sets(self) -> _Sets:
        return _Sets.of(self.plan, () if self._number is None else INDICATORS[self._number])


def _slice(result: Result, moments: Floats) -> None:
    """Fill float64[slice, 3] with the moments of a result's bar returns."""
    ends, returns, before = (
        slice_ends(len(result.bars), moments.shape[0]),
        np.empty(kernel.BLOCK),
        result.execution.capital,
    )
    for start, equity in result.equity_chunks(kernel.BLOCK):
        kernel.add_slices(equity, before, start, ends, moments, returns)
        before = float(equity[-1])


def slice_ends(bars: int, slices: int) -> Integers:
    """int64[slice]: where equal parts of a history end."""
    return np.arange(1, slices + 1, dtype=np.int64) * bars // max(slices, 1)


@dataclass(frozen=True, eq=False)
class _Sets:
    """All sets as the kernel reads them.

    Attributes:
        params: float64[set, ·], the engine's.
        rules: float64[execution, VENUE_RULES], of each different one, without funding.
        plain: int64[execution], whether every order fills in full at the next open.
        capital: float64[execution].
        which: int64[set], the execution of a set.
        reads: int64[set, indicator], kind and window of what the engine reads, as one number.
    """

    params: Floats
    rules: Floats
    plain: Integers
    capital: Floats
    which: Integers
    reads: Integers

    @classmethod
    def of(cls, plan: SweepPlan, specs: Sequence[Sequence[int]]) -> _Sets:
        """Those of a plan. specs: of `INDICATORS`, what the engine reads."""
        base, engine = plan.setups[0], plan.engine
        seconds = base.bars.interval_seconds
        read = engine.read_parameters({name: v for name, v in plan.options(0).items() if name in plan.own})
        params = np.tile(engine.pack(read, seconds, base.execution.year_days, False), (plan.sets.height, 1))
        numbers = [parameter.name for parameter in engine.parameters if parameter.kind != "text"]
        for slot, name in enumerate(numbers, start=OWN):
            if name in plan.sets.columns:
                params[:, slot] = plan.sets[name].cast(float).to_numpy()
        made, which = plan.executions
        hedged = base.pair is not None
        rules = [one.rules(hedged=hedged, interval_seconds=seconds, funded=False) for one in made]
        plain = [one.is_plain for one in made]
        return cls(
            params=params,
            rules=np.array(rules),
            plain=np.array(plain, dtype=np.int64),
            capital=np.array([one.capital for one in made]),
            which=which,
            reads=_reads(specs, params),
        )


def _reads(specs: Sequence[Sequence[int]], params: Floats) -> Integers:
    """int64[set, indicator]: kind and window as one number; what is not read is the one before."""
    reads = np.zeros((params.shape[0], max(len(specs), 1)), dtype=np.int64)
    for k, (kind, slot, *condition) in enumerate(specs):
        reads[:, k] = (kind << _WINDOW_BITS) + params[:, slot].astype(np.int64)
        if condition:
            reads[:, k] = np.where(params[:, condition[0]] != 0.0, reads[:, k], reads[:, k - 1])
    return reads


class _Batch:
    """Some sets on their way through one instrument's bars."""

    def __init__(
        self, engine: StrategyEngine, number: int, setup: Setup, sets: _Sets, part: slice, reduced: int, slices: int
    ) -> None:
        which, bars = sets.which[part], setup.bars
        self.capital, self._rules = sets.capital[which], sets.rules[which]
        self._rules[:, FUNDED] = float(setup.funding is not None)
        count = which.size
        read, places = np.unique(sets.reads[part], return_inverse=True)
        self._places = np.zeros((count, MOST_INDICATORS), dtype=np.int64)
        self._places[:, : sets.reads.shape[1]] = places.reshape(count, -1)
        kinds = np.stack((read >> _WINDOW_BITS, read & ((1 << _WINDOW_BITS) - 1)), axis=1)
        if not INDICATORS[number]:
            kinds = kinds[:0]
        self.state = np.empty((count, kernel.ENGINE + engine.carry_size))
        kernel.start_sets(self.capital, self.state)
        self.slices = np.zeros((count, slices, 3))
        params = np.ascontiguousarray(sets.params[part])
        opens, closes = bars.values[OPEN], bars.values[CLOSE]
        self._marks = closes if setup.pair is None else setup.pair.marks
        self._given = (
            number,
            bars.values if setup.pair is None else setup.pair.values,
            bars.numbers,
            bars.segment_starts[1:],
            np.empty(0) if setup.funding is None else setup.funding,
            self._marks,
            opens if setup.pair is None else setup.pair.secondary_open,
            kinds,
            float(params[0, ANNUAL_SCALE]),
            np.zeros((read.size, INDICATOR_CARRY)),
            params,
            self._rules,
            sets.plain[which] * (setup.funding is None),
            self._places,
            self.state,
            slice_ends(len(bars), slices),
            self.slices,
            reduced,
            np.empty((read.size, kernel.BLOCK_STRIDE)),
            np.empty((engine.rows, kernel.BLOCK_STRIDE)),
            np.empty((account.FILL_COLUMNS, kernel.BLOCK_FILLS)),
            np.empty((2, trades.TRADE_COLUMNS, kernel.BLOCK_FILLS)),
            np.empty(kernel.BLOCK),
            np.empty(statistics.STATISTICS_SCRATCH),
        )

    def advance(self, start: int, stop: int) -> None:
        """Take in bars start..stop."""
        kernel.sweep_sets(*self._given, start, stop)

    def finals(self) -> Floats:
        """float64[set]: equity at the last close."""
        found = np.empty(self.state.shape[0])
        kernel.final_equities(float(self._marks[-1]), self._rules, self.state, found)
        return found
