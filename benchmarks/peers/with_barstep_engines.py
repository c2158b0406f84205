"""The engines at their default parameters: over a whole history, and for one bar called from Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from barstep.engine.backtest import EngineRun
from barstep.engine.builtin import BUILTIN_ENGINES
from barstep.engine.pairing import pair
from barstep.engine.strategy import StrategyEngine
from barstep.kernels.moments import NUMBER
from with_barstep_backtest import make_bars
from work import Inputs, Work

HOUR = 3600
YEAR_DAYS = 365.0
CHUNK = 16_384  # as in a backtest: the rows are still in the second-level cache when they are read


def _engine_run(engine: StrategyEngine, inputs: Inputs) -> EngineRun:
    bars = make_bars(inputs, HOUR)
    values = bars.values
    if engine.needs_secondary:
        flat = dict.fromkeys(("open", "high", "low", "close"), inputs["other"])
        values = pair(bars, make_bars(flat, HOUR)).values
    return EngineRun(engine, engine.read_parameters({}), bars, values, YEAR_DAYS)


def batch(engine: StrategyEngine, inputs: Inputs) -> Work:
    """All rows of all bars, volatility too, a chunk at a time."""
    run_of = _engine_run(engine, inputs)

    def run() -> np.ndarray:
        for _, _, rows in run_of.outputs(CHUNK, with_telemetry=True):
            last = rows
        return last

    return Work(run)


def one_bar(engine: StrategyEngine, inputs: Inputs) -> Work:
    """The kernel called from Python once a bar, as a live loop calls it."""
    run_of = _engine_run(engine, inputs)
    params = engine.pack(run_of.parameters, HOUR, YEAR_DAYS)
    values, kernel, out = run_of.values, engine.kernel, np.empty((engine.rows, 1))
    first = float(run_of.bars.numbers[0])

    def run() -> np.ndarray:
        carry = engine.new_carry()
        carry[NUMBER] = first
        for k in range(values.shape[1]):
            kernel(values, params, carry, out, k, k + 1, 0)
        return out

    return Work(run)


NAMES = tuple(engine.name for engine in BUILTIN_ENGINES)
WORK: dict[str, Callable[[Inputs], Work]] = {
    **{f"batch {engine.name}": partial(batch, engine) for engine in BUILTIN_ENGINES},
    **{f"one bar {engine.name}": partial(one_bar, engine) for engine in BUILTIN_ENGINES},
}
