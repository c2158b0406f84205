"""Small histories for the engine tests: bars by hand, random walks, and what two results must share to be the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from barstep.engine.backtest import backtest
from barstep.engine.bars import Bars, Floats
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.pairing import pair
from barstep.engine.result import Result
from barstep.engine.simulation import EngineRun
from barstep.engine.strategy import StrategyEngine, Value
from numpy.typing import ArrayLike

HOUR = 3600
HOUR_US = 3_600_000_000
START_US = 1_704_067_200_000_000
"""2024-01-01T00:00Z."""

START_NUMBER = START_US // HOUR_US


def bars_of(
    closes: ArrayLike,
    opens: ArrayLike | None = None,
    *,
    hours: Sequence[float] | None = None,
    interval_seconds: int = HOUR,
    venue: str = "v",
    volume: ArrayLike | None = None,
    high: ArrayLike | None = None,
    low: ArrayLike | None = None,
) -> Bars:
    """Bars of an instrument X that open `hours` after 2024, one after another where none are given.

    Each opens at the close before unless `opens` says otherwise; high and low reach as far as open, close and what is
    given for them.
    """
    close = np.array(closes, dtype=float)
    opened = np.concatenate((close[:1], close[:-1])) if opens is None else np.array(opens, dtype=float)
    places = np.arange(close.size) * interval_seconds if hours is None else np.array(hours) * HOUR
    times = START_US + (places * 1_000_000).astype(np.int64)
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    top = top if high is None else np.maximum(top, high)
    bottom = bottom if low is None else np.minimum(bottom, low)
    return Bars.from_arrays(
        times, opened, top, bottom, close, volume,
        interval_seconds=interval_seconds, symbol="X", venue=venue,
    )  # fmt: skip


def walk_bars(n: int, seed: int = 1, *, step: float = 0.01, gaps: float = 0.0, venue: str = "v") -> Bars:
    """A random walk of `n` hours that opens off the close before; a share `gaps` of the hours is missing."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal(n) * step))
    opens = np.concatenate((close[:1], close[:-1])) * np.exp(rng.standard_normal(n) * step / 3)
    hours = np.cumsum(1 + (rng.random(n) < gaps) * rng.integers(1, 9, n))
    return bars_of(close, opens, hours=hours.tolist(), venue=venue, volume=rng.random(n) * 1e6)


def part_of(bars: Bars, start: int, stop: int) -> Bars:
    """Bars start..stop as a history of their own."""
    columns = bars.values[:5, start:stop]
    return Bars.from_arrays(
        bars.ts_us[start:stop], *columns,
        interval_seconds=bars.interval_seconds, symbol=bars.symbol, venue=bars.venue,
    )  # fmt: skip


def with_rows(bars: Bars, rows: slice, **factors: float) -> Bars:
    """The same times with every price of some rows multiplied by `price`."""
    columns = bars.values[:5].copy()
    columns[:4, rows] *= factors["price"]
    return Bars.from_arrays(
        bars.ts_us, *columns, interval_seconds=bars.interval_seconds, symbol=bars.symbol, venue=bars.venue
    )


def random_wishes(n: int, seed: int = 3, stay: float = 0.8) -> Floats:
    """Wishes between -1 and 1 that stay what they were in a share `stay` of the bars; a third of the others are 0."""
    rng = np.random.default_rng(seed)
    fresh = np.round(rng.uniform(-1.0, 1.0, n), 3) * (rng.random(n) < 0.67)
    changes = rng.random(n) >= stay
    last = np.maximum.accumulate(np.where(changes, np.arange(n), -1))
    return np.where(last >= 0, fresh[np.maximum(last, 0)], 0.0)


def second_venue(bars: Bars, seed: int = 9, step: float = 0.004) -> Bars:
    """Another venue's bars around the first one's prices."""
    off = np.exp(np.random.default_rng(seed).standard_normal((2, len(bars))) * step)
    hours = (bars.ts_us - START_US) / HOUR_US
    return bars_of(bars.close * off[0], bars.open * off[1], hours=hours.tolist(), venue="w")


def six_bars_by_hand() -> Result:
    """Ten units long from bar 1 to bar 3, short from bar 4 on, at no cost.

    Bought at 10, sold at 11, sold short at 13; the closes mark 1000, 1020, 1010, 1010, 1020 and 990.
    """
    bars = bars_of([10.0, 12.0, 11.0, 13.0, 12.0, 15.0])
    return backtest(bars, [1, 1, 0, -1, -1, -1], capital=1000, units=10, lot=1, fee_bps=0)


def rows_of(engine: StrategyEngine, bars: Bars, secondary: Bars | None = None, **given: Value) -> Floats:
    """All rows of an engine over bars: float64[row, bar]."""
    values = bars.values if secondary is None else pair(bars, secondary).values
    return EngineRun(engine, engine.read_parameters(given), bars, values, 365.0).rows()


def bits(result: Result) -> tuple[bytes, bytes]:
    """Fills and equity as bytes: equal where two results are the same to the last bit."""
    return result.fill_table.tobytes(), result.equity_values.tobytes()


ENGINE_NAMES = [engine.name for engine in DEFAULT_STRATEGY_CATALOG]

QUICK: dict[str, dict[str, Value]] = {
    "daily_trend_momentum": {
        "fast_ma": 5, "slow_ma": 20, "breakout_lookback": 7, "momentum_window": 5, "min_trend_strength": 0.0,
        "allow_short": True,
    },
    "mean_reversion": {"lookback": 12, "entry_zscore": 1.2, "exit_zscore": 0.2, "volatility_cap": 1000.0},
    "grid_trading": {"grid_spacing": 0.005, "anchor_window": 24},
    "volatility_target": {"lookback": 24, "allow_short": True},
    "cross_exchange_arbitrage": {"spread_entry": 0.002, "spread_exit": 0.0005, "max_open_seconds": 20_000.0},
    "sma_crossover": {"fast_ma": 4, "slow_ma": 15, "allow_short": True},
}  # fmt: skip
"""Parameters that trade a lot within a few hundred bars."""
