"""What a report is made from, of a single backtest, a portfolio or a scheduler, in memory or saved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

import polars as pl

from ..engine.bars import Integers
from ..engine.montecarlo_result import MonteCarloResult
from ..engine.outcome import Outcome

_Part = TypeVar("_Part", "Governed", "Walked")

IS_PORTFOLIO = "instruments"
"""A name that the document of a portfolio has, and that of a single backtest has not."""

IS_SCHEDULER = "scheduler"
"""A name that the document of a scheduler has besides."""

IS_WALK_FORWARD = "walk_forward"
"""A name that the document of a walk forward has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Instrument:
    """What can be shown as candles: `bars` of one instrument, and `trades` in it."""

    name: str
    interval_seconds: int
    bars: pl.DataFrame
    trades: pl.DataFrame

    @property
    def ts_us(self) -> Integers:
        """int64[bar], open times in microseconds since the epoch."""
        return _microseconds(self.bars)


@dataclass(frozen=True, kw_only=True, eq=False)
class Governed:
    """What a scheduler's result has besides a portfolio's; each is the table of `SchedulerResult` of that name.

    Attributes:
        capital_weights: One row a refresh: `time`, and each schedule's share of capital.
        profits: One row a bar: `timestamp`, and each schedule's profit so far.
        interventions: One row a suspension, limit, disabled strategy or halt.
        governance: One row a change by a risk profile or the governor.
    """

    capital_weights: pl.DataFrame
    profits: pl.DataFrame
    interventions: pl.DataFrame
    governance: pl.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Walked:
    """What a walk forward has besides a single backtest's; each is the table of `WalkForwardResult` of that name."""

    windows: pl.DataFrame
    splits: pl.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """The parts of a result that a report shows.

    Attributes:
        document: What `result.json` holds: a number that JSON has no word for is None.
        bars: Of each instrument `timestamp`, `open`, `high`, `low`, `close`, `volume`; of two venues, the first's.
        equity: `Outcome.equity`; likewise `columns`, `trades` and `monthly_returns`.
        weights: `PortfolioResult.weights`; None of a single backtest.
        governed: What a scheduler's has besides; None of all others.
        montecarlo: Paths resampled from it, where they are to be shown.
        walked: What a walk forward's has besides; likewise.
    """

    document: Mapping[str, Any]
    bars: Sequence[pl.DataFrame]
    equity: pl.DataFrame
    columns: pl.DataFrame
    trades: pl.DataFrame
    monthly_returns: pl.DataFrame
    weights: pl.DataFrame | None = None
    governed: Governed | None = None
    montecarlo: MonteCarloResult | None = None
    walked: Walked | None = None

    @property
    def interval_seconds(self) -> int:
        """Length of a bar."""
        return int(self.document["data"][0]["interval_seconds"])

    @property
    def ts_us(self) -> Integers:
        """int64[bar], open times in microseconds since the epoch."""
        return _microseconds(self.equity)

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """Metrics by name; None where there is no value."""
        found: Mapping[str, float | None] = self.document["metrics"]
        return found

    @property
    def ambiguity(self) -> Mapping[str, Any] | None:
        """The interval between both orders in ambiguous bars; None where there was none."""
        found: Mapping[str, Any] = self.document["fill_ambiguity"]
        return found if found["bars"] else None

    @property
    def own_order(self) -> str:
        """Which order was taken in ambiguous bars: `worse` or `better`."""
        return "worse" if self.document["execution"]["ambiguous_fills"] == "pessimistic" else "better"

    @property
    def other_order(self) -> str:
        """The order that was not taken."""
        return "better" if self.own_order == "worse" else "worse"

    @property
    def is_portfolio(self) -> bool:
        """Whether it is of a portfolio, not of a single backtest."""
        return IS_PORTFOLIO in self.document

    @cached_property
    def instruments(self) -> list[Instrument]:
        """The instruments whose bars it has."""
        data = self.document["data"]
        of, names = ("venue", [data[0]["venue"]])
        if self.is_portfolio:
            of, names = "instrument", self.document["instruments"]
        return [
            Instrument(
                name=name,
                interval_seconds=self.interval_seconds,
                bars=bars,
                trades=self.trades.filter(pl.col(of) == name),
            )
            for name, bars in zip(names, self.bars, strict=True)
        ]


def _microseconds(table: pl.DataFrame) -> Integers:
    return table["timestamp"].to_physical().to_numpy()


def sheet_of(result: Outcome) -> Sheet:
    """The sheet of a result in memory; the same as the one that is read from its folder."""
    return sheet_from(json.loads(result.to_json()), [bars.to_frame() for bars in result.instruments], result.tables)


def sheet_from(document: Mapping[str, Any], bars: Sequence[pl.DataFrame], tables: Mapping[str, pl.DataFrame]) -> Sheet:
    """A sheet of the tables that a report shows; there may be more of them. Of a walk forward the tests are shown."""
    shown = {each.name: tables[each.name] for each in fields(Sheet) if each.name in tables}
    governed = _besides(Governed, tables) if IS_SCHEDULER in document else None
    walked = _besides(Walked, tables) if IS_WALK_FORWARD in document else None
    if walked is not None:
        bars = [each.join(tables["equity"], on="timestamp", how="semi") for each in bars]
    return Sheet(document=document, bars=bars, governed=governed, walked=walked, montecarlo=None, **shown)


def _besides(kind: type[_Part], tables: Mapping[str, pl.DataFrame]) -> _Part:
    return kind(**{each.name: tables[each.name] for each in fields(kind)})
