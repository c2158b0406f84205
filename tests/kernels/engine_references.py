"""What the strategy engines ought to do, told as plain state machines, a bar at a time.

Each takes the columns, the engine's parameters by name and the root of the bars in a year, and returns one array per
output row. Nothing here calls a kernel; averages come from `references`, in longdouble.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import references
from inputs import INTERVAL_SECONDS, Columns, delay_ms
from numpy.typing import NDArray

Rows = list[NDArray[np.floating]]
Parameters = Mapping[str, float]


def straight_line(size: float, nothing: float, certain: float) -> float:
    """0 at `nothing`, 1 at `certain`, straight between and level outside; 0 for what is unknown."""
    if math.isnan(size):
        return 0.0
    return float(min(max((size - nothing) / (certain - nothing), 0.0), 1.0))


def certainty(strength: NDArray[np.floating], nothing: float, certain: float) -> NDArray[np.float64]:
    return np.array([straight_line(abs(value), nothing, certain) for value in strength])


def annual_volatility(columns: Columns, window: int, annual: float) -> NDArray[np.longdouble]:
    """Deviation (ddof 1) of the log returns, of a year."""
    return np.sqrt(references.variance(columns.returns, window, 1)) * annual


@dataclass
class Fader:
    """Someone who bets against excursions: when to enter, when to leave, and how long to hold at most."""

    entry: float
    leave: float
    longest: float
    short_allowed: bool
    side: int = 0
    entered_at: int = 0
    seen_inside: bool = False

    def see(self, bar: int, excursion: float, may_enter: bool = True) -> int:
        """Take in one bar and return the side held after it."""
        if self.side:
            against = -excursion * self.side  # how far the excursion still is on the side that was bet against
            if against <= self.leave:
                self.side = 0
            elif bar - self.entered_at >= self.longest:
                self.side, self.seen_inside = 0, False
        if abs(excursion) < self.entry:
            self.seen_inside = True
        elif self.side == 0 and self.seen_inside and may_enter and not math.isnan(excursion):
            wanted = 1 if excursion < 0 else -1
            if wanted > 0 or self.short_allowed:
                self.side, self.entered_at = wanted, bar
        return self.side


def mean_reversion(columns: Columns, p: Parameters, annual: float) -> Rows:
    z = references.zscore(columns.close, int(p["lookback"]))
    volatility = annual_volatility(columns, int(p["lookback"]), annual)
    fader = Fader(p["entry_zscore"], p["exit_zscore"], p["max_holding_period"], bool(p["allow_short"]))
    target = np.zeros(len(columns))
    for bar in range(len(columns)):
        calm = volatility[bar] <= p["volatility_cap"]
        busy = p["min_volume_usd"] == 0 or columns.close[bar] * columns.volume[bar] >= p["min_volume_usd"]
        target[bar] = fader.see(bar, z[bar], calm and busy)
    return [target, certainty(z, p["exit_zscore"], 2 * p["entry_zscore"]), volatility, z]


def cross_exchange_arbitrage(columns: Columns, p: Parameters, annual: float) -> Rows:
    basis = (columns.close.astype(np.longdouble) - columns.other) / columns.other
    basis[~(np.isfinite(columns.close) & np.isfinite(columns.other))] = np.nan
    longest = p["max_open_seconds"] / INTERVAL_SECONDS
    fader = Fader(p["spread_entry"], p["spread_exit"], longest, bool(p["allow_short"]))
    target, capture = np.zeros(len(columns)), np.full(len(columns), np.nan, dtype=np.longdouble)
    paid = np.longdouble(0)
    for bar in range(len(columns)):
        before, since = fader.side, fader.entered_at
        target[bar] = fader.see(bar, basis[bar])
        if before and (fader.side != before or fader.entered_at != since):
            capture[bar] = (basis[bar] - paid) * before * 10_000
        if fader.side and fader.entered_at == bar:
            paid = basis[bar]
    sure = certainty(basis, p["spread_exit"], 2 * p["spread_entry"])
    volatility = annual_volatility(columns, int(p["volatility_window"]), annual)
    return [target, sure, volatility, basis * 10_000, capture, delay_ms(columns)]


def sma_crossover(columns: Columns, p: Parameters, annual: float) -> Rows:
    fast = references.two_pass(columns.close, int(p["fast_ma"])).mean
    slow = references.two_pass(columns.close, int(p["slow_ma"])).mean
    target = np.where(fast > slow, 1.0, np.where((fast < slow) & bool(p["allow_short"]), -1.0, 0.0))
    sure = np.array([straight_line(abs(ratio - 1), 0.0, 0.02) for ratio in fast / slow])
    return [target, sure, annual_volatility(columns, int(p["slow_ma"]), annual), fast, slow]


def volatility_target(columns: Columns, p: Parameters, annual: float) -> Rows:
    n, lookback = len(columns), int(p["lookback"])
    volatility = annual_volatility(columns, lookback, annual)
    least, most, goal = p["min_allocation"], p["max_allocation"], p["target_volatility"]
    target, sure = np.zeros(n), np.zeros(n)
    error = np.full(n, np.nan)
    held = 0.0
    for bar in np.flatnonzero(~np.isnan(volatility)):
        size = min(max(goal / max(volatility[bar], p["floor_volatility"]), least), most)
        sure[bar] = (size - least) / (most - least)
        fell = columns.close[bar] < columns.close[bar - lookback]
        wanted = -size if fell and p["allow_short"] else size
        if abs(wanted - held) > p["rebalance_threshold"] or np.sign(wanted) == -np.sign(held) != 0:
            held = wanted
        error[bar] = abs(wanted - held) / size * 100
        target[bar:] = held
    return [target, sure, volatility, error, (volatility - goal) / goal * 100]


def grid_trading(columns: Columns, p: Parameters, annual: float) -> Rows:
    n, size = len(columns), int(p["grid_size"])
    mean = references.two_pass(columns.close, int(p["anchor_window"])).mean
    anchors, levels, crossed = np.zeros(n, dtype=np.longdouble), np.zeros(n), np.zeros(n)
    anchor, level = np.longdouble(0), 0
    fewest = -size if p["allow_short"] else 0
    for bar in range(n):
        price = columns.close[bar]
        if not math.isnan(mean[bar]) and (anchor == 0 or abs(mean[bar] / anchor - 1) > p["rebalance_threshold"]):
            anchor = mean[bar]
        if anchor != 0 and not math.isnan(price):
            step = anchor * p["grid_spacing"]
            before = level
            while level < size and price <= anchor - (level + 1) * step:
                level += 1
            while level > fewest and price >= anchor - (level - 1) * step:
                level -= 1
            crossed[bar] = abs(level - before)
        anchors[bar], levels[bar] = anchor, level
    volatility = annual_volatility(columns, int(p["anchor_window"]), annual)
    return [levels / size * p["max_inventory"], np.abs(levels) / size, volatility, anchors, levels, crossed]


def _extremes_before(values: NDArray[np.float64], window: int, find: Callable[..., float]) -> NDArray[np.float64]:
    return references.over_windows(values, window, find, lag=1)


def daily_trend_momentum(columns: Columns, p: Parameters, annual: float) -> Rows:
    close = columns.close
    slow = references.two_pass(close, int(p["slow_ma"])).mean
    strength = (references.two_pass(close, int(p["fast_ma"])).mean - slow) / slow
    momentum = references.change(close, int(p["momentum_window"]))
    ranges, atr_window = references.widest(columns.high, columns.low, close), int(p["atr_window"])
    atr = references.smoothed(ranges, 1.0 / atr_window, atr_window)
    tops = _extremes_before(columns.high, int(p["breakout_lookback"]), max)
    bottoms = _extremes_before(columns.low, int(p["breakout_lookback"]), min)
    target = np.zeros(len(columns))
    side, best = 0, 0.0
    for bar, price in enumerate(close):
        if side and not math.isnan(price):
            best = max(best, price) if side > 0 else min(best, price)
        turned = side and strength[bar] * side <= 0
        stopped = side and abs(best - price) > p["atr_multiplier"] * atr[bar]
        if turned or stopped:
            side = 0
        if side == 0:
            way = 1 if price > tops[bar] else -1 if p["allow_short"] and price < bottoms[bar] else 0
            strong = strength[bar] * way >= p["min_trend_strength"] and momentum[bar] * way >= p["min_momentum"]
            if way and strong and atr[bar] > 0:
                side, best = way, price
        target[bar] = side
    least = p["min_trend_strength"]
    sure = certainty(strength, least, least + max(3 * least, 0.003))
    volatility = annual_volatility(columns, int(p["slow_ma"]), annual)
    return [target, sure, volatility, strength, momentum, atr]
