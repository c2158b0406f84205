"""From wishes to fills: the engine in pieces that stay in the cache, and the account that trades them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..kernels import account, venue
from ..kernels.columns import CLOSE, OPEN, TARGET
from ..kernels.moments import NUMBER
from .bars import Bars, Floats
from .execution import Execution
from .pairing import Pair
from .result import Result
from .strategy import StrategyEngine, Value

_CHUNK = 16384
"""Bars whose wishes are made at a time: they are still in the second-level cache when they are traded."""

_STRIDE_PAD = 24
"""Rows a power of two apart would share cache sets."""

_FIRST_FILLS = 1024
_BARS_A_FILL = 32
"""The table of fills begins with room for one in so many bars: pages that nothing is written to take no memory."""


Part = tuple[Floats, int]


@dataclass(frozen=True)
class EngineRun:
    """An engine with its parameters over one history: it can be asked for its rows again at any time."""

    engine: StrategyEngine
    parameters: dict[str, Value]
    bars: Bars
    values: Floats
    year_days: float

    @property
    def warm_up_bars(self) -> int:
        """Bars at the beginning at which the engine has seen too few to wish for anything."""
        return min(self.engine.history(self.parameters) - 1, len(self.bars))

    def outputs(self, chunk: int, with_telemetry: bool) -> Iterator[tuple[int, int, Floats]]:
        """Yield (start, stop, rows): the engine's rows for bars start..stop. The buffer is used again and again.

        Without volatility no telemetry is asked for, and no row but TARGET is to be read.
        """
        params = self.engine.pack(self.parameters, self.bars.interval_seconds, self.year_days, with_telemetry)
        carry = self.engine.new_carry()
        out = np.empty((self.engine.rows, chunk + _STRIDE_PAD))
        (out if with_telemetry else out[TARGET]).fill(np.nan)  # to fill what is not read was 3 % of a run
        for start in range(0, len(self.bars), chunk):
            stop = min(start + chunk, len(self.bars))
            self.advance(params, carry, out, start, stop, 0)
            yield start, stop, out

    def advance(
        self, params: Floats, carry: Floats, out: Floats, start: int, stop: int, at: int, part: Part | None = None
    ) -> None:
        """Write the rows of bars start..stop to columns from `at` on, cut at gaps: only there does the number jump.

        part: A piece of `values` that reaches back as far as the engine reads, and the bar that it begins with.
        """
        numbers, kernel = self.bars.numbers, self.engine.kernel
        values, first = part or (self.values, 0)
        if self.bars.is_gapless:  # a scheduler makes many short calls
            carry[NUMBER] = numbers[start]
            kernel(values, params, carry, out, start - first, stop - first, at)
            return
        starts = self.bars.segment_starts
        inside = starts[np.searchsorted(starts, start, side="right") : np.searchsorted(starts, stop)]
        for begin, end in pairwise((start, *inside.tolist(), stop)):
            carry[NUMBER] = numbers[begin]
            kernel(values, params, carry, out, begin - first, end - first, at + begin - start)

    def rows(self) -> Floats:
        """All rows for all bars: float64[row, bar]."""
        for _, stop, out in self.outputs(max(len(self.bars), 1), with_telemetry=True):
            return out[:, :stop]
        return np.empty((self.engine.rows, 0))


@dataclass(frozen=True)
class Setup:
    """All that a backtest depends on: it can be run again, also with another execution.

    Attributes:
        bars: The instrument's history.
        execution: Costs, sizes, orders and levels.
        run: The engine and its parameters; None where the caller gave the wishes.
        own_wishes: float64[bar], the caller's wishes; None where an engine makes them.
        secondary: The second venue's history, for an arbitrage.
        pair: The two laid side by side, for an arbitrage.
        funding: float64[bar], the rate paid at each bar's open; None where none is paid.
        takeovers: Executions that take the place of the one before, each from the bar on that stands before it. What is
            one for the whole account, such as its capital and lot, stays.
    """

    bars: Bars
    execution: Execution
    run: EngineRun | None = None
    own_wishes: Floats | None = None
    secondary: Bars | None = None
    pair: Pair | None = None
    funding: Floats | None = None
    takeovers: tuple[tuple[int, Execution], ...] = ()

    def wishes(self) -> Iterator[tuple[int, int, Floats]]:
        """Yield (start, stop, wishes of the bars between)."""
        if self.own_wishes is not None:
            yield 0, len(self.bars), self.own_wishes
        if self.run is not None:
            for start, stop, rows in self.run.outputs(_CHUNK, with_telemetry=False):
                yield start, stop, rows[TARGET]

    def executions(self, start: int, stop: int) -> Iterator[tuple[int, int, Execution]]:
        """Yield (start, stop, execution) of the stretches of start..stop that have one execution."""
        if not self.takeovers:  # each chunk asks, and hardly a run has any: looking for them took 2 % of it
            yield start, stop, self.execution
            return
        begins = [0, *(begin for begin, _ in self.takeovers), len(self.bars)]
        for (begin, end), execution in zip(
            pairwise(begins), (self.execution, *(each for _, each in self.takeovers)), strict=True
        ):
            if max(begin, start) < min(end, stop):
                yield max(begin, start), min(end, stop), execution

    def other_order(self) -> Setup:
        """The same with the other order in every ambiguous bar."""
        other = "optimistic" if self.execution.ambiguous_fills == "pessimistic" else "pessimistic"
        takeovers = tuple((begin, replace(each, ambiguous_fills=other)) for begin, each in self.takeovers)
        return replace(self, execution=replace(self.execution, ambiguous_fills=other), takeovers=takeovers)


def simulate(setup: Setup) -> Result:
    """Trade the wishes chunk by chunk and hand everything to the result."""
    trading = _Trading(setup)
    for start, stop, target in setup.wishes():
        for begin, end, execution in setup.executions(start, stop):
            trading.follow(execution)
            trading.advance(begin, end, target[begin - start :])
    return Result(setup=setup, marks=trading.marks, fill_table=trading.written, account=trading.carry)


class _Trading:
    """An account on its way through the bars, and the table of its fills, which grows."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._bars = setup, setup.bars
        whole = setup.executions(0, len(setup.bars))
        self._plain = setup.funding is None and all(each.is_plain for _, _, each in whole)
        self._execution: Execution | None = None
        self._rules = np.empty(0)
        self._funding = np.empty(0) if setup.funding is None else setup.funding
        self._closes, self._opens = setup.bars.values[CLOSE], setup.bars.values[OPEN]
        self.marks = self._closes if setup.pair is None else setup.pair.marks
        self._other_opens = self._opens if setup.pair is None else setup.pair.secondary_open
        self.carry = np.zeros(venue.VENUE_CARRY)
        self.carry[account.CASH] = setup.execution.capital
        self._fills = np.empty((account.FILL_COLUMNS, max(_FIRST_FILLS, len(setup.bars) // _BARS_A_FILL)))

    def follow(self, execution: Execution) -> None:
        """Trade by these costs, sizes, orders and levels from now on."""
        if execution is self._execution:
            return
        self._execution = execution
        self._rules = execution.rules(
            hedged=self._setup.pair is not None,
            interval_seconds=self._bars.interval_seconds,
            funded=self._setup.funding is not None,
        )

    def advance(self, start: int, stop: int, target: Floats) -> None:
        """Trade the wishes of start..stop."""
        at = start
        while at < stop:
            at = self._trade(at, stop, target[at - start :])
            if at < stop:
                self._fills = _twice_as_long(self._fills)

    def _trade(self, start: int, stop: int, target: Floats) -> int:
        bars, fills = self._bars, self._fills
        if not self._plain:
            return int(
                venue.trade_at_venue(
                    bars.values, self._funding, bars.numbers, target, self._rules, self.carry, fills, start, stop
                )
            )
        return int(
            account.trade_targets(
                self._opens, self._closes, self.marks, self._other_opens, bars.numbers, target, self._rules, self.carry,
                fills, start, stop,
            )
        )  # fmt: skip

    @property
    def written(self) -> Floats:
        """The fills so far."""
        return self._fills[:, : int(self.carry[account.FILLS])]


def _twice_as_long(fills: Floats) -> Floats:
    longer = np.empty((fills.shape[0], 2 * fills.shape[1]))
    longer[:, : fills.shape[1]] = fills
    return longer
