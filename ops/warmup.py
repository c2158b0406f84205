"""Compile every kernel for the arrays that it is called with, and say what the cache holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from ..config.commands import SuspendSchedule
from ..config.core import CoreConfig
from ..config.environments import Environment
from ..config.risk import RiskProfile
from ..config.runtime import Runtime
from ..config.schedulers import Schedule, Scheduler
from ..config.universes import Instrument, Universe
from ..engine.backtest import backtest
from ..engine.bars import MICROSECONDS, Bars, Floats
from ..engine.capital_policies import EqualWeightAllocation
from ..engine.catalog import DEFAULT_STRATEGY_CATALOG
from ..engine.growing import GrowingPanel
from ..engine.montecarlo import montecarlo
from ..engine.portfolio import portfolio
from ..engine.provenance import arithmetic_fingerprint
from ..engine.scheduler.backtest import backtest_scheduler
from ..engine.scheduler.live_machine import LiveMachine
from ..engine.scheduler.live_setup import plan_live, set_up_live
from ..engine.strategy import StrategyEngine
from ..engine.walk_forward import walk_forward
from ..kernels import _jit, breakout, extrema, moments, recurrences, returns, rolling, true_range, wide
from ..kernels.columns import VOLUME
from ..kernels.engines.sma_crossover import sma_crossover
from ..kernels.scheduler.reports import TOLD
from ..replay.builders import build_multi_strategy_runtime
from ..replay.live.feeds import LiveFeeds
from ..replay.live.loop import LiveLoop
from ..replay.stub.account import compile_fills
from ..replay.telemetry import InMemoryTelemetryEmitter
from . import gate_policies, yardsticks

_BARS = 300
_WINDOW = 14


@dataclass(frozen=True)
class CacheState:
    """What the cache folder of these kernels holds, and what this process did.

    Attributes:
        folder: Where compiled code is kept; None where nowhere.
        bytes: Its size.
        compiled_now: Signatures that this process compiled.
        loaded: Signatures that it took from the folder.
    """

    folder: str | None
    bytes: int
    compiled_now: int
    loaded: int

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def cache_state() -> CacheState:
    """What the cache folder holds now."""
    folder = _jit.CACHE_FOLDER
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder else 0
    return CacheState(str(folder) if folder else None, size, _jit.compiled_now(), _jit.loaded_from_cache())


def is_warm() -> bool:
    """Whether these kernels were compiled before."""
    return _jit.CACHE_FOLDER is not None and any(_jit.CACHE_FOLDER.rglob("*.nbi"))


def warmup_steps() -> list[Callable[[], object]]:
    """Calls that together compile everything, each some seconds of work at most."""
    bars = _some_bars()
    engines = [partial(_warm_engine, engine, bars) for engine in DEFAULT_STRATEGY_CATALOG]
    indicators = [partial(call, bars.close, np.empty(_BARS)) for call in _INDICATORS]
    with_bars = (
        _warm_venue, _warm_portfolio, _warm_walk, _warm_scheduler, _warm_live, _warm_montecarlo,
    )  # fmt: skip
    accounts = [partial(warm, bars) for warm in with_bars]
    others: list[Callable[[], object]] = [
        partial(_warm_wide, bars.close),
        _warm_capital,
        compile_fills,
        arithmetic_fingerprint,
        yardsticks.arithmetic(),
        gate_policies.CASES[0].prepare(1)(),
    ]
    return [*indicators, *engines, *accounts, *others]


def _some_bars() -> Bars:
    """Bars that swing enough for every engine to trade."""
    phase = np.arange(_BARS) / 7.0
    close = 100.0 + 5.0 * np.sin(phase) + 3.0 * np.cos(2.3 * phase)
    opening = np.append(close[:1], close[:-1])
    high, low = np.maximum(opening, close) + 0.5, np.minimum(opening, close) - 0.5
    times = np.arange(_BARS) * 3_600_000_000
    return Bars.from_arrays(times, opening, high, low, close, np.ones(_BARS), interval_seconds=3600)


def _warm_engine(engine: StrategyEngine, bars: Bars) -> None:
    result = backtest(bars, engine, secondary=bars if engine.needs_secondary else None)
    dict(result.metrics)
    for table in (result.equity, result.trades, result.fills, result.columns):
        table.height  # noqa: B018 - tables are made when they are asked for


def _warm_venue(bars: Bars) -> None:
    rates = pl.DataFrame({"timestamp": bars.ts_us[:1], "rate": [0.0]})
    backtest(bars, "sma_crossover", stop_loss_pct=1.0, funding=rates)


def _warm_montecarlo(bars: Bars) -> None:
    result = backtest(bars, "sma_crossover")
    for method in ("stationary", "shuffled_trades"):
        montecarlo(result, paths=1, method=method)


def _warm_portfolio(bars: Bars) -> None:
    dict(portfolio([bars], np.ones((len(bars), 1)), every=24).metrics)


def _warm_walk(bars: Bars) -> None:
    """Sweeps, of an engine that the compiled loop knows and of another, and the cross-validation of what they tell."""
    unknown = replace(DEFAULT_STRATEGY_CATALOG["sma_crossover"], kernel=partial(sma_crossover))
    for engine in (DEFAULT_STRATEGY_CATALOG["sma_crossover"], unknown):
        walk_forward(bars, engine, {"fast_ma": [3, 4]}, slow_ma=20, train_bars=150, test_bars=60)


def _warm_scheduler(bars: Bars) -> None:
    """A scheduler that trades, with an operator who closes what it holds; and in event time, with its telemetry."""
    command = SuspendSchedule(at=datetime.fromtimestamp(3600 * _BARS // 2, UTC), schedule="one", flatten=True)
    result = backtest_scheduler(_SCHEDULER, bars={"X": bars}, commands=[command])
    dict(result.metrics)
    build_multi_strategy_runtime(_SCHEDULER, bars={"X": bars}, emitters=[InMemoryTelemetryEmitter()]).run()


def _warm_live(bars: Bars) -> None:
    """A run whose bars are still coming, some of them joined into longer ones, and a venue's word on an order."""
    start_us, interval_us = int(bars.ts_us[-1]), bars.interval_seconds * MICROSECONDS
    plan = plan_live(_SCHEDULER, "demo")
    setup = set_up_live(plan, [bars.part(0, len(bars) - 1)], start_us, room=1)
    GrowingPanel([bars], ["X"], room=0).join([2 * bars.interval_seconds])
    loop = LiveLoop(LiveMachine(setup), "0" * 32, LiveFeeds(plan))
    loop.start()
    loop.begin(start_us, {0: float(bars.open[-1])})
    loop.advance(start_us + interval_us, {0: tuple(bars.values[: VOLUME + 1, -1].tolist())})
    loop.machine.take_report(0, 0, np.empty((0, TOLD)), 0, 0)


_SCHEDULER = CoreConfig(
    runtime=Runtime(
        multi_strategy_schedulers={
            "warmup": Scheduler(schedules={"one": Schedule(strategy="sma_crossover", cadence_seconds=3600.0)})
        }
    ),
    risk_profiles={"any": RiskProfile()},
    environments={
        "demo": Environment(
            type="demo", venue="x", risk_profile="any", instrument_universe="all", scheduler="warmup", capital=1e5
        )
    },
    instrument_universes={"all": Universe(instruments={"X": Instrument(primary="x")})},
)


def _warm_capital() -> None:
    EqualWeightAllocation().weights(pl.DataFrame({"schedule": ["one"]}))


def _warm_wide(close: Floats) -> None:
    table = np.ascontiguousarray(np.column_stack([close, close]))
    wide.zscore_wide(table, _WINDOW, np.zeros((wide.WIDE_CARRY, 2)), np.empty_like(table), 0, _BARS)


def _carry(size: int) -> Floats:
    return np.zeros(size)


_INDICATORS: tuple[Callable[[Floats, Floats], object], ...] = (
    lambda x, out: rolling.rolling_mean(x, _WINDOW, _carry(moments.MEAN_CARRY), out, 0, _BARS),
    lambda x, out: rolling.rolling_variance(x, _WINDOW, 0, _carry(moments.MOMENTS_CARRY), out, 0, _BARS),
    lambda x, out: rolling.rolling_std(x, _WINDOW, 0, _carry(moments.MOMENTS_CARRY), out, 0, _BARS),
    lambda x, out: rolling.zscore(x, _WINDOW, _carry(moments.MOMENTS_CARRY), out, 0, _BARS),
    lambda x, out: rolling.realized_volatility(x, _WINDOW, 1.0, _carry(moments.MOMENTS_CARRY), out, 0, _BARS),
    lambda x, out: extrema.rolling_max(x, _WINDOW, out, 0, _BARS),
    lambda x, out: extrema.rolling_min(x, _WINDOW, out, 0, _BARS),
    lambda x, out: recurrences.ema(x, 0.1, _carry(recurrences.SMOOTHED_CARRY), out, 0, _BARS),
    lambda x, out: recurrences.wilder(x, _WINDOW, _carry(recurrences.SMOOTHED_CARRY), out, 0, _BARS),
    lambda x, out: true_range.true_range(x, x, x, out, 0, _BARS),
    lambda x, out: true_range.atr(x, x, x, _WINDOW, _carry(true_range.ATR_CARRY), out, 0, _BARS),
    lambda x, out: returns.log_returns(x, out, 0, _BARS),
    lambda x, out: returns.simple_returns(x, out, 0, _BARS),
    lambda x, out: returns.momentum(x, _WINDOW, out, 0, _BARS),
    lambda x, out: breakout.breakout(x, x, x, _WINDOW, out, 0, _BARS),
)
