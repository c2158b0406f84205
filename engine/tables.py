"""Tables that a single backtest and a portfolio share: equity, months, trades, fills, the last two as kernels write."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..kernels import account, tally, trades
from .bars import Floats
from .reasons import FILL_KINDS

Times = NDArray[np.datetime64]


def equity_table(times: Times, equity: Floats, capital: float) -> pl.DataFrame:
    """`timestamp` (the bar's open), `equity` at its close, `drawdown_pct` from the peak so far."""
    peak = np.maximum(np.maximum.accumulate(equity), capital)
    drawdown = (1.0 - equity / peak) * 100.0
    return pl.DataFrame([timestamps(times), pl.Series("equity", equity), pl.Series("drawdown_pct", drawdown)])


def monthly_table(equity: pl.DataFrame, capital: float) -> pl.DataFrame:
    """`year`, `month` (UTC), `return_pct` and `year_to_date_pct` of an equity table that began with `capital`."""
    time, worth, before = pl.col("timestamp"), pl.col("equity"), pl.col("before")
    months = equity.group_by(time.dt.year().alias("year"), time.dt.month().alias("month"), maintain_order=True)
    ends = months.agg(worth.last()).with_columns(worth.shift(1, fill_value=capital).alias("before"))
    return ends.select(
        "year",
        "month",
        ((worth / before - 1.0) * 100.0).alias("return_pct"),
        ((worth / before.first().over("year") - 1.0) * 100.0).alias("year_to_date_pct"),
    )


def trade_columns(table: Floats, lot: float, times: Times) -> dict[str, Any]:
    """Columns of trades, but for what names them. table: float64[TRADE_COLUMNS, trade], in lots of `lot` units."""
    quantity = np.abs(table[trades.TRADE_LOTS]) * lot
    invested = quantity * table[trades.ENTRY_PRICE]
    return {
        "entry_time": _times_of(table[trades.ENTRY_BAR], times),
        "exit_time": _times_of(table[trades.EXIT_BAR], times),
        "side": np.where(table[trades.TRADE_LOTS] > 0.0, "long", "short"),
        "quantity": quantity,
        "entry_price": table[trades.ENTRY_PRICE],
        "exit_price": table[trades.EXIT_PRICE],
        "fees": table[trades.TRADE_FEES],
        "profit": table[trades.PROFIT],
        "return_pct": table[trades.PROFIT] / invested * 100.0,
        "bars_held": (table[trades.EXIT_BAR] - table[trades.ENTRY_BAR]).astype(np.int64),
        "is_open": table[trades.IS_OPEN] != 0.0,
        "exit_reason": _kind_words(table[trades.EXIT_KIND]),
    }


def fill_columns(table: Floats, lot: float, times: Times) -> dict[str, Any]:
    """Columns of fills, but for what names them. table: float64[FILL_COLUMNS, fill], in lots of `lot` units."""
    return {
        "time": _times_of(table[account.FILL_BAR], times),
        "quantity": table[account.FILL_LOTS] * lot,
        "price": table[account.FILL_PRICE],
        "reference_price": table[account.FILL_REFERENCE],
        "fee": table[account.FILL_FEE],
        "kind": _kind_words(table[account.FILL_KIND]),
    }


def tally_of(table: Floats, lot: float, liquidation_shares: Floats) -> Floats:
    """float64[FILL_TALLY]: what fills add up to, as `kernels.tally` lays it out.

    table: float64[FILL_COLUMNS, fill], in lots of `lot` units; liquidation_shares: float64[leg].
    """
    found = np.zeros(tally.FILL_TALLY)
    tally.tally_fills(table, np.full(liquidation_shares.size, lot), liquidation_shares, found)
    return found


def cost_sums(fills: Floats) -> dict[str, float]:
    """What trading and holding took from the account, in its currency; a negative funding was earned."""
    return {
        "fees": float(fills[tally.FEES]),
        "slippage": float(fills[tally.SLIPPAGE]),
        "liquidation": float(fills[tally.LIQUIDATION_COST]),
        "funding": float(fills[tally.FUNDING_PAID]),
        "borrow": float(fills[tally.BORROW_PAID]),
    }


def timestamps(times: Times) -> pl.Series:
    """Open times as a column `timestamp`, UTC."""
    return pl.Series("timestamp", times).dt.replace_time_zone("UTC")


def _times_of(bars: Floats, times: Times) -> pl.Series:
    return pl.Series(times[bars.astype(np.int64)]).dt.replace_time_zone("UTC")


def _kind_words(kinds: Floats) -> pl.Series:
    """The words for what fills were; `open` for trades without an exit."""
    return pl.Series([FILL_KINDS.get(int(kind), "open") for kind in kinds], dtype=pl.String)


def bars_held(fill_tally: Floats, bars: int) -> float:
    """Bars of so many that closed with a position. fill_tally: as `kernels.tally` lays it out."""
    rest = bars - fill_tally[tally.SINCE] if fill_tally[tally.POSITION] else 0.0
    return float(fill_tally[tally.BARS_HELD] + rest)
