"""Small sweeps over bars with gaps, and what a row of one must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
from barstep.engine.bars import Bars, Floats
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.metrics import DESCRIPTIONS, TAIL
from barstep.engine.strategy import StrategyEngine
from barstep.engine.sweep.plan import SweepPlan
from making import HOUR_US, START_US, bars_of, walk_bars

MEASURED = tuple(name for name in DESCRIPTIONS if name not in TAIL)
"""Every metric that a sweep has."""


def gapped(n: int, seed: int = 1, symbol: str = "X") -> Bars:
    """A walk with gaps, some of them right after its beginning and around the edge of a block of 1,024 bars."""
    walked = walk_bars(n, seed, gaps=0.02, step=0.015)
    hours = (walked.ts_us - START_US) / HOUR_US
    for bar in (1, 2, 1023, 1024, 1025):
        hours[bar:] += 2
    made = bars_of(walked.close, walked.open, hours=hours.tolist(), volume=walked.values[4])
    return replace(made, symbol=symbol)


def by_itself(engine: StrategyEngine) -> StrategyEngine:
    """The same engine, so that barstep does not know it for its own."""

    def kernel(*given: Any) -> None:
        engine.kernel(*given)

    return replace(engine, kernel=kernel, name=f"another_{engine.name}")


def own(name: str) -> StrategyEngine:
    """One of barstep's engines."""
    return DEFAULT_STRATEGY_CATALOG[name]


def same(got: Floats, expected: Floats) -> bool:
    """Whether two arrays have the same numbers, bit for bit, and NaN in the same places."""
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    known = ~np.isnan(expected)
    is_nan = bool((np.isnan(got) == ~known).all())
    return got.shape == expected.shape and is_nan and got[known].tobytes() == expected[known].tobytes()


def rows_alone(plan: SweepPlan, backtest: Callable[..., Any] = bs.backtest, **given: Any) -> Floats:
    """float64[metric, row]: what `backtest` gives for each row, called as people call it."""
    values = np.empty((len(plan.metrics), plan.count))
    for row in range(plan.count):
        instrument, place = divmod(row, plan.sets.height)
        setup = plan.setups[instrument]
        asked = {**given, **plan.fixed, **plan.sets.row(place, named=True)}
        result = backtest(setup.bars, plan.engine, secondary=setup.secondary, **asked)
        values[:, row] = [result.metrics[name] for name in plan.metrics]
    return values
