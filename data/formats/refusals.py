"""Files that look like market data and hold no bars: named for what they are, and refused."""

from __future__ import annotations

import re

import polars as pl

from ...errors import DataError
from .table import Layout, Table

_OHLC = {"open", "high", "low", "close"}
_AMOUNTS = {"amount", "qty", "quantity", "size", "volume", "vol"}


def refuse_other_tables(table: Table) -> None:
    """Refuse a table that holds trades, quotes or adjustment factors.

    Raises:
        DataError: Naming what the file holds and why it is not bars.
    """
    told = _headed(table) if table.has_header else _headless(table)
    if told is not None:
        raise DataError(f"{table.where}: {told}")


def _headed(table: Table) -> str | None:
    present = set(table.columns)
    if present >= _OHLC:
        return None
    if {"bid", "ask"} <= present:
        return "holds quote ticks (a bid and an ask at a moment), not bars: there is no open, high, low and close."
    if "price" in present and present & _AMOUNTS:
        return "holds trades (a price and an amount each), not bars. Aggregate them to bars first."
    if "funding rate" in present or "fundingrate" in present:
        return "holds funding rates, not bars."
    return None


def _headless(table: Table) -> str | None:
    width = len(table.columns)
    first, last = table.first("column_1"), table.first(f"column_{width}")
    if width == 4 and re.fullmatch(r"\d{8}", first):
        return (
            "is a Lean factor file (date, price factor, split factor, reference price), not bars: "
            "it adjusts bars that are elsewhere."
        )
    if width in (6, 7, 8) and last.lower() in ("true", "false"):
        return "holds Binance trades (one row a trade), not bars. Aggregate them to bars first."
    if width == 3 and re.fullmatch(r"\d{9,19}(\.\d+)?", first):
        return "holds trades (time, price, amount), not bars. Aggregate them to bars first."
    return None


def refuse_funding_rates(table: Table, layout: Layout, bars: pl.DataFrame) -> None:
    """Refuse funding rates that are kept in the shape of bars: the rate as open, and nothing but zeros beside it.

    Raises:
        DataError: The bars are funding rates.
    """
    rest = [pl.col(name).fill_null(0.0).eq(0.0).all() for name in ("high", "low", "close", "volume")]
    zero = all(bars.select(rest).row(0))
    if zero and (bars["open"] != 0.0).any():
        raise DataError(
            f"{table.where}: holds funding rates in the shape of bars, not prices ({layout.name}: open is the "
            "rate; high, low, close and volume are 0)."
        )
