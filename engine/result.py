"""What a backtest gives: numbers at once, tables when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..kernels import account, fill_kinds, trades, venue
from ..kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET, VOLATILITY
from .ambiguity import FillAmbiguity
from .bars import Bars, Floats
from .inputs import Inputs, of_backtest
from .metrics import Metrics
from .outcome import Outcome, describe_bars
from .provenance import provenance
from .reasons import count_refusals
from .strategy import bars_per_year
from .tables import bars_held, cost_sums, fill_columns, tally_of, timestamps, trade_columns

if TYPE_CHECKING:
    from .execution import Execution
    from .simulation import EngineRun, Setup


@dataclass(frozen=True, kw_only=True, eq=False)
class Result(Outcome):
    """A finished backtest.

    Attributes:
        setup: What it ran on and how.
        marks: float64[bar], what one unit held is worth at each close.
        fill_table: float64[FILL_COLUMNS, fill], as `kernels.account` lays it out.
        account: float64[VENUE_CARRY], the account after the last bar.
    """

    setup: Setup
    marks: Floats
    fill_table: Floats
    account: Floats

    @property
    def bars(self) -> Bars:
        """The history it ran on."""
        return self.setup.bars

    @property
    def instruments(self) -> tuple[Bars]:
        """The history it ran on; of two venues, the first."""
        return (self.setup.bars,)

    @property
    def run(self) -> EngineRun | None:
        """The engine and its parameters; None where the caller gave the wishes."""
        return self.setup.run

    @property
    def execution(self) -> Execution:
        """Costs, sizes, orders and levels."""
        return self.setup.execution

    @property
    def strategy(self) -> str:
        """The engine's name, or `own wishes`."""
        return self.run.engine.name if self.run else "own wishes"

    @property
    def metrics(self) -> Metrics:
        """Metrics by name; `barstep.engine.metrics.DESCRIPTIONS` has each one's formula."""
        return Metrics(self, self._known_metrics)

    @property
    def final_equity(self) -> float:
        """Equity at the last close, in account currency."""
        if not len(self.bars):
            return self.execution.capital
        held = float(self.account[account.LOTS]) * self.execution.lot
        return float(self.account[account.CASH]) + held * float(self.marks[-1])

    @property
    def lot(self) -> float:
        """Units in a lot of the fill table."""
        return self.execution.lot

    @property
    def benchmark_growth(self) -> float:
        """Last close over the first."""
        return float(self.bars.close[-1] / self.bars.close[0])

    @property
    def bars_held(self) -> float:
        """Bars that closed with a position."""
        return bars_held(self.fill_tally, len(self.bars))

    @cached_property
    def fill_tally(self) -> Floats:
        """float64[FILL_TALLY]: what the fills add up to, as `kernels.tally` lays it out."""
        return tally_of(self.fill_table, self.lot, np.full(2, self.execution.liquidation_fee_bps / 1e4))

    @cached_property
    def equity_values(self) -> Floats:
        """float64[bar]: equity at each bar's close, in account currency."""
        whole = np.empty(len(self.bars))
        for start, part in self.equity_chunks(max(len(self.bars), 1)):
            whole[start : start + part.size] = part
        return whole

    def equity_chunks(self, length: int) -> Iterator[tuple[int, Floats]]:
        """Yield (start, equity of the next `length` bars). The buffer is used again: nothing as long as the history."""
        carry = np.zeros(account.MARK_CARRY)
        carry[account.MARK_CASH] = self.execution.capital
        n = len(self.bars)
        buffer = np.empty(min(length, n))
        for start in range(0, n, length):
            stop = min(start + length, n)
            account.mark_equity(self.fill_table, self.marks, self.execution.lot, carry, buffer, start, stop)
            yield start, buffer[: stop - start]

    @cached_property
    def trade_table(self) -> Floats:
        """float64[TRADE_COLUMNS, trade], in order of their exits, as `kernels.trades` lays it out."""
        if self.setup.pair is None:
            return self._trades_of(0.0)
        table = np.concatenate([self._trades_of(leg) for leg in (0.0, 1.0)], axis=1)
        return np.ascontiguousarray(table[:, np.argsort(table[trades.EXIT_BAR], kind="stable")])

    def _trades_of(self, leg: float) -> Floats:
        table = np.empty((trades.TRADE_COLUMNS, self.fill_table.shape[1] + 1))
        last = len(self.bars) - 1
        close = float(self.bars.close[last]) if last >= 0 else math.nan
        price = close if leg == 0.0 else close - float(self.marks[last])
        carry = np.zeros(trades.TRIP_CARRY)
        count = trades.round_trips(self.fill_table, leg, self.execution.lot, float(last), price, carry, table)
        return table[:, :count]

    @cached_property
    def trades(self) -> pl.DataFrame:
        """One row a trade: times, side, quantity, prices, fees, profit and return, bars held, whether it is open."""
        t = self.trade_table
        return pl.DataFrame(
            {"venue": self._venues(t[trades.TRADE_LEG]), **trade_columns(t, self.execution.lot, self.bars.times)}
        )

    @cached_property
    def fills(self) -> pl.DataFrame:
        """One row a fill: its bar's time, signed quantity, price after and before slippage, fee, and what made it.

        Funding and borrow cost are rows without a quantity.
        """
        f = self.fill_table
        return pl.DataFrame(
            {"venue": self._venues(f[account.FILL_LEG]), **fill_columns(f, self.execution.lot, self.bars.times)}
        )

    @cached_property
    def costs(self) -> dict[str, float]:
        """What trading and holding took from the account, in its currency; a negative funding was earned."""
        return cost_sums(self.fill_tally)

    @cached_property
    def refusals(self) -> dict[str, int]:
        """How many orders were not filled as asked, by reason; `engine.reasons` has the texts."""
        return count_refusals(self.account, self.execution.leverage)

    @cached_property
    def other_order(self) -> Result:
        """The same backtest with the other order in every ambiguous bar."""
        from .simulation import simulate  # noqa: PLC0415 - a result is made there

        return simulate(self.setup.other_order())

    @property
    def ambiguous_bars(self) -> int:
        """Bars in which the worse and the better order differ, as counted on the way that was taken."""
        return int(self.account[venue.AMBIGUOUS])

    @cached_property
    def fill_ambiguity(self) -> FillAmbiguity:
        """How much the unknown order of prices inside bars matters; run once more where any bar was ambiguous."""
        return FillAmbiguity.of(self, len(self.bars))

    @cached_property
    def columns(self) -> pl.DataFrame:
        """One row a bar: what the engine wished (`side`, `exposure`, `confidence`, diagnostics) and what came of it.

        `position` is held at the close, `other_order_equity` is equity with the other order in every ambiguous bar,
        `benchmark` what the capital would be worth, invested in the first bar's close.

        The engine's rows are computed now, again: its output is a function of bars and parameters alone.
        """
        series = [timestamps(self.bars.times)]
        if self.run is not None:
            rows = self.run.rows()
            named = {
                "side": np.sign(rows[TARGET]),
                "exposure": np.abs(rows[TARGET]),
                "confidence": rows[CONFIDENCE],
                "volatility": rows[VOLATILITY],
                **{name: rows[DIAGNOSTICS + k] for k, name in enumerate(self.run.engine.diagnostics)},
            }
            series += [pl.Series(name, values) for name, values in named.items()]
        other = self.other_order if self.ambiguous_bars else self
        held = {
            "position": self._positions(),
            "equity": self.equity_values,
            "other_order_equity": other.equity_values,
            "benchmark": self.bars.close / self.bars.close[:1] * self.execution.capital,
        }
        return pl.DataFrame(series + [pl.Series(name, values) for name, values in held.items()])

    def _positions(self) -> Floats:
        """float64[bar]: quantity of the first leg held at each close."""
        first = self.fill_table[:, self.fill_table[account.FILL_LEG] == 0.0]
        change = np.zeros(len(self.bars))
        np.add.at(change, first[account.FILL_BAR].astype(np.int64), first[account.FILL_LOTS])
        return np.cumsum(change) * self.execution.lot

    def _venues(self, legs: Floats) -> pl.Series:
        names = (self.bars.venue, self.setup.secondary.venue if self.setup.secondary else self.bars.venue)
        return pl.Series([names[int(leg)] for leg in legs], dtype=pl.String)

    @property
    def _fills(self) -> int:
        return int((self.fill_table[account.FILL_KIND] < fill_kinds.FUNDING).sum())

    @cached_property
    def inputs(self) -> Inputs:
        """What it was asked for, so that it can be made again."""
        return of_backtest(self.setup)

    def to_dict(self) -> dict[str, Any]:
        """All that is not a table, as plain values: strategy, data, settings, metrics, counts and provenance."""
        sources = [b for b in (self.bars, self.setup.secondary) if b is not None]
        return {
            "strategy": self.strategy,
            "parameters": dict(self.run.parameters) if self.run else {},
            "execution": asdict(self.execution),
            "bars_per_year": bars_per_year(self.bars.interval_seconds, self.execution.year_days),
            "data": [describe_bars(bars) for bars in sources],
            "final_equity": self.final_equity,
            "metrics": dict(self.metrics),
            "costs": self.costs,
            "signals": {
                "warm_up_bars": self.run.warm_up_bars if self.run else 0,
                "seen": int(self.account[account.SIGNALS]),
                "fills": self._fills,
                **self.refusals,
            },
            "fill_ambiguity": asdict(self.fill_ambiguity),
            "digests": self.digests,
            "run": self.inputs.run,
            "provenance": provenance(sources),
        }
