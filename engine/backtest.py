"""One strategy on one instrument (two venues for arbitrage), over a whole history at kernel speed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from ..errors import UsageError, unknown_name
from ..kernels.columns import VOLUME
from .bars import Bars, Floats
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .execution import Execution
from .funding import funding_by_bar
from .pairing import Pair, pair
from .result import Result
from .simulation import EngineRun, Setup, simulate
from .strategy import StrategyEngine, Value


def backtest(
    bars: Bars,
    strategy: str | StrategyEngine | ArrayLike,
    *,
    secondary: Bars | None = None,
    funding: pl.DataFrame | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    **options: Any,
) -> Result:
    """Backtest one strategy.

    A decision is made at a bar's close and fills at the next bar's open, worse by the slippage, less the fee.

    Args:
        bars: The instrument's history.
        strategy: An engine's name, an engine, or a float64[bar] array of wishes (side × exposure) of your own.
        secondary: The second venue's history; for engines that trade two.
        funding: `timestamp` (UTC) and `rate`, the share of value that longs pay to shorts at that time.
        catalog: Where names are looked up.
        **options: Fields of `Execution` and parameters of the engine, in one breath. A `rebalance_threshold` goes to
            the engine where it has one of its own.

    Raises:
        UsageError: An unknown name, a value out of range, a window longer than the data, a missing second venue.
        DataError: The two venues have no time in common.
    """
    return simulate(set_up_backtest(bars, strategy, secondary=secondary, funding=funding, catalog=catalog, **options))


def set_up_backtest(
    bars: Bars,
    strategy: str | StrategyEngine | ArrayLike,
    *,
    secondary: Bars | None = None,
    funding: pl.DataFrame | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    **options: Any,
) -> Setup:
    """All that a backtest depends on, checked; arguments and errors are those of `backtest`."""
    rates = None if funding is None else funding_by_bar(bars, funding)
    if not isinstance(strategy, str | StrategyEngine):
        if secondary is not None:
            raise UsageError("wishes of your own trade one venue; leave `secondary` out")
        execution = Execution(**_execution_options(options, ()))
        _refuse_missing_volume(execution, bars)
        return Setup(bars, execution, own_wishes=_own_wishes(bars, strategy), funding=rates)
    engine = catalog[strategy] if isinstance(strategy, str) else strategy
    names = [p.name for p in engine.parameters]
    execution = Execution(**_execution_options({k: v for k, v in options.items() if k not in names}, names))
    parameters = engine.read_parameters({k: v for k, v in options.items() if k in names})
    _refuse_short_history(engine, parameters, bars)
    both = _both_venues(engine, parameters, bars, secondary)
    if "max_notional" in parameters:
        execution = replace(execution, max_notional=float(parameters["max_notional"]))
    refuse_execution(engine, execution, bars, hedged=both is not None, funded=rates is not None)
    values = bars.values if both is None else both.values
    run = EngineRun(engine, parameters, bars, values, execution.year_days)
    return Setup(bars, execution, run=run, secondary=secondary, pair=both, funding=rates)


def refuse_execution(engine: StrategyEngine, execution: Execution, bars: Bars, *, hedged: bool, funded: bool) -> None:
    """Raise UsageError where these bars cannot be traded so."""
    if hedged and (funded or not execution.is_plain):
        raise UsageError(
            f"{engine.name} trades two venues: levels, limits, margin, volume and funding are for one only"
        )
    _refuse_missing_volume(execution, bars)


def _execution_options(options: dict[str, Any], parameters: Any) -> dict[str, Any]:
    known = Execution.__dataclass_fields__
    for name in options:
        if name not in known:
            raise UsageError(unknown_name("option", name, (*known, *parameters)))
    return options


def _refuse_missing_volume(execution: Execution, bars: Bars) -> None:
    for name in ("volume_slippage_bps", "impact_bps", "max_volume_share"):
        if getattr(execution, name) and np.isnan(bars.values[VOLUME]).any():
            raise UsageError(f"{name} needs the volume of every bar; {bars!r} lacks it in places")


def _refuse_short_history(engine: StrategyEngine, parameters: dict[str, Value], bars: Bars) -> None:
    needed = engine.history(parameters)
    if needed > len(bars):
        windows = ", ".join(
            f"{p.name}={parameters[p.name]}" for p in engine.parameters if p.kind == "int" and p.text.startswith("bars")
        )
        raise UsageError(
            f"{engine.name} needs {needed:,} bars before its first wish ({windows}); the data has {len(bars):,}. "
            "Shorten the window or load more data."
        )


def _both_venues(
    engine: StrategyEngine, parameters: dict[str, Value], bars: Bars, secondary: Bars | None
) -> Pair | None:
    if not engine.needs_secondary:
        if secondary is not None:
            raise UsageError(f"{engine.name} trades one venue; leave `secondary` out")
        return None
    if secondary is None:
        raise UsageError(f"{engine.name} trades two venues; give the second one's bars as `secondary`")
    for name, side in (("primary_exchange", bars), ("secondary_exchange", secondary)):
        if parameters.get(name) and parameters[name] != side.venue:
            raise UsageError(f"{engine.name}: {name} is {parameters[name]!r}, but these bars are of {side.venue!r}")
    return pair(bars, secondary)


def _own_wishes(bars: Bars, wishes: ArrayLike) -> Floats:
    try:
        row = np.array(wishes, dtype=np.float64)
    except (TypeError, ValueError):
        kind = type(wishes).__name__
        raise UsageError(f"the strategy is a {kind}; it must be an engine's name, an engine or wishes by bar") from None
    if row.shape != (len(bars),):
        raise UsageError(f"the array of wishes has shape {row.shape}; there are {len(bars):,} bars: ({len(bars)},)")
    bad = ~np.isfinite(row)
    if bad.any():
        at = int(bad.argmax())
        raise UsageError(f"the array of wishes is {row[at]} at row {at}; it must be a number, 0 stands for no position")
    return row
