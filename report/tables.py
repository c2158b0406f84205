"""The words and numbers of a report, ready for its template: tiles, metrics, months, trades, costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..data.durations import format_interval
from ..engine.execution import describe_execution
from ..engine.metrics import DESCRIPTIONS
from .sheet import Sheet
from .texts import NOTHING, counted, decimals, label, metric, moment, price_places, setting, short, signed

SHOWN_TRADES = 500
"""Rows of the table at first; a browser is slow with many more."""

HELD_TRADES = 2_000
"""Rows that the file holds, shown on request; it is meant to be sent to somebody."""

_TILES = (
    "total_return_pct", "annual_return_pct", "sharpe", "sortino", "max_drawdown_pct", "trades", "win_rate_pct",
    "profit_factor", "exposure_pct", "fees_paid",
)  # fmt: skip
_COUNTS = {
    "seen": "Signals",
    "fills": "Fills",
    "without_a_whole_lot": "Orders of no whole lot",
    "below_minimum": "Orders under the least value",
    "cut_by_cash": "Orders cut by cash",
    "cut_by_volume": "Orders cut by volume",
    "too_old": "Orders that grew too old",
    "end_of_data": "Orders left at the end",
}
_ALWAYS_SHOWN = ("capital", "fee_bps", "slippage_bps", "year_days")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_STRONGEST_PCT = 10.0
"""A month's return from which its colour grows no stronger."""


def heading(sheet: Sheet) -> dict[str, Any]:
    """What was backtested on what: `strategy`, `instruments`, `span`, `parameters`, `execution`, `origin`."""
    document, data = sheet.document, sheet.data
    step = sheet.interval_seconds
    span = f", {moment(data['first'], step)} to {moment(data['last'], step)} UTC" if data["bars"] else ""
    return {
        "strategy": document["strategy"],
        "instruments": [f"{each['venue']} {each['symbol']}" for each in document["data"]],
        "span": f"{counted(data['bars'], 'bar')} of {format_interval(step)}{span}",
        "parameters": _settings(document["parameters"]),
        "execution": _settings(_changed(document["execution"])),
        "origin": _origin(document),
    }


def _changed(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from their defaults, and those that everybody asks for."""
    usual = {option["name"]: option["default"] for option in describe_execution()}
    return {
        name: value for name, value in execution.items() if name in _ALWAYS_SHOWN or value != usual.get(name, value)
    }


def _settings(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Under the names that Python, the command line and the result give them."""
    return [(name, setting(name, value)) for name, value in given.items() if value != ""]


def _origin(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, short form and whole value of what the result can be recognised by."""
    software = document["provenance"]
    digests = [(f"{each['venue']} {each['symbol']} bars", each["sha384"]) for each in document["data"]]
    digests += [("kernels", software["kernels"]), ("arithmetic", software["arithmetic"])]
    versions = [(name, software[name], software[name]) for name in ("barstep", "numba", "numpy")]
    return versions + [(name, str(digest)[:10], str(digest)) for name, digest in digests]


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
    for row in sheet.monthly.iter_rows(named=True):
        year = rows.setdefault(row["year"], {"year": row["year"], "months": [("", 0.0)] * 12, "total": ""})
        year["months"][row["month"] - 1] = _shade(row["return_pct"])
        year["total"] = signed(row["year_to_date_pct"], 1)
    return list(rows.values())


def _shade(value: float) -> tuple[str, float]:
    return signed(value, 1), round(max(-1.0, min(1.0, value / _STRONGEST_PCT)), 2)


def trade_rows(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    """Headings, and the first trades as rows of texts."""
    trades = sheet.trades.head(HELD_TRADES)
    places = price_places([*trades["entry_price"].head(100), *trades["exit_price"].head(100)])
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        "entry": lambda row: moment(row["entry_time"], sheet.interval_seconds),
        "exit": lambda row: moment(row["exit_time"], sheet.interval_seconds) + (" (open)" if row["is_open"] else ""),
        "side": lambda row: str(row["side"]),
        "quantity": lambda row: short(row["quantity"]),
        "entry price": lambda row: decimals(row["entry_price"], places),
        "exit price": lambda row: decimals(row["exit_price"], places),
        "profit": lambda row: signed(row["profit"]),
        "return %": lambda row: signed(row["return_pct"]),
        "fees": lambda row: decimals(row["fees"], 2),
        "bars": lambda row: decimals(row["bars_held"], 0),
        "exit by": lambda row: label(row["exit_reason"]),
    }
    if len(sheet.document["data"]) > 1:
        columns = {"venue": lambda row: str(row["venue"]), **columns}
    return list(columns), [[tell(row) for tell in columns.values()] for row in trades.iter_rows(named=True)]


def costs(sheet: Sheet) -> list[tuple[str, str]]:
    """What trading took, and how much of it there was."""
    execution, signals = sheet.document["execution"], sheet.document["signals"]
    told = {name: paid for name, paid in sheet.document["costs"].items() if name != "fees"}
    return [
        ("Fees paid", metric("fees_paid", sheet.metrics["fees_paid"])),
        ("Fee", f"{setting('fee_bps', execution['fee_bps'])} bps"),
        ("Slippage", f"{setting('slippage_bps', execution['slippage_bps'])} bps"),
        ("Turnover", f"{metric('turnover', sheet.metrics['turnover'])} × mean equity"),
        *((f"{label(name)} cost", decimals(paid, 2)) for name, paid in told.items() if paid),
        *((_COUNTS.get(name, label(name)), decimals(count, 0)) for name, count in signals.items() if count),
        *_ambiguity(sheet.document["fill_ambiguity"]),
    ]


def _ambiguity(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the unknown order of prices inside bars could have made of it; nothing where no bar was ambiguous."""
    if not found["bars"]:
        return []
    return [
        ("Ambiguous bars", f"{decimals(found['bars'], 0)} ({found['share_pct']:.2g} %)"),
        ("Final equity, worse order", decimals(found["pessimistic_equity"], 2)),
        ("Final equity, better order", decimals(found["optimistic_equity"], 2)),
    ]


def left_out(sheet: Sheet) -> str:
    """How many trades the file does not hold and where they are; empty where it holds all."""
    missing = sheet.trades.height - HELD_TRADES
    if missing <= 0:
        return ""
    return (
        f"This file holds the first {HELD_TRADES:,} of {sheet.trades.height:,} trades; the other {missing:,} are in "
        "trades.parquet of the saved result, and in result.trades."
    )


def final_equity(sheet: Sheet) -> str:
    """Equity at the last close, and what it started with."""
    final = sheet.document["final_equity"]
    start = decimals(sheet.document["execution"]["capital"], 2)
    return f"{start} became {decimals(final, 2) if final is not None else NOTHING}"
