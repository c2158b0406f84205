"""Cases of the indicator kernels and of the engines: histories that stay in the second-level cache.

A longer history is the same work with the memory's bandwidth in it, which belongs to whoever else runs on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from ..engine.bars import Floats
from ..engine.builtin import BUILTIN_ENGINES
from ..engine.pairing import pair
from ..engine.simulation import EngineRun
from ..engine.strategy import StrategyEngine
from ..kernels import breakout, extrema, moments, recurrences, returns, rolling, true_range, wide
from ..kernels.moments import NUMBER
from .gate_case import Case, Fresh, always
from .gate_inputs import bars_of, candles, laid_out, second_venue

BARS, CALLS = 16_104, 256
"""Rows of a table of so many bars begin at different places of a page; see `laid_out`."""
WINDOW, ATR_WINDOW, COLUMNS = 96, 14, 64
YEAR_DAYS = 365.0

Call = Callable[[Mapping[str, Floats], Floats, int], object]


def _carry(size: int) -> Floats:
    return np.zeros(size)


_INDICATORS: dict[str, Call] = {
    "rolling mean": lambda x, out, n: rolling.rolling_mean(x["close"], WINDOW, _carry(moments.MEAN_CARRY), out, 0, n),
    "rolling std": lambda x, out, n: rolling.rolling_std(
        x["close"], WINDOW, 0, _carry(moments.MOMENTS_CARRY), out, 0, n
    ),
    "z-score": lambda x, out, n: rolling.zscore(x["close"], WINDOW, _carry(moments.MOMENTS_CARRY), out, 0, n),
    "realised volatility": lambda x, out, n: rolling.realized_volatility(
        x["close"], WINDOW, 1.0, _carry(moments.MOMENTS_CARRY), out, 0, n
    ),
    "rolling max": lambda x, out, n: extrema.rolling_max(x["close"], WINDOW, out, 0, n),
    "rolling min": lambda x, out, n: extrema.rolling_min(x["close"], WINDOW, out, 0, n),
    "EMA": lambda x, out, n: recurrences.ema(
        x["close"], 2.0 / (WINDOW + 1), _carry(recurrences.SMOOTHED_CARRY), out, 0, n
    ),
    "Wilder": lambda x, out, n: recurrences.wilder(x["close"], WINDOW, _carry(recurrences.SMOOTHED_CARRY), out, 0, n),
    "true range": lambda x, out, n: true_range.true_range(x["high"], x["low"], x["close"], out, 0, n),
    "ATR": lambda x, out, n: true_range.atr(
        x["high"], x["low"], x["close"], ATR_WINDOW, _carry(true_range.ATR_CARRY), out, 0, n
    ),
    "log returns": lambda x, out, n: returns.log_returns(x["close"], out, 0, n),
    "simple returns": lambda x, out, n: returns.simple_returns(x["close"], out, 0, n),
    "momentum": lambda x, out, n: returns.momentum(x["close"], WINDOW, out, 0, n),
    "breakout": lambda x, out, n: breakout.breakout(x["high"], x["low"], x["close"], WINDOW, out, 0, n),
}


def _indicator(call: Call, count: int) -> Fresh:
    made = candles(count)
    *rows, out = laid_out([*made.values(), np.zeros(count)])
    columns = dict(zip(made, rows, strict=True))
    return always(lambda: call(columns, out, count))


def _wide_zscore(count: int) -> Fresh:
    """`count` cells of a table of 64 columns."""
    rows = count // COLUMNS
    flat, out = laid_out([candles(rows * COLUMNS)["close"], np.zeros(rows * COLUMNS)])
    values, out = flat.reshape(rows, COLUMNS), out.reshape(rows, COLUMNS)
    carry = np.zeros((wide.WIDE_CARRY, COLUMNS))

    def run() -> None:
        carry[:] = 0.0
        wide.zscore_wide(values, WINDOW, carry, out, 0, rows)

    return always(run)


def _engine_run(engine: StrategyEngine, count: int) -> EngineRun:
    columns = candles(count)
    bars = bars_of(columns)
    values = bars.values
    if engine.needs_secondary:
        values = pair(bars, bars_of(second_venue(columns), venue="two")).values
    values = laid_out([values.ravel()])[0].reshape(values.shape)
    return EngineRun(engine, engine.read_parameters({}), bars, values, YEAR_DAYS)


def _whole(engine: StrategyEngine, count: int) -> Fresh:
    """All rows of all bars in one call, volatility too."""
    made = _engine_run(engine, count)
    params = engine.pack(made.parameters, made.bars.interval_seconds, YEAR_DAYS)
    out = laid_out([np.zeros(engine.rows * (count + 24))])[0].reshape(engine.rows, count + 24)
    return always(lambda: made.advance(params, engine.new_carry(), out, 0, count, 0))


def _bar_by_bar(engine: StrategyEngine, count: int) -> Fresh:
    """The last `count` bars of a history, each by a call from Python, as a live loop makes it."""
    made = _engine_run(engine, BARS)
    params = engine.pack(made.parameters, made.bars.interval_seconds, YEAR_DAYS)
    kernel, values, out, first = engine.kernel, made.values, np.empty((engine.rows, 1)), BARS - count
    warm, carry = engine.new_carry(), engine.new_carry()
    made.advance(params, warm, np.empty((engine.rows, first)), 0, first, 0)
    warm[NUMBER] = made.bars.numbers[first]

    def run() -> None:
        carry[:] = warm
        for k in range(first, BARS):
            kernel(values, params, carry, out, k, k + 1, 0)

    return always(run)


def engine_cases(engine: StrategyEngine, name: str) -> tuple[Case, Case]:
    """An engine over a history in one call, and bar by bar from Python."""
    return (
        Case(name=name, bars=BARS, prepare=partial(_whole, engine)),
        Case(name=f"{name}, bar by bar", bars=CALLS, prepare=partial(_bar_by_bar, engine)),
    )


INDICATORS = (
    *(Case(name=name, bars=BARS, prepare=partial(_indicator, call)) for name, call in _INDICATORS.items()),
    Case(name="wide z-score", bars=2 * BARS, prepare=_wide_zscore, unit="cell"),
)
ENGINES = tuple(case for engine in BUILTIN_ENGINES for case in engine_cases(engine, engine.name))
