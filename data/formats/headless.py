"""Tables whose columns have no names: told apart by their width and by how their cells look.

Where several venues write rows of the same shape in different order (time, open, CLOSE, high, low at Bitfinex), the
order is the one in which no high lies below an open, a low or a close.
"""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from ...errors import DataError, UsageError
from ..dataset import Side
from ..findings import Finding
from .table import Label, Layout, Table

# Positions of open, high, low and close in a row that begins with the time, and who writes them so.
_ORDERS: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
    ("open, high, low, close", (2, 3, 4, 5)),
    ("open, close, high, low", (2, 4, 5, 3)),
    ("low, high, open, close", (4, 3, 2, 5)),
)
_ORDER_NAMES = (
    "ccxt arrays",
    "Bitfinex candles",
    "Coinbase Exchange candles",
)

_DAY_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{6})(?!\d)")
_MILLISECONDS_A_DAY = 86_400_000
_LEAN_BID, _LEAN_ASK = 2, 7


def recognise_headless(table: Table, names: tuple[str, ...], side: Side | None) -> Layout:
    """Say what the columns of a table without names are.

    Args:
        table: The rows.
        names: Names of the file and of the archive's member: Lean keeps the date there.
        side: Which side of quotes to take.

    Raises:
        DataError: No vendor writes such rows.
    """
    width = len(table.columns)
    first = table.first("column_1")
    second = table.first("column_2") if width > 1 else ""
    if width in (6, 11) and _is_lean_minute(table, first):
        return _lean(table, names, side)
    if width == 7 and re.fullmatch(r"\d{4}\.\d\d\.\d\d", first) and re.fullmatch(r"\d\d:\d\d", second):
        return _metatrader_4(table)
    if width == 6 and table.separator == ";" and re.fullmatch(r"\d{8}( \d{6})?", first):
        return _layout(table, "NinjaTrader export", label="end", zone=None)
    if width == 8 and re.fullmatch(r"\d{9,19}", first) and re.fullmatch(r"\d{4}-\d\d-\d\d.*", second):
        return _headless_cryptodatadownload(table)
    layout = _after_an_epoch(table, width) if re.fullmatch(r"\d{9,19}", first) else None
    if layout is not None:
        return layout
    sample = "|".join(str(value) for value in table.frame.row(0)[:width])[:80]
    raise DataError(
        f"{table.where}: {width} columns without names, and no known vendor writes rows such as {sample}. "
        f"Type: barstep data import {table.where.split('!')[0]} --column timestamp=column_1 --column open=column_2 …"
    )


def _after_an_epoch(table: Table, width: int) -> Layout | None:
    """Rows that begin with an epoch, by their width and by whose envelope they came in."""
    if width == 12 and re.fullmatch(r"\d{9,19}", table.first("column_7")):
        return _layout(table, "Binance public klines")
    if width == 8 and table.hints.venue == "kraken":
        return _layout(table, "Kraken REST OHLC", volume=7)
    if width == 9 and table.hints.venue == "okx":
        return _layout(table, "OKX candles", complete="column_9")
    if width == 7:
        return _layout(table, "Kraken OHLCVT")
    return _by_order(table) if width == 6 else None


def _layout(
    table: Table,
    name: str,
    *,
    prices: tuple[int, int, int, int] = (2, 3, 4, 5),
    volume: int = 6,
    label: Label = "start",
    zone: str | None = "UTC",
    complete: str | None = None,
    notes: tuple[Finding, ...] = (),
) -> Layout:
    return Layout(
        name=name,
        time=("column_1",),
        prices=_column_names(prices),
        volume=f"column_{volume}",
        label=label,
        zone=zone,
        complete=complete,
        hints=table.hints,
        notes=notes,
    )


def _column_names(positions: tuple[int, int, int, int]) -> tuple[str, str, str, str]:
    opening, high, low, close = (f"column_{position}" for position in positions)
    return opening, high, low, close


def _metatrader_4(table: Table) -> Layout:
    return Layout(
        name="MetaTrader 4 export",
        time=("column_1", "column_2"),
        prices=_column_names((3, 4, 5, 6)),
        volume="column_7",
        hints=table.hints,
        notes=(
            Finding(
                code="tick-volume",
                severity="info",
                text="the volume counts price changes (ticks), not units traded",
            ),
            Finding(
                code="broker-time",
                severity="info",
                text="MetaTrader writes the broker's own time, which the file does not name",
            ),
        ),
    )


def _headless_cryptodatadownload(table: Table) -> Layout:
    """The end of such a file, cut from its header: Unix time, date, symbol, prices, volume."""
    return Layout(
        name="CryptoDataDownload without header",
        time=("column_2",),
        prices=_column_names((4, 5, 6, 7)),
        volume="column_8",
        zone="UTC",
        hints=replace(table.hints, symbol=table.first("column_3")),
    )


def _by_order(table: Table) -> Layout:
    """Rows of an epoch and five numbers: the order of the prices is what tells the venues apart."""
    impossible = [_impossible_rows(table, positions) for _, positions in _ORDERS]
    best = min(range(len(_ORDERS)), key=lambda choice: (impossible[choice], choice))
    notes: tuple[Finding, ...] = ()
    if impossible.count(impossible[best]) > 1:
        text = f"the prices fit more than one order of columns and were read as {_ORDERS[best][0]}"
        notes = (Finding(code="column-order-assumed", severity="warning", text=text),)
    elif best > 0:
        text = (
            f"the columns are in the order {_ORDERS[best][0]}: read as open, high, low, close "
            f"{impossible[0]:,} of {table.frame.height:,} rows would be impossible"
        )
        notes = (Finding(code="column-order", severity="info", text=text),)
    return _layout(table, _ORDER_NAMES[best], prices=_ORDERS[best][1], notes=notes)


def _impossible_rows(table: Table, positions: tuple[int, int, int, int]) -> int:
    opening, high, low, close = (pl.col(name).cast(pl.Float64, strict=False) for name in _column_names(positions))
    broken = (high < pl.max_horizontal(opening, low, close)) | (low > pl.min_horizontal(opening, close))
    return int(table.frame.select(broken.sum()).item())


def _is_lean_minute(table: Table, first: str) -> bool:
    """Lean counts milliseconds from midnight; an epoch of that size would lie in the first day of 1970."""
    if not re.fullmatch(r"\d{1,8}", first):
        return False
    last = table.frame["column_1"].cast(pl.Int64, strict=False).max()
    return isinstance(last, int) and last < _MILLISECONDS_A_DAY


def _lean(table: Table, names: tuple[str, ...], side: Side | None) -> Layout:
    day = next((match.group(1) for name in reversed(names) if (match := _DAY_IN_NAME.search(name))), None)
    if day is None:
        raise DataError(
            f"{table.where}: Lean minute bars count from midnight, and no name tells the day. "
            "Allowed: the name that Lean gave it, such as 20170903_trade.zip."
        )
    is_quote = len(table.columns) == 11
    if is_quote and side not in ("bid", "ask"):
        raise DataError(f"{table.where}: holds quotes (bid and ask bars), not trades; choose --side bid or --side ask.")
    if not is_quote and side not in (None, "trade"):
        raise UsageError(f"--side {side}: {table.where} holds trades. Allowed here: no --side.")
    start = _LEAN_ASK if side == "ask" else _LEAN_BID
    words = {word.lower() for name in names for word in re.split(r"[_\-./]", name)}
    return Layout(
        name="Lean minute quotes" if is_quote else "Lean minute trades",
        time=("column_1",),
        prices=_column_names((start, start + 1, start + 2, start + 3)),
        volume=None if is_quote else "column_6",
        zone=_lean_zone(words),
        day=day,
        side=side if is_quote and side is not None else "trade",
        hints=table.hints,
    )


def _lean_zone(words: set[str]) -> str | None:
    """The clock that Lean keeps a venue's files in; None where the name does not tell the venue."""
    if "fxcm" in words:
        return "UTC-05:00"
    known = {"binance", "bitfinex", "bybit", "coinbase", "gdax", "kraken", "oanda"}
    return "UTC" if words & known else None
