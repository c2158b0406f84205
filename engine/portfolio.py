"""Many instruments and strategies over one cash account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from ..kernels import account, venue
from ..kernels import portfolio as kernel
from ..kernels.columns import CLOSE, HIGH, LOW, OPEN, TARGET, VOLUME
from .bars import Bars, Floats, Integers
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .execution import Execution
from .panel import PRICES, Panel
from .portfolio_result import PortfolioResult
from .simulation import EngineRun
from .strategy import StrategyEngine

_CHUNK = 1024
"""Bars traded at a time."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A strategy with its share of the portfolio's equity.

    Attributes:
        strategy: An engine, or its name in the catalog.
        weight: Share of the portfolio's equity that a wish of 1 stands for.
        instruments: Names of the instruments it trades; None: all.
        parameters: The engine's parameters.
        options: Fields of `Execution` that differ for this strategy, such as its stops.
        name: What it is called in results; by default the engine's name.
        tag: A word of your own to add up results by.
    """

    strategy: str | StrategyEngine
    weight: float = 1.0
    instruments: Sequence[str] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    tag: str = ""


def portfolio(
    bars: Sequence[Bars],
    plan: NDArray[np.float64] | pl.DataFrame | Sequence[Allocation],
    *,
    every: int = 1,
    sizing_price: Literal["close", "fill"] = "close",
    by_instrument: Mapping[str, Mapping[str, Any]] | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    **options: Any,
) -> PortfolioResult:
    """Backtest a plan for many instruments over one cash account.

    Decisions are made at a bar's close, all sized by the same equity, and fill at each instrument's next open: first
    the orders that lower a position, then the others in declared order. What money does not allow is cut.

    Args:
        bars: The instruments' histories, of one interval.
        plan: Target weights, shares of equity: float64[bar, instrument] on the union of the bars' times, or a frame of
            `timestamp` and one column per instrument (NaN or null: hold what there is); or strategies with shares.
        every: Weights count at bars whose number (open time over interval) is a multiple of this.
        sizing_price: Whether quantities are fixed at the last close, or at the fill by the equity at that bar's opens.
        by_instrument: Fields of `Execution` that differ for an instrument, by its name.
        catalog: Where names of strategies are looked up.
        **options: Fields of `Execution` for all.

    Raises:
        UsageError: A name is unknown, a value out of range, a plan of another shape than the bars.
    """
    panel = Panel(bars)
    if sizing_price not in ("close", "fill"):
        raise UsageError(f"sizing_price is {sizing_price!r}; allowed is close or fill")
    if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
        raise UsageError(f"every is {every!r}; it must be a whole number of bars, 1 or more")
    execution = Execution(**_known(options, Execution.__dataclass_fields__))
    if isinstance(plan, pl.DataFrame | np.ndarray):
        wishes: _Wishes = _Weights(panel, plan, every)
        allocations: tuple[Allocation, ...] = (Allocation(strategy="weights", name="weights"),)
    else:
        allocations = tuple(plan)
        if every != 1:
            raise UsageError("every is for weights; strategies decide at every bar")
        wishes = _Strategies(panel, allocations, catalog, execution)
    rules = _rules(panel, allocations, options, by_instrument or {})
    if sizing_price == "fill" and (rules[:, :, [venue.LIMIT_OFFSET, venue.MAX_VOLUME_SHARE]] > 0.0).any():
        raise UsageError("sizing_price='fill' is for orders that fill at once: no limits, no cap on volume")
    trading = _Trading(panel, rules, wishes, execution.capital, sizing_price == "fill")
    return PortfolioResult(
        panel=panel,
        execution=execution,
        schedules=tuple(_name(a) for a in allocations),
        tags=tuple(a.tag for a in allocations),
        fill_table=trading.run(),
        cells=trading.cells,
        cash=float(trading.account[account.CASH]),
        wanted=rules,
    )


def _name(allocation: Allocation) -> str:
    engine = allocation.strategy
    return allocation.name or (engine if isinstance(engine, str) else engine.name)


def _known(options: Mapping[str, Any], allowed: Iterable[str]) -> Mapping[str, Any]:
    for name in options:
        if name not in allowed:
            raise UsageError(unknown_name("option", name, allowed))
    return options


_OF_THE_WHOLE = ("capital", "year_days")
_BY_VOLUME = [venue.VOLUME_SLIPPAGE, venue.IMPACT, venue.MAX_VOLUME_SHARE]
_OF_A_PART = [name for name in Execution.__dataclass_fields__ if name not in _OF_THE_WHOLE]


def _rules(
    panel: Panel,
    allocations: Sequence[Allocation],
    options: Mapping[str, Any],
    by_instrument: Mapping[str, Mapping[str, Any]],
) -> Floats:
    """float64[schedule, instrument, VENUE_RULES]: what each position is traded by; the closest statement counts."""

    def vector(*statements: Mapping[str, Any]) -> Floats:
        merged = {name: value for each in (options, *statements) for name, value in each.items()}
        return Execution(**merged).rules(hedged=False, interval_seconds=panel.interval_seconds, funded=False)

    for name in by_instrument:
        if name not in panel.names:
            raise UsageError(unknown_name("instrument", name, panel.names))
        _known(by_instrument[name], _OF_A_PART)
    rules = np.empty((len(allocations), len(panel.names), venue.VENUE_RULES))
    for s, allocation in enumerate(allocations):
        rules[s] = vector(_known(allocation.options, _OF_A_PART))
        for name, own in by_instrument.items():
            rules[s, panel.names.index(name)] = vector(own, allocation.options)
    for i, bars in enumerate(panel.instruments):
        if (rules[:, i, _BY_VOLUME] > 0.0).any() and np.isnan(bars.values[VOLUME]).any():
            raise UsageError(f"slippage, impact and caps by volume need that of every bar; {bars!r} lacks it in places")
    return rules


class _Weights:
    """Target weights at the bars where they are said."""

    watches_every_bar = False
    rebalances = True

    def __init__(self, panel: Panel, plan: NDArray[np.float64] | pl.DataFrame, every: int) -> None:
        at, self._rows = _weights_by_bar(panel, plan)
        chosen = panel.numbers[at] % every == 0
        if not chosen.all():
            at, self._rows = at[chosen], self._rows[chosen]
        if np.isinf(self._rows).any():
            raise UsageError("a weight is infinite; weights are shares of equity")
        self.due_bars = at

    def fill(self, columns: Integers, out: Floats) -> None:
        """Write the wishes of the bars at `columns` to out[0, instrument, 0:n]."""
        out[:, :, : columns.size] = np.nan
        places = np.searchsorted(self.due_bars, columns)
        places[places == self.due_bars.size] = 0
        said = np.flatnonzero(self.due_bars[places] == columns) if self.due_bars.size else np.empty(0, dtype=np.int64)
        out[0, :, said] = self._rows[places[said]]


def _weights_by_bar(panel: Panel, plan: NDArray[np.float64] | pl.DataFrame) -> tuple[Integers, Floats]:
    """Places of the bars, and float64[·, instrument]."""
    if isinstance(plan, np.ndarray):
        if plan.shape != (len(panel), len(panel.names)):
            raise UsageError(
                f"the weights have shape {plan.shape}; they must be [bar, instrument]: "
                f"({len(panel)}, {len(panel.names)})"
            )
        return np.arange(len(panel)), np.asarray(plan, dtype=np.float64)
    for name in plan.columns:
        if name not in ("timestamp", *panel.names):
            raise UsageError(unknown_name("column of the weights", name, ("timestamp", *panel.names)))
    if "timestamp" not in plan.columns:
        raise UsageError("the weights have no column 'timestamp'")
    times = plan["timestamp"]
    if times.dtype.is_temporal():
        times = times.cast(pl.Datetime("us")).to_physical()
    elif not times.dtype.is_integer():
        raise UsageError(f"the weights' timestamp is {times.dtype}; it must be a time, or microseconds since the epoch")
    at = np.searchsorted(panel.ts_us, times.to_numpy())
    if (np.diff(at) <= 0).any() or not np.array_equal(panel.ts_us[at[at < len(panel)]], times.to_numpy()):
        raise UsageError("the times of the weights must rise, and each be the open of a bar")
    missing = pl.lit(np.nan).alias
    present = plan.with_columns(missing(name) for name in panel.names if name not in plan.columns)
    return at.astype(np.int64), present.select(pl.col(panel.names).cast(pl.Float64)).fill_null(np.nan).to_numpy()


class _Strategies:
    """Wishes of engines, each times its share."""

    watches_every_bar = True
    rebalances = False

    def __init__(
        self, panel: Panel, allocations: Sequence[Allocation], catalog: StrategyCatalog, execution: Execution
    ) -> None:
        if not allocations:
            raise UsageError("the plan is empty; give weights, or at least one Allocation")
        for allocation in allocations:
            if not isinstance(allocation, Allocation):
                raise UsageError(
                    f"the plan holds a {type(allocation).__name__}; give weights as an array, or Allocations"
                )
            if not 0.0 <= allocation.weight < np.inf:
                raise UsageError(f"{_name(allocation)}: weight is {allocation.weight}; allowed is 0 or more")
        names = [_name(a) for a in allocations]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"two allocations are named {name!r}; give them names that differ")
        self.due_bars = np.arange(len(panel))
        self._panel, self._weights = panel, [a.weight for a in allocations]
        self._runs = [self._runs_of(a, catalog, execution) for a in allocations]
        self._last = np.zeros((len(allocations), len(panel.names)))

    def _runs_of(self, allocation: Allocation, catalog: StrategyCatalog, execution: Execution) -> list[_Ahead | None]:
        engine = catalog[allocation.strategy] if isinstance(allocation.strategy, str) else allocation.strategy
        if engine.needs_secondary:
            raise UsageError(f"{engine.name} trades two venues; a portfolio's strategies trade one each")
        parameters = engine.read_parameters(allocation.parameters)
        chosen = self._panel.names if allocation.instruments is None else tuple(allocation.instruments)
        for name in chosen:
            if name not in self._panel.names:
                raise UsageError(unknown_name("instrument", name, self._panel.names))
        return [
            _Ahead(EngineRun(engine, parameters, bars, bars.values, execution.year_days)) if name in chosen else None
            for name, bars in zip(self._panel.names, self._panel.instruments, strict=True)
        ]

    def fill(self, columns: Integers, out: Floats) -> None:
        """Write the wishes of the bars at `columns` to out[schedule, instrument, 0:n]; exposures over 1 are scaled."""
        times = self._panel.ts_us[columns]
        for s, runs in enumerate(self._runs):
            wishes = out[s, :, : columns.size]
            for i, run in enumerate(runs):
                wishes[i] = np.nan if run is None else run.at(times)
            total = np.abs(self._standing(s, wishes)).sum(axis=0)
            wishes *= self._weights[s] / np.maximum(total, 1.0)

    def _standing(self, s: int, wishes: Floats) -> Floats:
        """A schedule's wishes, and where an instrument has no bar its last one: it stands until there is another."""
        said = ~np.isnan(wishes)
        if not said.all():
            place = np.maximum.accumulate(np.where(said, np.arange(1, wishes.shape[1] + 1), 0), axis=1)
            wishes = np.take_along_axis(np.concatenate((self._last[s][:, None], wishes), axis=1), place, axis=1)
        self._last[s] = wishes[:, -1]
        return wishes


class _Ahead:
    """An engine's wishes, made in pieces as time goes on."""

    def __init__(self, run: EngineRun) -> None:
        self._times = run.bars.ts_us
        self._pieces = run.outputs(_CHUNK, with_volatility=False)
        self._start, self._stop, self._wishes = 0, 0, np.empty(0)

    def at(self, times: Integers) -> Floats:
        """The wish at each of `times`, NaN where there is no bar. Times rise from call to call."""
        found = np.full(times.size, np.nan)
        place = np.searchsorted(self._times, times)
        place[place == self._times.size] = 0
        mine = np.flatnonzero(self._times[place] == times) if self._times.size else np.empty(0, dtype=np.int64)
        done = 0
        while done < mine.size:
            if place[mine[done]] >= self._stop:
                self._start, self._stop, rows = next(self._pieces)
                self._wishes = rows[TARGET].copy()
            until = int(np.searchsorted(place[mine], self._stop))
            found[mine[done:until]] = self._wishes[place[mine[done:until]] - self._start]
            done = until
        return found


_Wishes = _Weights | _Strategies


class _Trading:
    """All positions on their way through the bars, and the table of their fills, which grows."""

    def __init__(self, panel: Panel, rules: Floats, wishes: _Wishes, capital: float, sized_at_fill: bool) -> None:
        self._panel, self._rules, self._wishes = panel, rules, wishes
        schedules, instruments = rules.shape[:2]
        self._watched = np.zeros((schedules, instruments), dtype=np.int64)
        kernel.fill_watched(rules, self._watched)
        self._marks = np.full(instruments, np.nan)
        self._seen = np.zeros(instruments, dtype=np.int64)
        self.cells = np.zeros((schedules, instruments, kernel.POSITION_CARRY))
        self.account = np.zeros(kernel.PORTFOLIO_ACCOUNT)
        self.account[account.CASH] = capital
        self.account[kernel.REBALANCES] = float(wishes.rebalances)
        self.account[kernel.SIZED_AT_FILL] = float(sized_at_fill)
        positions = schedules * instruments
        expected = 0 if wishes.watches_every_bar else wishes.due_bars.size * instruments
        self._fills = np.empty((account.FILL_COLUMNS, expected + 16 * positions))
        self._prices = np.full((instruments, PRICES, _CHUNK + 1), np.nan)
        self._said = np.full((schedules, instruments, _CHUNK + 1), np.nan)
        self._funding = np.empty((instruments, 0))

    def run(self) -> Floats:
        """Trade all bars; the fills, in units."""
        for columns in self._chunks():
            self._trade(columns)
        return self._fills[:, : int(self.account[account.FILLS])]

    def _chunks(self) -> Iterator[Integers]:
        """Places of bars to look at; where orders fill at once and nothing is watched, those of wishes and the next."""
        bars = self._active_bars()
        for start in range(0, bars.size, _CHUNK):
            yield bars[start : start + _CHUNK]

    def _active_bars(self) -> Integers:
        n = len(self._panel)
        waits = (self._rules[:, :, [venue.MAX_VOLUME_SHARE, venue.LIMIT_OFFSET]] > 0.0).any()
        if self._wishes.watches_every_bar or self._watched.any() or waits or self._panel.has_gaps:
            return np.arange(n)
        due = self._wishes.due_bars
        return np.unique(np.minimum(np.concatenate((due, due + 1)), n - 1)) if n else due

    def _rows(self) -> tuple[int, ...]:
        """Columns of bars that the rules look at."""
        used = np.any(self._rules > 0.0, axis=(0, 1)).tolist()
        inside = self._watched.any() or used[venue.LIMIT_OFFSET]
        volume = used[venue.MAX_VOLUME_SHARE] or used[venue.VOLUME_SLIPPAGE] or used[venue.IMPACT]
        return (OPEN, CLOSE, *((HIGH, LOW) if inside else ()), *((VOLUME,) if volume else ()))

    def _trade(self, columns: Integers) -> None:
        n = columns.size
        self._panel.fill_prices(columns, self._rows(), self._prices[:, :, 1:])
        self._wishes.fill(columns, self._said[:, :, 1:])
        places = np.concatenate((np.maximum(columns[:1] - 1, 0), columns))
        numbers, at = self._panel.numbers[places], 1
        while at <= n:
            at = kernel.trade_portfolio(
                self._prices, self._funding, self._said, numbers, places, self._rules, self._watched, self._marks,
                self._seen, self.account, self.cells, self._fills, at, n + 1,
            )  # fmt: skip
            if at <= n:
                self._fills = np.concatenate((self._fills, np.empty_like(self._fills)), axis=1)
