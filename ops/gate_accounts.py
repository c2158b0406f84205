"""Cases of accounts and of loops: backtests, the scheduler's cell, a step of the event loop, a bar of the live loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..engine.backtest import backtest
from ..engine.bars import MICROSECONDS, Bars
from ..engine.portfolio import portfolio
from ..engine.scheduler.backtest import set_up_scheduler
from ..engine.scheduler.live_machine import LiveMachine
from ..engine.scheduler.live_setup import plan_live, set_up_live
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.setup import SchedulerSetup
from ..kernels.columns import VOLUME
from ..replay.event_loop import EventLoop
from ..replay.live.feeds import LiveFeeds
from ..replay.live.loop import LiveLoop
from .gate_case import Case, Fresh, Run, always
from .gate_inputs import MINUTE, bars_of, candles, scheduler_config

BARS = 16_384
ENGINES = ("daily_trend_momentum", "mean_reversion", "grid_trading", "volatility_target", "sma_crossover")
INSTRUMENTS = ("A", "B", "C", "D")
BLOCK_BARS, STEPS, PARTS, PAST_BARS = 128, 10, 15, 300
CELLS = BLOCK_BARS * len(ENGINES) * len(INSTRUMENTS)
LEVELS = {"stop_loss_pct": 1.0, "take_profit_pct": 2.0}


def _bars(count: int, names: tuple[str, ...]) -> dict[str, Bars]:
    return {name: bars_of(candles(count, seed=k), name) for k, name in enumerate(names)}


def _backtest(options: Mapping[str, Any], count: int) -> Fresh:
    bars = bars_of(candles(count))
    bars.segment_starts  # noqa: B018 - found out once for all backtests of the same bars
    return always(lambda: backtest(bars, "sma_crossover", fast_ma=25, slow_ma=100, fee_bps=1, **options))


def _portfolio(count: int) -> Fresh:
    """A table of weights that are set at each 24th bar; `count` is of cells."""
    bars = list(_bars(count // len(INSTRUMENTS), INSTRUMENTS).values())
    weights = np.full((len(bars[0]), len(bars)), np.nan)
    weights[::24] = np.random.default_rng(7).dirichlet(np.ones(len(bars)), weights[::24].shape[0])
    return always(lambda: portfolio(bars, weights, fee_bps=1))


def _scheduler(count: int) -> SchedulerSetup:
    config = scheduler_config({f"{engine}_schedule": engine for engine in ENGINES}, INSTRUMENTS)
    return set_up_scheduler(config, bars=_bars(count, INSTRUMENTS), fee_bps=1)


def _in_parts(begin: Callable[[], Run]) -> Fresh:
    """A loop that is turned on by each run and begun anew, untimed, after so many of them."""
    left: list[Run] = []

    def fresh() -> Run:
        if not left:
            left.extend([begin()] * PARTS)
        return left.pop()

    return fresh


def _cells(count: int) -> Fresh:
    """Schedules times instruments times bars: a block, as a backtest does them."""
    block = count // (len(ENGINES) * len(INSTRUMENTS))
    setup = _scheduler(PAST_BARS + PARTS * block)

    def begin() -> Run:
        loop = EventLoop(SchedulerMachine(setup), block_bars=block)
        loop.burst()
        return loop.burst

    return _in_parts(begin)


def _steps(count: int) -> Fresh:
    """Instants one after the other, as they are done where somebody hears of each."""
    setup = _scheduler(PAST_BARS + PARTS * count)

    def begin() -> Run:
        loop = EventLoop(SchedulerMachine(setup), block_bars=1)
        for _ in range(PAST_BARS):
            loop.step()
        return partial(_repeat, loop.step, count)

    return _in_parts(begin)


def _repeat(run: Run, count: int) -> None:
    for _ in range(count):
        run()


def _live(count: int) -> Fresh:
    """Bars of a live loop that has its history: open, close, decide. Nothing is written down or sent."""
    plan = plan_live(scheduler_config({"only": "sma_crossover"}, ("A",)), "gate")
    room = PARTS * count
    bars = bars_of(candles(PAST_BARS + room), "A")
    start_us, interval_us = int(bars.ts_us[PAST_BARS]), MINUTE * MICROSECONDS
    rows = [tuple(row) for row in bars.values[: VOLUME + 1, PAST_BARS:].T.tolist()]

    def begin() -> Run:
        setup = set_up_live(plan, [bars.part(0, PAST_BARS)], start_us, room=room)
        loop = LiveLoop(LiveMachine(setup), "0" * 32, LiveFeeds(plan))
        loop.start()
        coming = iter(zip(range(start_us, start_us + room * interval_us, interval_us), rows, strict=True))

        def take() -> None:
            at_us, row = next(coming)
            loop.begin(at_us, {0: row[0]})
            loop.advance(at_us + interval_us, {0: row})

        return partial(_repeat, take, count)

    return _in_parts(begin)


CASES = (
    Case(name="backtest", bars=BARS, prepare=partial(_backtest, {})),
    Case(name="backtest with levels", bars=BARS, prepare=partial(_backtest, LEVELS)),
    Case(name="portfolio", bars=BARS // 2, prepare=_portfolio, unit="cell"),
    Case(name="scheduler", bars=CELLS, prepare=_cells, unit="cell"),
    Case(name="event loop", bars=STEPS, prepare=_steps, unit="step"),
    Case(name="live loop", bars=STEPS, prepare=_live),
)
