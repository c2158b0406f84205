"""The engines that come with barstep: parameters, ranges and defaults. Their arithmetic is in `kernels.engines`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kernels.engines import (
    cross_exchange_arbitrage,
    daily_trend_momentum,
    grid_trading,
    mean_reversion,
    sma_crossover,
    volatility_target,
)
from .strategy import Parameter, StrategyEngine

_LONGEST_WINDOW = 10_000_000


def _window(name: str, default: int, text: str, minimum: int = 2) -> Parameter:
    return Parameter(name=name, default=default, kind="int", minimum=minimum, maximum=_LONGEST_WINDOW, text=text)


def _number(name: str, default: float, minimum: float, maximum: float, text: str) -> Parameter:
    return Parameter(name=name, default=default, kind="float", minimum=minimum, maximum=maximum, text=text)


def _allow_short(default: bool) -> Parameter:
    return Parameter(name="allow_short", default=default, kind="bool", text="whether it may go short, or only flat")


def _venue(name: str, text: str) -> Parameter:
    return Parameter(name=name, default="", kind="text", text=text)


def _less(lower: str, upper: str) -> Any:
    """A rule between two parameters: the first is less than the second."""

    def broken(read: Mapping[str, Any]) -> str | None:
        if read[lower] < read[upper]:
            return None
        return f"{lower} is {read[lower]}; it must be less than {upper}, which is {read[upper]}"

    return broken


_VOLATILITY_WINDOW = _window("volatility_window", 96, "window of the volatility for telemetry, in bars")

DAILY_TREND_MOMENTUM = StrategyEngine(
    name="daily_trend_momentum",
    kernel=daily_trend_momentum.daily_trend_momentum,
    parameters=(
        _window("fast_ma", 25, "bars of the fast mean", 1),
        _window("slow_ma", 100, "bars of the slow mean"),
        _window("breakout_lookback", 55, "bars before this one whose high must be broken", 1),
        _window("momentum_window", 20, "bars over which momentum is measured"),
        _window("atr_window", 14, "bars of Wilder's average true range", 1),
        _number("atr_multiplier", 2.0, 0.0, 1000.0, "distance of the trailing stop in average true ranges"),
        _number("min_trend_strength", 0.005, 0.0, 10.0, "least |fast / slow - 1| of an entry, as a share"),
        _number("min_momentum", 0.001, 0.0, 10.0, "least |return| over the momentum window of an entry, as a share"),
        _allow_short(False),
    ),
    carry_size=daily_trend_momentum.CARRY,
    diagnostics=("trend_strength", "momentum", "atr"),
    history=lambda p: max(p["slow_ma"], p["breakout_lookback"] + 1, p["momentum_window"] + 1, p["atr_window"] + 1),
    rule=_less("fast_ma", "slow_ma"),
    capability="strategy.daily_trend_momentum",
    summary="breakouts in the direction of trend and momentum, left by an ATR trailing stop",
)

MEAN_REVERSION = StrategyEngine(
    name="mean_reversion",
    kernel=mean_reversion.mean_reversion,
    parameters=(
        _window("lookback", 96, "bars of the rolling mean, deviation and volatility"),
        _number("entry_zscore", 1.8, 0.0, 100.0, "|z| from which the price is faded"),
        _number("exit_zscore", 0.4, 0.0, 100.0, "|z| inside which the position is left"),
        _window("max_holding_period", 48, "longest time in a position, in bars", 1),
        _number("volatility_cap", 2.0, 0.0, 1000.0, "greatest annual volatility of an entry, as a share"),
        _number("min_volume_usd", 0.0, 0.0, 1e15, "least close × volume of the entry bar; 0 asks for none"),
        _allow_short(True),
    ),
    carry_size=mean_reversion.CARRY,
    diagnostics=("zscore",),
    history=lambda p: p["lookback"] + 1,
    rule=_less("exit_zscore", "entry_zscore"),
    capability="strategy.mean_reversion",
    summary="fades the rolling z-score of the price",
)

GRID_TRADING = StrategyEngine(
    name="grid_trading",
    kernel=grid_trading.grid_trading,
    parameters=(
        Parameter(name="grid_size", default=10, kind="int", minimum=1, maximum=10_000, text="levels on each side"),
        _number("grid_spacing", 0.004, 1e-6, 1.0, "distance between levels, as a share of the anchor"),
        _number("rebalance_threshold", 0.03, 0.0, 10.0, "share by which the mean must be off to move the anchor"),
        _number("max_inventory", 1.0, 0.0, 100.0, "exposure with all levels filled, as a share of capital"),
        _window("anchor_window", 96, "bars of the mean that the anchor is taken from"),
        _allow_short(True),
    ),
    carry_size=grid_trading.CARRY,
    diagnostics=("anchor", "level", "level_fills"),
    history=lambda p: p["anchor_window"],
    capability="strategy.grid_trading",
    summary="an inventory laddered around a moving anchor",
)

VOLATILITY_TARGET = StrategyEngine(
    name="volatility_target",
    kernel=volatility_target.volatility_target,
    parameters=(
        _number("target_volatility", 0.2, 1e-6, 100.0, "annual volatility wanted, as a share"),
        _window("lookback", 96, "bars over which volatility is measured"),
        _number("rebalance_threshold", 0.05, 0.0, 100.0, "change of exposure that is worth a trade"),
        _number("min_allocation", 0.0, 0.0, 100.0, "least exposure"),
        _number("max_allocation", 1.0, 0.0, 100.0, "greatest exposure"),
        _number("floor_volatility", 0.02, 1e-6, 100.0, "annual volatility under which exposure grows no more"),
        _allow_short(False),
    ),
    carry_size=volatility_target.CARRY,
    diagnostics=("allocation_error_pct", "realized_vs_target_vol_pct"),
    history=lambda p: p["lookback"] + 1,
    rule=_less("min_allocation", "max_allocation"),
    capability="strategy.volatility_target",
    summary="exposure that brings realised volatility to its target",
)

CROSS_EXCHANGE_ARBITRAGE = StrategyEngine(
    name="cross_exchange_arbitrage",
    kernel=cross_exchange_arbitrage.cross_exchange_arbitrage,
    parameters=(
        _venue("primary_exchange", "venue of the first leg; checked against the bars where it is given"),
        _venue("secondary_exchange", "venue of the second leg; checked against the bars where it is given"),
        _number("spread_entry", 0.003, 0.0, 1.0, "|basis| from which the venues are traded, as a share"),
        _number("spread_exit", 0.0005, 0.0, 1.0, "|basis| inside which the position is left, as a share"),
        _number("max_notional", 1e12, 0.0, 1e15, "most value of a leg, in account currency"),
        _number("max_open_seconds", 86_400.0, 1.0, 1e12, "seconds after which a position is left"),
        _VOLATILITY_WINDOW,
        _allow_short(True),
    ),
    carry_size=cross_exchange_arbitrage.CARRY,
    diagnostics=("spread_bps", "spread_capture_bps", "secondary_delay_ms"),
    history=lambda _: 2,  # the basis must have been inside the entry spread once
    reach=lambda p: p["volatility_window"] + 1,
    rule=_less("spread_exit", "spread_entry"),
    needs_secondary=True,
    capability="strategy.cross_exchange_arbitrage",
    summary="sells the dearer venue and buys the cheaper one",
)

SMA_CROSSOVER = StrategyEngine(
    name="sma_crossover",
    kernel=sma_crossover.sma_crossover,
    parameters=(
        _window("fast_ma", 25, "bars of the fast mean", 1),
        _window("slow_ma", 100, "bars of the slow mean"),
        _allow_short(False),
    ),
    carry_size=sma_crossover.CARRY,
    diagnostics=("fast_mean", "slow_mean"),
    history=lambda p: p["slow_ma"],
    rule=_less("fast_ma", "slow_ma"),
    capability="strategy.sma_crossover",
    summary="long while a fast mean is over a slow one; the yardstick and the first example",
)

BUILTIN_ENGINES = (
    DAILY_TREND_MOMENTUM,
    MEAN_REVERSION,
    GRID_TRADING,
    VOLATILITY_TARGET,
    CROSS_EXCHANGE_ARBITRAGE,
    SMA_CROSSOVER,
)
