"""The tests of a walk forward as one account, and what each of them came to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from .backtest import set_up_backtest
from .bars import Floats, Integers
from .execution import Execution
from .funding import funding_by_bar
from .pairing import pair
from .result import Result
from .simulation import Setup, simulate
from .walk_setup import WalkSetup
from .walk_windows import Window

_CLOSING = 2
"""Last bars of a test whose wish is 0: decided at the close of the one, a position is closed at the other's open."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a training chose.

    Attributes:
        window: The training, and the test that follows.
        row: Number of the set; None where no set had a value to be chosen by.
        varied: Its values by axis.
        metrics: What it came to in the training.
    """

    window: Window
    row: int | None = None
    varied: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What a choice came to in its test.

    Attributes:
        choice: The set, and where it was chosen.
        capital: Equity that the test began with.
        final_equity: Equity at its last close.
        metrics: What the test came to alone; without values where there was nothing left to begin with.
    """

    choice: Choice
    capital: float
    final_equity: float
    metrics: Mapping[str, float]

    @property
    def return_pct(self) -> float:
        """Growth of equity in the test."""
        return (self.final_equity / self.capital - 1.0) * 100.0 if self.capital > 0.0 else math.nan


def stitch(setup: WalkSetup, choices: Sequence[Choice]) -> tuple[Result, tuple[Tested, ...]]:
    """Trade all choices over their tests with one account, and each test alone. Bars between tests are left out."""
    windows = [choice.window for choice in choices]
    places = np.concatenate([np.arange(window.test_start, window.test_stop) for window in windows])
    begins = [0, *accumulate(window.test_stop - window.test_start for window in windows)]
    wishes = np.zeros(places.size)
    tests = [wishes[begin:end] for begin, end in pairwise(begins)]
    executions = [_go_on(setup, choice, test) for choice, test in zip(choices, tests, strict=True)]
    base = _execution(setup)
    takeovers = tuple(zip(begins, executions, strict=False))
    stitched = simulate(_over(setup, places, wishes, base, takeovers))
    tested, capital = [], base.capital
    for choice, test, execution, begin, end in zip(choices, tests, executions, begins, begins[1:], strict=False):
        final = float(stitched.equity_values[end - 1])
        metrics = dict.fromkeys(setup.metrics, math.nan)
        if capital > 0.0:
            alone = simulate(_over(setup, places[begin:end], test, replace(execution, capital=capital)))
            metrics = {name: alone.metrics[name] for name in metrics}
        tested.append(Tested(choice=choice, capital=capital, final_equity=final, metrics=metrics))
        capital = final
    return stitched, tuple(tested)


def _go_on(setup: WalkSetup, choice: Choice, out: Floats) -> Execution:
    """Write what the chosen set wishes in its test, float64[bar], and return how it is traded."""
    if choice.row is None:
        return _execution(setup)
    window = choice.window
    seen = setup.bars.part(window.train_start, window.test_stop)
    made = set_up_backtest(seen, setup.engine, secondary=setup.secondary, **setup.options, **choice.varied)
    first = window.test_start - window.train_start
    for start, stop, target in made.wishes():
        if stop > first:
            after = max(start, first)
            out[after - first : stop - first] = target[after - start : stop - start]
    out[-_CLOSING:] = 0.0
    return made.execution


def _execution(setup: WalkSetup) -> Execution:
    """The execution without what is varied."""
    return Execution(**{name: value for name, value in setup.options.items() if name not in setup.engine.own})


def _over(
    setup: WalkSetup,
    places: Integers,
    wishes: Floats,
    execution: Execution,
    takeovers: tuple[tuple[int, Execution], ...] = (),
) -> Setup:
    """The backtest of wishes over the bars at some places."""
    bars = setup.bars.take(places)
    return Setup(
        bars,
        execution,
        own_wishes=wishes,
        secondary=setup.secondary,
        pair=None if setup.secondary is None else pair(bars, setup.secondary),
        funding=None if setup.funding is None else funding_by_bar(bars, setup.funding),
        takeovers=takeovers,
    )
