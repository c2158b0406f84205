"""One strategy on one instrument (two venues for arbitrage), over a whole history at kernel speed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isinf
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import UsageError, unknown_name
from ..kernels import account
from ..kernels.columns import CLOSE, OPEN, TARGET
from ..kernels.moments import NUMBER
from .bars import Bars, Floats
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .pairing import Pair, pair
from .result import Result
from .strategy import StrategyEngine, Value

_CHUNK = 16384
"""Bars whose wishes are made at a time: they are still in the second-level cache when they are traded."""

_STRIDE_PAD = 24
"""Rows a power of two apart would share cache sets."""

_FIRST_FILLS = 1024


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How wishes become fills.

    Attributes:
        capital: Starting cash, in account currency.
        fee_bps: Fee in basis points of traded value.
        slippage_bps: How much worse than the open a fill is, in basis points of price.
        units: Units held at full exposure; None sizes by equity (exposure × equity at the last close).
        lot: Smallest tradable quantity; quantities are rounded towards zero to it.
        rebalance_threshold: Least change of a wish that is a signal.
        max_notional: Most value of a position (of a leg, in a pair), in account currency.
        max_order_age_bars: Most bars between a decision and its fill; an older order is abandoned and asked again.
        year_days: Days that make a year: 365 for markets that never close, 252 for sessions.
    """

    capital: float = 100_000.0
    fee_bps: float = 10.0
    slippage_bps: float = 0.0
    units: float | None = None
    lot: float = 1e-8
    rebalance_threshold: float = 0.0
    max_notional: float = float("inf")
    max_order_age_bars: float = 3.0
    year_days: float = 365.0

    def __post_init__(self) -> None:
        at_least_zero = ("fee_bps", "slippage_bps", "rebalance_threshold")
        above_zero = ("capital", "lot", "max_notional", "max_order_age_bars", "year_days")
        for name in at_least_zero + above_zero + ("units",):
            given = getattr(self, name)
            if name == "units" and given is None:
                continue
            if isinstance(given, bool) or not isinstance(given, Real):
                raise UsageError(f"{name} is {given!r}; it must be a number")
            value = float(given)
            endless = isinf(value) and name not in ("max_notional", "max_order_age_bars")
            if endless or not value >= 0.0 or (name not in at_least_zero and value == 0.0):
                allowed = "0 or more" if name in at_least_zero else "more than 0"
                raise UsageError(f"{name} is {given}; allowed is {allowed}")
            object.__setattr__(self, name, value)
        if self.slippage_bps >= 1e4:
            raise UsageError(f"slippage_bps is {self.slippage_bps:g}; allowed is less than 10000: a sale needs a price")

    def rules(self, hedged: bool) -> Floats:
        """The `rules` vector of the account kernel."""
        rules = np.zeros(account.RULES)
        rules[account.FEE] = self.fee_bps / 1e4
        rules[account.SLIPPAGE] = self.slippage_bps / 1e4
        rules[account.LOT] = self.lot
        rules[account.UNITS] = self.units or 0.0
        rules[account.THRESHOLD] = self.rebalance_threshold
        rules[account.MAX_NOTIONAL] = self.max_notional
        rules[account.MAX_AGE_BARS] = self.max_order_age_bars
        rules[account.HEDGED] = float(hedged)
        return rules


@dataclass(frozen=True)
class EngineRun:
    """An engine with its parameters over one history: it can be asked for its rows again at any time."""

    engine: StrategyEngine
    parameters: dict[str, Value]
    bars: Bars
    values: Floats
    year_days: float

    def outputs(self, chunk: int, with_volatility: bool) -> Iterator[tuple[int, int, Floats]]:
        """Yield (start, stop, rows): the engine's rows for bars start..stop. The buffer is used again and again."""
        params = self.engine.pack(self.parameters, self.bars.interval_seconds, self.year_days, with_volatility)
        carry = self.engine.new_carry()
        out = np.full((self.engine.rows, chunk + _STRIDE_PAD), np.nan)
        for start in range(0, len(self.bars), chunk):
            stop = min(start + chunk, len(self.bars))
            self._advance(params, carry, out, start, stop)
            yield start, stop, out

    def _advance(self, params: Floats, carry: Floats, out: Floats, start: int, stop: int) -> None:
        """Call the kernel over start..stop, cut at gaps: only there does the bar number jump."""
        starts, numbers, kernel = self.bars.segment_starts, self.bars.numbers, self.engine.kernel
        inside = starts[np.searchsorted(starts, start, side="right") : np.searchsorted(starts, stop)]
        cuts = [start, *inside.tolist(), stop]
        for begin, end in pairwise(cuts):
            carry[NUMBER] = numbers[begin]
            kernel(self.values, params, carry, out, begin, end, begin - start)

    def rows(self) -> Floats:
        """All rows for all bars: float64[row, bar]."""
        for _, stop, out in self.outputs(max(len(self.bars), 1), with_volatility=True):
            return out[:, :stop]
        return np.empty((self.engine.rows, 0))


def backtest(
    bars: Bars,
    strategy: str | StrategyEngine | ArrayLike,
    *,
    secondary: Bars | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    **options: Any,
) -> Result:
    """Backtest one strategy.

    A decision is made at a bar's close and fills at the next bar's open, worse by the slippage, less the fee.

    Args:
        bars: The instrument's history.
        strategy: An engine's name, an engine, or a float64[bar] array of wishes (side × exposure) of your own.
        secondary: The second venue's history; for engines that trade two.
        catalog: Where names are looked up.
        **options: Fields of `Execution` and parameters of the engine, in one breath. A `rebalance_threshold` goes to
            the engine where it has one of its own.

    Raises:
        UsageError: An unknown name, a value out of range, a window longer than the data, a missing second venue.
        DataError: The two venues have no time in common.
    """
    if not isinstance(strategy, str | StrategyEngine):
        if secondary is not None:
            raise UsageError("wishes of your own trade one venue; leave `secondary` out")
        execution = Execution(**_execution_options(options, ()))
        return _simulate(bars, None, _own_wishes(bars, strategy), None, execution)
    engine = catalog[strategy] if isinstance(strategy, str) else strategy
    names = [p.name for p in engine.parameters]
    execution = Execution(**_execution_options({k: v for k, v in options.items() if k not in names}, names))
    parameters = engine.read_parameters({k: v for k, v in options.items() if k in names})
    _refuse_short_history(engine, parameters, bars)
    both = _both_venues(engine, parameters, bars, secondary)
    if "max_notional" in parameters:
        execution = replace(execution, max_notional=float(parameters["max_notional"]))
    values = bars.values if both is None else both.values
    run = EngineRun(engine, parameters, bars, values, execution.year_days)
    wishes = ((start, stop, rows[TARGET]) for start, stop, rows in run.outputs(_CHUNK, with_volatility=False))
    return _simulate(bars, run, wishes, both, execution, secondary)


def _execution_options(options: dict[str, Any], parameters: Any) -> dict[str, Any]:
    known = Execution.__dataclass_fields__
    for name in options:
        if name not in known:
            raise UsageError(unknown_name("option", name, (*known, *parameters)))
    return options


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


def _own_wishes(bars: Bars, wishes: ArrayLike) -> Iterator[tuple[int, int, Floats]]:
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
    yield 0, len(bars), row


def _simulate(
    bars: Bars,
    run: EngineRun | None,
    wishes: Iterator[tuple[int, int, Floats]],
    both: Pair | None,
    execution: Execution,
    secondary: Bars | None = None,
) -> Result:
    """Trade the wishes chunk by chunk and hand everything to the result."""
    rules = execution.rules(hedged=both is not None)
    carry = np.zeros(account.ACCOUNT_CARRY)
    carry[account.CASH] = execution.capital
    opens, closes = bars.values[OPEN], bars.values[CLOSE]
    marks, other_opens = (closes, opens) if both is None else (both.marks, both.secondary_open)
    fills = np.empty((account.FILL_COLUMNS, _FIRST_FILLS))
    for start, stop, target in wishes:
        at = start
        while at < stop:
            at = account.trade_targets(
                opens, closes, marks, other_opens, bars.numbers, target[at - start :], rules, carry, fills, at, stop
            )
            if at < stop:
                fills = _twice_as_long(fills)
    written = fills[:, : int(carry[account.FILLS])]
    return Result(
        bars=bars,
        secondary=secondary,
        pair=both,
        run=run,
        execution=execution,
        marks=marks,
        fill_table=written,
        account=carry,
    )


def _twice_as_long(fills: Floats) -> Floats:
    longer = np.empty((fills.shape[0], 2 * fills.shape[1]))
    longer[:, : fills.shape[1]] = fills
    return longer
