"""What a portfolio's backtest gives: one equity curve, and what each schedule and instrument had in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..kernels import account, fill_kinds, portfolio, trades, venue
from .ambiguity import FillAmbiguity
from .bars import Bars, Floats
from .inputs import Inputs, of_portfolio
from .metrics import Metrics
from .outcome import Outcome, describe_bars
from .provenance import provenance
from .reasons import count_refusals
from .strategy import bars_per_year
from .tables import cost_sums, fill_columns, tally_of, timestamps, trade_columns

PAID = (account.FILL_BAR, account.FILL_LOTS, account.FILL_PRICE, account.FILL_FEE)
"""Of a fill, what says how the cash changed, and when."""

if TYPE_CHECKING:
    from .execution import Execution
    from .panel import Panel
    from .portfolio import PortfolioSetup


@dataclass(frozen=True, kw_only=True, eq=False)
class PortfolioResult(Outcome):
    """A finished backtest of a portfolio.

    Attributes:
        setup: What it ran on and how.
        read_fills: Gives `fill_table`, which may be large and is not always asked for.
        cells: float64[schedule, instrument, POSITION_CARRY], each position after the last bar.
        cash: Cash after the last bar, in account currency.
        warm_up_bars: Bars at which an engine had seen too few to wish for anything, added up over all positions.
    """

    setup: PortfolioSetup
    read_fills: Callable[[], Floats]
    cells: Floats
    cash: float
    warm_up_bars: int

    lot = 1.0
    """Units in a lot of the fill table."""

    @cached_property
    def fill_table(self) -> Floats:
        """float64[FILL_COLUMNS, fill], as `kernels.account` lays it out, lots turned into units.

        A fill's leg is schedule × instruments + instrument.
        """
        return self.read_fills()

    @property
    def panel(self) -> Panel:
        """The instruments' bars on one axis of time."""
        return self.setup.panel

    bars = panel

    @property
    def execution(self) -> Execution:
        """Costs, sizes, orders and levels where neither instrument nor strategy has its own."""
        return self.setup.execution

    @property
    def instruments(self) -> tuple[Bars, ...]:
        """The instruments' histories."""
        return self.panel.instruments

    @property
    def benchmark_growth(self) -> float:
        """Growth of the instruments, bought once in equal parts."""
        return self.panel.benchmark_growth()

    @property
    def metrics(self) -> Metrics:
        """Metrics by name; `barstep.engine.metrics.DESCRIPTIONS` has each one's formula."""
        return Metrics(self, self._known_metrics)

    @property
    def final_equity(self) -> float:
        """Equity at the last close, in account currency."""
        return float(self.equity_values[-1]) if len(self.panel) else self.execution.capital

    @cached_property
    def equity_values(self) -> Floats:
        """float64[bar]: equity at each bar's close, in account currency."""
        curve = np.empty(len(self.panel))
        portfolio.add_cash(*(self.fill_table[row] for row in PAID), self.execution.capital, curve)
        instruments = len(self.panel.names)
        own = (self.fill_table[account.FILL_LEG].astype(np.int64) % instruments).astype(np.int16)
        order = np.argsort(own, kind="stable")  # a radix sort for short integers
        ends = np.searchsorted(own[order], np.arange(1, instruments + 1))
        bars, units = self.fill_table[account.FILL_BAR][order], self.fill_table[account.FILL_LOTS][order]
        for i, (start, stop) in enumerate(zip(np.append(0, ends[:-1]), ends, strict=True)):
            portfolio.add_position(bars[start:stop], units[start:stop], self.panel.closes(i), curve)
        return curve

    def equity_chunks(self, length: int) -> Iterator[tuple[int, Floats]]:
        """Yield (start, equity of the next `length` bars)."""
        for start in range(0, len(self.panel), length):
            yield start, self.equity_values[start : start + length]

    @property
    def bars_held(self) -> float:
        """Bars that closed with a position in any instrument."""
        held = np.zeros(len(self.panel) + 1)
        for _, _, own in self._fills_by_leg():
            is_open = np.cumsum(own[account.FILL_LOTS]) != 0.0
            start = own[account.FILL_BAR].astype(np.int64)
            stop = np.append(start[1:], len(self.panel))
            np.add.at(held, start[is_open], 1.0)
            np.add.at(held, stop[is_open], -1.0)
        return float((np.cumsum(held)[:-1] > 0.5).sum())

    @cached_property
    def trade_table(self) -> Floats:
        """float64[TRADE_COLUMNS, trade], in order of their exits, as `kernels.trades` lays it out; lots are units."""
        tables = [np.empty((trades.TRADE_COLUMNS, 0))]
        for leg, lot, own in self._fills_by_leg():
            table = np.empty((trades.TRADE_COLUMNS, own.shape[1] + 1))
            last = float(self.panel.closes(leg % len(self.panel.names))[-1])
            carry = np.zeros(trades.TRIP_CARRY)
            count = trades.round_trips(own, float(leg), lot, float(len(self.panel) - 1), last, carry, table)
            written = table[:, :count]  # what is beyond was never set: no arithmetic on it
            written[trades.TRADE_LOTS] *= lot
            tables.append(written)
        table = np.concatenate(tables, axis=1)
        return np.ascontiguousarray(table[:, np.argsort(table[trades.EXIT_BAR], kind="stable")])

    def _fills_by_leg(self) -> Iterator[tuple[int, float, Floats]]:
        """Yield (leg, its lot, its fills) with units turned back into whole lots: sums of units would leave a rest."""
        legs, lots = self.fill_table[account.FILL_LEG], self.setup.rules[:, :, account.LOT].ravel()
        by_leg = self.fill_table[:, np.argsort(legs, kind="stable")]
        starts = np.searchsorted(by_leg[account.FILL_LEG], np.arange(lots.size + 1))
        for leg in np.flatnonzero(np.diff(starts)):
            own = np.ascontiguousarray(by_leg[:, starts[leg] : starts[leg + 1]])
            own[account.FILL_LOTS] = np.rint(own[account.FILL_LOTS] / lots[leg])
            yield int(leg), float(lots[leg]), own

    @cached_property
    def _held(self) -> tuple[Floats, Floats]:
        """Shares of equity at each close: float64[instrument, bar], all schedules together, and float64[bar], gross."""
        instruments, n = len(self.panel.names), len(self.panel)
        values, gross = np.zeros((instruments, n)), np.zeros(n)
        for leg, lot, own in self._fills_by_leg():
            change = np.zeros(n)
            np.add.at(change, own[account.FILL_BAR].astype(np.int64), own[account.FILL_LOTS])
            value = np.cumsum(change) * lot * self.panel.closes(leg % instruments)
            values[leg % instruments] += value
            gross += np.abs(value)
        worth = np.where(self.equity_values > 0.0, self.equity_values, np.nan)
        return values / worth, gross / worth

    @cached_property
    def columns(self) -> pl.DataFrame:
        """One row a bar: exposures as shares of equity, `equity`, `other_order_equity`, and `benchmark`.

        `other_order_equity` is equity with the other order in every ambiguous bar.
        `gross_exposure` adds up the sizes of all positions, of each schedule in each instrument; `net_exposure` sets
        short ones against long ones. `benchmark` is what the capital would be worth, had it bought the instruments once
        in equal parts. Where equity is not above 0, exposures are NaN.
        """
        values, gross = self._held
        other = self.other_order if self.ambiguous_bars else self
        return pl.DataFrame(
            [
                timestamps(self.panel.times),
                pl.Series("gross_exposure", gross),
                pl.Series("net_exposure", values.sum(axis=0)),
                pl.Series("equity", self.equity_values),
                pl.Series("other_order_equity", other.equity_values),
                pl.Series("benchmark", self.panel.benchmark() * self.execution.capital),
            ]
        )

    @cached_property
    def weights(self) -> pl.DataFrame:
        """`timestamp` and one column per instrument: what is held at each close, as a share of equity."""
        held = [pl.Series(name, row) for name, row in zip(self.panel.names, self._held[0], strict=True)]
        return pl.DataFrame([timestamps(self.panel.times), *held])

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that are saved with it, by the names of their files."""
        return {**super().tables, "weights": self.weights}

    @cached_property
    def trades(self) -> pl.DataFrame:
        """One row a trade: schedule, instrument, times, side, quantity, prices, costs, profit, why it ended."""
        t = self.trade_table
        return pl.DataFrame({**self._legs(t[trades.TRADE_LEG]), **trade_columns(t, self.lot, self.panel.times)})

    @cached_property
    def fills(self) -> pl.DataFrame:
        """One row a fill: schedule, instrument, time, signed quantity, price after and before slippage, fee, kind."""
        f = self.fill_table
        return pl.DataFrame({**self._legs(f[account.FILL_LEG]), **fill_columns(f, self.lot, self.panel.times)})

    def attribution(self, by: str = "schedule") -> pl.DataFrame:
        """Profit, costs and trades added up by schedule, instrument or tag. The profits add up to the portfolio's.

        A scheduler's can be added up by strategy and risk profile, too.

        `fees` hold all costs but slippage, which is in the prices already. `contribution_pct` is profit over the
        starting capital. A trade that is open counts with its profit at the last close.
        """
        profit, price = pl.col("profit"), pl.col("price")
        made = self.trades.group_by(by, maintain_order=True).agg(
            profit.sum(),
            (profit.sum() / self.execution.capital * 100.0).alias("contribution_pct"),
            pl.col("fees").sum(),
            pl.len().alias("trades"),
            ((profit > 0.0).mean() * 100.0).alias("win_rate_pct"),
        )
        quantity = pl.col("quantity").abs()
        traded = self.fills.group_by(by, maintain_order=True).agg(
            (quantity * (price - pl.col("reference_price")).abs()).sum().alias("slippage"),
            (quantity * price).sum().alias("traded_value"),
        )
        return made.join(traded, on=by).sort(by)

    @cached_property
    def costs(self) -> dict[str, float]:
        """What trading and holding took from the account, in its currency; a negative funding was earned."""
        return cost_sums(self.fill_tally)

    @cached_property
    def fill_tally(self) -> Floats:
        """float64[FILL_TALLY]: what the fills add up to, as `kernels.tally` lays it out."""
        return tally_of(self.fill_table, self.lot, self.setup.rules[:, :, venue.LIQUIDATION_FEE].ravel())

    @cached_property
    def refusals(self) -> dict[str, int]:
        """How many orders were not filled as asked, by reason; `engine.reasons` has the texts."""
        return count_refusals(self.cells, self.setup.rules[:, :, venue.LEVERAGE])

    @cached_property
    def other_order(self) -> PortfolioResult:
        """The same backtest with the other order in every ambiguous bar."""
        from .portfolio import simulate  # noqa: PLC0415 - a result is made there

        return simulate(self.setup.other_order())

    @property
    def ambiguous_bars(self) -> int:
        """Bars in which the worse and the better order differ, as counted on the way that was taken, by position."""
        return int(self.cells[:, :, venue.AMBIGUOUS].sum())

    @cached_property
    def fill_ambiguity(self) -> FillAmbiguity:
        """How much the unknown order of prices inside bars matters; run once more where any bar was ambiguous."""
        return FillAmbiguity.of(self, len(self.panel) * self.cells[:, :, 0].size)

    @cached_property
    def inputs(self) -> Inputs:
        """What it was asked for, so that it can be made again."""
        return of_portfolio(self.setup)

    def to_dict(self) -> dict[str, Any]:
        """All that is not a table, as plain values."""
        return {
            "strategies": list(self.setup.schedules),
            "instruments": list(self.panel.names),
            "execution": asdict(self.execution),
            "bars_per_year": bars_per_year(self.panel.interval_seconds, self.execution.year_days),
            "data": [describe_bars(bars) for bars in self.panel.instruments],
            "final_equity": self.final_equity,
            "metrics": dict(self.metrics),
            "costs": self.costs,
            "signals": {
                "warm_up_bars": self.warm_up_bars,
                "seen": int(self.cells[:, :, account.SIGNALS].sum()),
                "fills": int((self.fill_table[account.FILL_KIND] < fill_kinds.FUNDING).sum()),
                **self.refusals,
            },
            "fill_ambiguity": asdict(self.fill_ambiguity),
            "attribution": {by: self.attribution(by).to_dicts() for by in ("schedule", "instrument", "tag")},
            "digests": self.digests,
            "run": self.inputs.run,
            "provenance": provenance(self.panel.instruments),
        }

    def _legs(self, legs: Floats) -> dict[str, pl.Series]:
        schedule, instrument = np.divmod(legs.astype(np.int64), len(self.panel.names))
        return {
            **{by: pl.Series([names[s] for s in schedule], dtype=pl.String) for by, names in self.setup.labels.items()},
            "instrument": pl.Series([self.panel.names[i] for i in instrument], dtype=pl.String),
        }
