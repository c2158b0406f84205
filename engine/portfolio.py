"""Many instruments and strategies over one cash account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import polars as pl

from ..errors import UsageError, unknown_name
from ..kernels import account, venue
from ..kernels import portfolio as kernel
from ..kernels.columns import HIGH, LOW, VOLUME
from .allocation import Allocation, Strategies, check_allocations
from .bars import Bars, Floats, Integers
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .execution import Execution
from .funding import funding_by_bar
from .panel import PRICES, Panel
from .portfolio_result import PortfolioResult
from .strategy import StrategyEngine
from .targets import SizeType, Table, Targets

_CHUNK = 1024
"""Bars traded at a time."""

_NEAR = 2**16
"""Prices of a table's chunk: half a MiB, that a core keeps near. Each bar reads those of all instruments; from
farther away that takes longer than trading. Engines take longer still, and gain by long chunks."""


def portfolio(
    bars: Sequence[Bars],
    plan: Table | Sequence[Allocation],
    *,
    size_type: SizeType = "weight",
    every: int = 1,
    sizing_price: Literal["close", "fill"] = "close",
    funding: Mapping[str, pl.DataFrame] | None = None,
    by_instrument: Mapping[str, Mapping[str, Any]] | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    **options: Any,
) -> PortfolioResult:
    """Backtest a plan for many instruments over one cash account.

    Decisions are made at a bar's close, all sized by the same equity, and fill at each instrument's next open: first
    the orders that lower a position, then the others in declared order. What money does not allow is cut.

    Args:
        bars: The instruments' histories, of one interval.
        plan: A table: float64[bar, instrument] on the union of the bars' times, or a frame of `timestamp` and one
            column per instrument (NaN or null: hold what there is). Orders may be a frame of `timestamp`,
            `instrument`, `quantity` and `limit_price` (null: at the market), too. Or strategies with shares.
        size_type: What a number in the table is: `weight`, a share of equity to hold; `shares`, units to hold;
            `order`, units to buy, or to sell where it is negative.
        every: Targets count at bars whose number (open time over interval) is a multiple of this.
        sizing_price: Whether a weight becomes a quantity at the last close, or at the fill by the equity at that bar's
            opens.
        funding: By an instrument's name, `timestamp` (UTC) and `rate`, the share of value that longs pay to shorts.
        by_instrument: Fields of `Execution` that differ for an instrument, by its name.
        catalog: Where names of strategies are looked up.
        **options: Fields of `Execution` for all.

    Raises:
        UsageError: A name is unknown, a value out of range, a plan of another shape than the bars.
    """
    panel, by_instrument = Panel(bars), by_instrument or {}
    plan = plan if isinstance(plan, pl.DataFrame | np.ndarray) else tuple(plan)
    asked = PortfolioAsked(
        plan=plan, size_type=size_type, every=every, sizing_price=sizing_price, by_instrument=by_instrument,
        options=dict(options), catalog=catalog,
    )  # fmt: skip
    if sizing_price not in ("close", "fill"):
        raise UsageError(f"sizing_price is {sizing_price!r}; allowed is close or fill")
    if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
        raise UsageError(f"every is {every!r}; it must be a whole number of bars, 1 or more")
    execution = Execution(**known_options(options, Execution.__dataclass_fields__))
    allocations, read = _read(plan, panel, size_type, every, catalog, execution.year_days)
    if size_type != "weight":
        _refuse_for_quantities(options, by_instrument, every if size_type == "order" else 1, sizing_price)
        options["units"] = 1.0
    rules = _rules(panel, allocations, options, by_instrument)
    if sizing_price == "fill" and (rules[:, :, [venue.LIMIT_OFFSET, venue.MAX_VOLUME_SHARE]] > 0.0).any():
        raise UsageError("sizing_price='fill' is for orders that fill at once: no limits, no cap on volume")
    rates = _rates(panel, funding or {})
    rules[:, list(rates), venue.FUNDED] = 1.0
    return simulate(
        PortfolioSetup(
            panel=panel,
            execution=execution,
            schedules=tuple(a.label for a in allocations),
            tags=tuple(a.tag for a in allocations),
            read_plan=read,
            rules=rules,
            rates=rates,
            sized_at_fill=sizing_price == "fill",
            asked=asked,
        )
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class PortfolioAsked:
    """What a caller asked for, before it was read; the words are those of `portfolio`."""

    plan: Table | tuple[Allocation, ...]
    size_type: SizeType
    every: int
    sizing_price: str
    by_instrument: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, Any]
    catalog: StrategyCatalog

    @property
    def engines(self) -> list[StrategyEngine]:
        """The engines that run; none where a table is the plan."""
        if not isinstance(self.plan, tuple):
            return []
        return [self.catalog[one.strategy] if isinstance(one.strategy, str) else one.strategy for one in self.plan]


@dataclass(frozen=True, kw_only=True, eq=False)
class PortfolioSetup:
    """All that a portfolio's backtest depends on: it can be run again, also with the other order in ambiguous bars.

    Attributes:
        panel: The instruments' bars on one axis of time.
        execution: Costs, sizes, orders and levels where neither instrument nor strategy has its own.
        schedules: Names of the strategies; or `weights`, `shares` or `orders`.
        tags: Their tags.
        read_plan: Gives the plan from its beginning.
        rules: float64[schedule, instrument, VENUE_RULES], what each position is traded by.
        rates: By an instrument's place, float64[its bars]: the funding rate paid at each open.
        sized_at_fill: Whether quantities are fixed at the fill.
        asked: What the caller asked for.
    """

    panel: Panel
    execution: Execution
    schedules: tuple[str, ...]
    tags: tuple[str, ...]
    read_plan: Callable[[], Targets | Strategies]
    rules: Floats
    rates: Mapping[int, Floats]
    sized_at_fill: bool
    asked: PortfolioAsked

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """What results can be added up by, for each schedule."""
        return {"schedule": self.schedules, "tag": self.tags}

    def other_order(self) -> PortfolioSetup:
        """The same with the other order in every ambiguous bar."""
        optimistic = self.execution.ambiguous_fills == "pessimistic"
        rules = self.rules.copy()
        rules[:, :, venue.OPTIMISTIC] = float(optimistic)
        word = "optimistic" if optimistic else "pessimistic"
        return replace(self, rules=rules, execution=replace(self.execution, ambiguous_fills=word))


def simulate(setup: PortfolioSetup) -> PortfolioResult:
    """Trade the plan chunk by chunk and hand everything to the result."""
    trading = _Trading(setup, setup.read_plan())
    fills = trading.run()
    return PortfolioResult(
        setup=setup,
        read_fills=lambda: fills,
        cells=trading.cells,
        cash=float(trading.account[account.CASH]),
        warm_up_bars=trading.wishes.warm_up_bars,
    )


def known_options(options: Mapping[str, Any], allowed: Iterable[str]) -> Mapping[str, Any]:
    """The options; UsageError where one has another name than these."""
    for name in options:
        if name not in allowed:
            raise UsageError(unknown_name("option", name, allowed))
    return options


def _read(
    plan: Table | Sequence[Allocation],
    panel: Panel,
    size_type: SizeType,
    every: int,
    catalog: StrategyCatalog,
    year_days: float,
) -> tuple[tuple[Allocation, ...], Callable[[], Targets | Strategies]]:
    """The schedules of a plan, and what gives its wishes from their beginning."""
    if isinstance(plan, pl.DataFrame | np.ndarray):
        table = Targets(panel, plan, size_type, every)
        return (Allocation(strategy=table.label),), lambda: table
    if every != 1 or size_type != "weight":
        raise UsageError("every and size_type are for tables; strategies decide at every bar, as shares of equity")
    allocations = tuple(plan)
    check_allocations(allocations)
    return allocations, partial(Strategies, panel, allocations, catalog, year_days, _CHUNK)


def _refuse_for_quantities(
    options: Mapping[str, Any], by_instrument: Mapping[str, Mapping[str, Any]], every: int, sizing_price: str
) -> None:
    """Raise UsageError for what has no meaning where the numbers of a table are units."""
    units = any("units" in stated for stated in (options, *by_instrument.values()))
    for name, given in (("units", units), ("sizing_price", sizing_price == "fill"), ("every", every != 1)):
        if given:
            raise UsageError(f"{name} is not for a table of quantities: each number in it is what is traded")


def _rates(panel: Panel, funding: Mapping[str, pl.DataFrame]) -> dict[int, Floats]:
    """By an instrument's place, float64[its bars]: the funding rate paid at each open."""
    places = {panel.place_of(name): rates for name, rates in funding.items()}
    return {i: funding_by_bar(panel.instruments[i], rates) for i, rates in places.items()}


_OF_THE_WHOLE = ("capital", "year_days", "ambiguous_fills")
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

    places = {panel.place_of(name): known_options(own, _OF_A_PART) for name, own in by_instrument.items()}
    rules = np.empty((len(allocations), len(panel.names), venue.VENUE_RULES))
    for s, allocation in enumerate(allocations):
        rules[s] = vector(known_options(allocation.options, _OF_A_PART))
        for i, own in places.items():
            rules[s, i] = vector(own, allocation.options)
    refuse_missing_volume(rules, panel.instruments)
    return rules


def refuse_missing_volume(rules: Floats, instruments: Sequence[Bars]) -> None:
    """Raise UsageError where an instrument is traded by volume and lacks that of a bar.

    rules: float64[schedule, instrument, VENUE_RULES].
    """
    for i, bars in enumerate(instruments):
        if (rules[:, i, _BY_VOLUME] > 0.0).any() and np.isnan(bars.values[VOLUME]).any():
            raise UsageError(f"slippage, impact and caps by volume need that of every bar; {bars!r} lacks it in places")


def rows_read(rules: Floats, *, inside: bool) -> Integers:
    """Columns of bars beside open and close that the rules look at.

    rules: float64[..., VENUE_RULES]; inside: whether anything may happen between a bar's open and its close.
    """
    by_volume = (rules[..., _BY_VOLUME] > 0.0).any()
    return np.array([*((HIGH, LOW) if inside else ()), *((VOLUME,) if by_volume else ())], dtype=np.int64)


class _Trading:
    """All positions on their way through the bars, and the table of their fills, which grows."""

    def __init__(self, setup: PortfolioSetup, wishes: Targets | Strategies) -> None:
        self._panel, self._rates, self.wishes = setup.panel, setup.rates, wishes
        self._rules = rules = setup.rules
        schedules, instruments = rules.shape[:2]
        self._watched = np.zeros((schedules, instruments), dtype=np.int64)
        kernel.fill_watched(rules, self._watched)
        self._marks = np.full(instruments, np.nan)
        self._seen = np.zeros(instruments, dtype=np.int64)
        self._queue = np.zeros(instruments, dtype=np.int64)
        self.cells = np.zeros((schedules, instruments, kernel.POSITION_CARRY))
        self.account = np.zeros(kernel.PORTFOLIO_ACCOUNT)
        self.account[account.CASH] = setup.execution.capital
        self.account[kernel.REBALANCES] = float(wishes.rebalances)
        self.account[kernel.SIZED_AT_FILL] = float(setup.sized_at_fill)
        self.account[kernel.ORDERS] = float(wishes.are_orders)
        positions = schedules * instruments
        expected = 0 if wishes.watches_every_bar else wishes.due_bars.size * instruments
        self._fills = np.empty((account.FILL_COLUMNS, expected + 16 * positions))
        self._chunk = _CHUNK if wishes.watches_every_bar else min(_CHUNK, max(_NEAR // (instruments * PRICES), 1))
        self._prices = np.full((instruments, PRICES, self._chunk + 1), np.nan)
        has_limits = wishes.has_limits or bool((rules[:, :, venue.LIMIT_OFFSET] > 0.0).any())
        self._rows = rows_read(rules, inside=has_limits or bool(self._watched.any()))
        self._said = np.full((schedules, instruments, self._chunk + 1), np.nan)
        self._limits = np.full((instruments, self._chunk + 1 if wishes.are_orders else 0), np.nan)
        self._funding = np.zeros((instruments, self._chunk + 1 if setup.rates else 0))

    def run(self) -> Floats:
        """Trade all bars; the fills, in units."""
        for columns in self._chunks():
            self._trade(columns)
        return self._fills[:, : int(self.account[account.FILLS])]

    def _chunks(self) -> Iterator[Integers]:
        """Places of bars to look at; where orders fill at once and nothing is watched, those of wishes and the next."""
        bars = self._active_bars()
        for start in range(0, bars.size, self._chunk):
            yield bars[start : start + self._chunk]

    def _active_bars(self) -> Integers:
        n = len(self._panel)
        waits = self.wishes.has_limits or (self._rules[:, :, [venue.MAX_VOLUME_SHARE, venue.LIMIT_OFFSET]] > 0.0).any()
        if self.wishes.watches_every_bar or self._watched.any() or waits or self._panel.has_gaps:
            return np.arange(n)
        active = np.zeros(n + 1, dtype=np.bool_)
        active[self.wishes.due_bars] = active[self.wishes.due_bars + 1] = True
        return np.flatnonzero(active[:n])

    def _trade(self, columns: Integers) -> None:
        n = columns.size
        self._panel.fill_prices(columns, self._rows, self._prices, 1)
        self.wishes.fill(columns, self._said[:, :, 1:], self._limits[:, 1:])
        for i, rates in self._rates.items():
            self._panel.fill_own(i, rates, columns, self._funding[i, 1:])
        places = np.concatenate((np.maximum(columns[:1] - 1, 0), columns))
        numbers, at = self._panel.numbers[places], 1
        while at <= n:
            at = kernel.trade_portfolio(
                self._prices, self._funding, self._said, self._limits, numbers, places, self._rules, self._watched,
                self._marks, self._seen, self.account, self.cells, self._queue, self._fills, at, n + 1,
            )  # fmt: skip
            if at <= n:
                self._fills = np.concatenate((self._fills, np.empty_like(self._fills)), axis=1)
