"""Tables whose columns have names: which vendor wrote them, and which column is what.

The first recogniser whose columns are all there wins, so the particular ones stand above the general one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ...errors import DataError, UsageError, nearest
from ..findings import Finding
from .table import Hints, Label, Layout, Table, column_key

PRICES = ("open", "high", "low", "close")
FIELDS = ("timestamp", *PRICES, "volume")

_TIME_NAMES = (
    "timestamp", "timestamp utc", "datetime", "date time", "date", "time", "open time", "start", "ts", "gmt time",
    "local time", "unix", "unix timestamp", "index", "column_1",
)  # fmt: skip
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "open": ("open", "o", "open price", "first"),
    "high": ("high", "h", "high price", "max"),
    "low": ("low", "l", "low price", "min"),
    "close": ("close", "c", "close price", "last"),
    "volume": ("volume", "v", "vol", "volume btc", "base volume", "qty"),
}


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What tells a vendor's header from others, and what is known of the vendor.

    Attributes:
        name: The format, as a person would call it.
        needs: Columns that must be there, besides open, high, low and close.
        time: The columns of times: the first of these alternatives whose columns are there.
        volume: The column of volumes.
        label: What times mark; None where the format does not say.
        zone: Time zone of the written times; None where the format does not say.
        kinds: Containers in which it occurs.
        preamble: A pattern that the lines above the header must match.
        notes: What is to be reported besides.
    """

    name: str
    needs: frozenset[str]
    time: tuple[tuple[str, ...], ...]
    volume: str | None = "volume"
    label: Label | None = "start"
    zone: str | None = None
    kinds: tuple[str, ...] = ("csv",)
    preamble: str = ""
    notes: tuple[Finding, ...] = ()


def _note(code: str, text: str) -> Finding:
    return Finding(code=code, severity="info", text=text)


_TICK_VOLUME = _note("tick-volume", "the volume counts price changes (ticks), not units traded")
_BROKER_TIME = _note("broker-time", "MetaTrader writes the broker's own time, which the file does not name")
_ADJUSTED = _note(
    "adjusted-close-left-out",
    "open, high, low and close are adjusted for splits only; the column Adj Close was not used",
)
_FULLY_ADJUSTED = _note("adjusted-prices", "prices are adjusted for splits and dividends, so old prices are small")

SIGNATURES: tuple[Signature, ...] = (
    Signature(name="MetaTrader 5 export", needs=frozenset({"date", "time", "tickvol"}), time=(("date", "time"),),
              volume="tickvol", notes=(_TICK_VOLUME, _BROKER_TIME)),
    Signature(name="MetaTrader 5 export", needs=frozenset({"date", "tickvol"}), time=(("date",),),
              volume="tickvol", notes=(_TICK_VOLUME, _BROKER_TIME)),
    Signature(name="Binance public klines", needs=frozenset({"open time", "close time"}), time=(("open time",),),
              zone="UTC"),
    # The Unix column of these files changes its unit half way, so the date beside it is what is read.
    Signature(name="CryptoDataDownload", needs=frozenset({"date", "symbol"}), time=(("date",),), zone="UTC"),
    Signature(name="Dukascopy", needs=frozenset({"gmt time"}), time=(("gmt time",),), zone="UTC"),
    Signature(name="Dukascopy", needs=frozenset({"local time"}), time=(("local time",),)),
    Signature(name="backtrader two-column times", needs=frozenset({"date", "time", "openinterest"}),
              time=(("date", "time"),), label="end"),
    Signature(name="Kaggle stocks (Date … OpenInt)", needs=frozenset({"date", "openint"}), time=(("date",),),
              notes=(_FULLY_ADJUSTED,)),
    Signature(name="Yahoo Finance", needs=frozenset({"date", "adj close"}), time=(("date",),), notes=(_ADJUSTED,)),
    Signature(name="yfinance with comment lines", needs=frozenset({"date"}), time=(("date",),), preamble="yfinance"),
    Signature(name="Coinbase candles", needs=frozenset({"start"}), time=(("timestamp",), ("start",)), zone="UTC",
              kinds=("json", "parquet")),
    Signature(name="freqtrade", needs=frozenset({"date"}), time=(("date",),), zone="UTC",
              kinds=("feather", "parquet", "json")),
    Signature(name="intraday month/day/year", needs=frozenset({"date"}), time=(("date",),), label=None,
              kinds=("csv",)),
)  # fmt: skip


def recognise_headed(table: Table, columns: Mapping[str, str] | None) -> Layout:
    """Say what the columns of a table with names are.

    Args:
        table: The rows.
        columns: From `timestamp`, `open`, ..., `volume` to the vendor's column, where the names alone do not tell.

    Raises:
        DataError: A column is missing.
        UsageError: The mapping names a column that is not there.
    """
    if columns:
        return _by_mapping(table, columns)
    present = set(table.columns)
    preamble = "\n".join(table.preamble)
    for signature in SIGNATURES:
        fits = table.kind in signature.kinds and signature.needs | set(PRICES) <= present
        if fits and re.search(signature.preamble, preamble, re.IGNORECASE) and _order_fits(signature, table):
            return _from_signature(signature, table)
    return _general(table)


def _order_fits(signature: Signature, table: Table) -> bool:
    """Only the intraday export writes the close before the high."""
    if signature.name != "intraday month/day/year":
        return True
    return table.columns[:5] == ["date", "open", "close", "high", "low"] and "/" in table.first("date")


def _from_signature(signature: Signature, table: Table) -> Layout:
    present = set(table.columns)
    time = next(names for names in signature.time if present.issuperset(names))
    volume = signature.volume
    if volume is not None and volume not in present:
        volume = next((name for name in table.columns if name.startswith("volume")), None)
    return Layout(
        name=signature.name,
        time=time,
        prices=PRICES,
        volume=volume,
        label=signature.label,
        zone=signature.zone,
        hints=_content_hints(signature, table),
        notes=signature.notes,
    )


def _content_hints(signature: Signature, table: Table) -> Hints:
    """Names that the content itself gives: a symbol column, or comment lines above the header."""
    preamble = "\n".join(table.preamble)
    ticker = re.search(r"^#\s*Ticker:\s*(\S+)", preamble, re.MULTILINE)
    made = re.search(r"^#\s*Generated:\s*(\S+)|^Created on (\d\d-\d\d-\d{4})", preamble, re.MULTILINE)
    symbol = table.hints.symbol
    if signature.name == "CryptoDataDownload":
        symbol = table.first("symbol")
        if table.frame["symbol"].n_unique() > 1:
            raise DataError(f"{table.where}: the column 'symbol' names several instruments; a dataset holds one.")
    elif ticker is not None:
        symbol = ticker.group(1)
    made_at = next((group for group in made.groups() if group), None) if made else None
    return Hints(symbol=symbol, venue=table.hints.venue, made_at=made_at)


def _general(table: Table) -> Layout:
    """Any table that has the columns under usual names."""
    found = {field: _find(table, names) for field, names in _SYNONYMS.items()}
    time = _find(table, _TIME_NAMES)
    date_and_time = {"date", "time"} <= set(table.columns) and table.frame["date"].dtype == pl.String
    missing = [field for field in PRICES if found[field] is None] + ([] if time else ["timestamp"])
    if missing:
        titles = ", ".join(repr(title) for title in table.titles.values())
        raise DataError(
            f"{table.where}: no column for {', '.join(missing)}. Found: {titles}. "
            f"Type: barstep data import {table.where.split('!')[0]} --column {missing[0]}=NAME"
        )
    return Layout(
        name=f"generic {table.kind}",
        time=("date", "time") if date_and_time else (str(time),),
        prices=(str(found["open"]), str(found["high"]), str(found["low"]), str(found["close"])),
        volume=found["volume"],
        label=None,
        zone="UTC" if str(time).endswith("utc") else None,
        hints=table.hints,
    )


def _find(table: Table, names: tuple[str, ...]) -> str | None:
    present = set(table.columns)
    return next((name for name in names if name in present), None)


def _by_mapping(table: Table, columns: Mapping[str, str]) -> Layout:
    """The columns as a person named them; those not named are found by their usual names."""
    chosen: dict[str, str] = {}
    for field, title in columns.items():
        if field not in FIELDS:
            raise UsageError(f"--column {field}={title}: unknown field {field!r}.{nearest(field, FIELDS)} "
                             f"Allowed: {', '.join(FIELDS)}.")  # fmt: skip
        key = title if title in table.columns else column_key(title)
        if key not in table.columns:
            names = ", ".join(repr(name) for name in table.titles.values())
            raise UsageError(f"--column {field}={title}: {table.where} has no column {title!r}."
                             f"{nearest(title, table.titles.values())} Found: {names}.")  # fmt: skip
        chosen[field] = key
    for field in FIELDS:
        usual = _find(table, _TIME_NAMES if field == "timestamp" else _SYNONYMS[field])
        if field not in chosen and usual is not None:
            chosen[field] = usual
    missing = [field for field in FIELDS[:-1] if field not in chosen]
    if missing:
        raise DataError(f"{table.where}: no column for {', '.join(missing)}; add --column {missing[0]}=NAME.")
    return Layout(
        name=f"{table.kind} by column mapping",
        time=(chosen["timestamp"],),
        prices=(chosen["open"], chosen["high"], chosen["low"], chosen["close"]),
        volume=chosen.get("volume"),
        label=None,
        hints=table.hints,
    )
