"""The tables of a report, ready for its template: metrics, months, trades."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..engine.metrics import DESCRIPTIONS
from .sheet import Sheet
from .texts import decimals, label, metric, moment, price_places, short, signed

SHOWN_TRADES = 500
"""Rows of the table at first; a browser is slow with many more."""

HELD_TRADES = 2_000
"""Rows that the file holds, shown on request; it is meant to be sent to somebody."""

_TILES = (
    "total_return_pct", "annual_return_pct", "sharpe", "sortino", "max_drawdown_pct", "trades", "win_rate_pct",
    "profit_factor", "exposure_pct", "fees_paid",
)  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_STRONGEST_PCT = 10.0
"""A month's return from which its colour grows no stronger."""


@dataclass(frozen=True)
class Table:
    """Rows of texts under headings; those under `texts` are words, the others numbers."""

    title: str
    headings: tuple[str, ...]
    rows: list[list[str]]
    texts: tuple[str, ...]


def tiles(sheet: Sheet) -> list[dict[str, str]]:
    """The metrics that are looked at first: `label`, `value`, `formula`."""
    return [_told(name, sheet.metrics.get(name)) for name in _TILES]


def metrics(sheet: Sheet) -> list[dict[str, str]]:
    """All metrics: `label`, `value`, `formula`."""
    return [_told(name, value) for name, value in sheet.metrics.items()]


def _told(name: str, value: float | None) -> dict[str, str]:
    return {"label": label(name), "value": metric(name, value), "formula": DESCRIPTIONS.get(name, "")}


def months(sheet: Sheet) -> list[dict[str, Any]]:
    """One row a year: `year`, twelve `months`, each a text and the strength of its colour, -1 to 1, and the `total`."""
    rows: dict[int, dict[str, Any]] = {}
    for row in sheet.monthly_returns.iter_rows(named=True):
        year = rows.setdefault(row["year"], {"year": row["year"], "months": [("", 0.0)] * 12, "total": ""})
        year["months"][row["month"] - 1] = _shade(row["return_pct"])
        year["total"] = signed(row["year_to_date_pct"], 1)
    return list(rows.values())


def _shade(value: float) -> tuple[str, float]:
    return signed(value, 1), round(max(-1.0, min(1.0, value / _STRONGEST_PCT)), 2)


def trades(sheet: Sheet) -> Table:
    """The first trades; of a portfolio or of two venues each says whose it is."""
    first = sheet.trades.head(HELD_TRADES)
    place = "instrument" if sheet.is_portfolio else "venue"
    digits = {
        str(name): price_places([*rows["entry_price"].head(100), *rows["exit_price"].head(100)])
        for (name,), rows in first.group_by(place)
    }
    owners = ("schedule", "instrument") if sheet.is_portfolio else ("venue",) if len(sheet.document["data"]) > 1 else ()
    step = sheet.interval_seconds
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        **{name: partial(_word, name) for name in owners},
        "entry": lambda row: moment(row["entry_time"], step),
        "exit": lambda row: moment(row["exit_time"], step) + (" (open)" if row["is_open"] else ""),
        "side": lambda row: str(row["side"]),
        "quantity": lambda row: short(row["quantity"]),
        "entry price": lambda row: decimals(row["entry_price"], digits[row[place]]),
        "exit price": lambda row: decimals(row["exit_price"], digits[row[place]]),
        "profit": lambda row: signed(row["profit"]),
        "return %": lambda row: signed(row["return_pct"]),
        "fees": lambda row: decimals(row["fees"], 2),
        "bars": lambda row: decimals(row["bars_held"], 0),
        "exit by": lambda row: label(row["exit_reason"]),
    }
    rows = [[tell(row) for tell in columns.values()] for row in first.iter_rows(named=True)]
    return Table("Trades", tuple(columns), rows, texts=(*owners, "entry", "exit", "side", "exit by"))


def _word(name: str, row: dict[str, Any]) -> str:
    return str(row[name])


def left_out(sheet: Sheet) -> str:
    """How many trades the file does not hold and where they are; empty where it holds all."""
    missing = sheet.trades.height - HELD_TRADES
    if missing <= 0:
        return ""
    return (
        f"This file holds the first {HELD_TRADES:,} of {sheet.trades.height:,} trades; the other {missing:,} are in "
        "trades.parquet of the saved result, and in result.trades."
    )
