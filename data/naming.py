"""What a file's name suggests: symbol, venue, interval and side.

A name is a hint and never proof. The content wins wherever the two can be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .durations import DAY, HOUR, MINUTE, parse_interval

VENUES = (
    "binance", "binanceus", "bitfinex", "bitmex", "bitstamp", "bittrex", "bybit", "cme", "coinbase", "deribit",
    "ftx", "fxcm", "gateio", "gemini", "huobi", "hyperliquid", "kraken", "kucoin", "mexc", "nasdaq", "nyse",
    "oanda", "okx", "poloniex",
)  # fmt: skip

# Words that stand in vendors' file names and are no instrument.
_NOT_A_SYMBOL = {
    "API",
    "CDD",
    "MT4",
    "MT5",
    "OHLC",
    "OHLCV",
    "OHLCVT",
    "CSV",
    "JSON",
    "PERP",
    "BID",
    "ASK",
    "US",
    "UTC",
}

_METATRADER = re.compile(r"^(M|H|D|W)([1-9]\d*)$")
_METATRADER_UNIT = {"M": "m", "H": "h", "D": "d", "W": "w"}
_METATRADER_MINUTES = re.compile(r"^([A-Z]{6,})(1|5|15|30|60|240|1440|10080)$")
_INTERVAL = re.compile(r"^([1-9]\d*)(s|m|min|h|hr|d|w)$", re.IGNORECASE)
_WORDS = {"minute": MINUTE, "hour": HOUR, "hourly": HOUR, "daily": DAY}
_LOWER_PAIR = re.compile(r"^[a-z0-9]{2,10}(usd|usdt|usdc|busd|eur|gbp|jpy|btc|eth)$")
_NORMALISED = re.compile(r"^([A-Za-z0-9]+)_([A-Za-z0-9.=^]+(?:-[A-Za-z0-9]+)*)_([1-9]\d*[smhdw])$")


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a file's name suggests; None where it suggests nothing."""

    symbol: str | None = None
    venue: str | None = None
    interval_seconds: int | None = None
    side: Literal["bid", "ask", "mark"] | None = None


def guess_names(file_name: str) -> Names:
    """Read the hints in a file's name.

    `BINANCE_BTCUSDT_1m.parquet` gives all three; `BTC_USDT_USDT-5m-futures.feather` gives `BTCUSDT` and 5 minutes.
    """
    stem = re.sub(r"(\.(us|csv|txt|json|feather|parquet|zip|gz))+$", "", file_name, flags=re.IGNORECASE)
    side = _side(stem)
    exact = _NORMALISED.match(stem)
    if exact is not None:
        venue, symbol, interval = exact.groups()
        return Names(symbol=symbol, venue=venue.lower(), interval_seconds=parse_interval(interval), side=side)
    tokens = [token for token in re.split(r"[_\-. ,]+", stem) if token]
    intervals = [seconds for token in tokens if (seconds := _interval(token)) is not None]
    venues = [token for token in tokens if token.lower() in VENUES]
    embedded = next((match for token in tokens if (match := _METATRADER_MINUTES.match(token))), None)
    if embedded is not None:
        intervals.append(int(embedded.group(2)) * MINUTE)
    symbol = embedded.group(1) if embedded is not None else _symbol(tokens)
    return Names(
        symbol=symbol,
        venue=venues[0].lower() if venues else None,
        interval_seconds=intervals[0] if intervals else None,
        side=side,
    )


def _side(stem: str) -> Literal["bid", "ask", "mark"] | None:
    words = re.split(r"[_\-. ]+", stem.lower())
    if "mark" in words:
        return "mark"
    if ("bid" in words) != ("ask" in words):
        return "bid" if "bid" in words else "ask"
    return None


def _interval(token: str) -> int | None:
    metatrader = _METATRADER.match(token.upper()) if not token[0].isdigit() else None
    if metatrader is not None:
        return parse_interval(metatrader.group(2) + _METATRADER_UNIT[metatrader.group(1)])
    plain = _INTERVAL.match(token)
    if plain is not None:
        return parse_interval(token)
    return _WORDS.get(token.lower())


def _symbol(tokens: list[str]) -> str | None:
    """The longest run that is written like an instrument: capitals and digits, `ETH_BTC` joined to `ETHBTC`."""
    candidates: list[str] = []
    previous = -2
    for position, token in enumerate(tokens):
        if not _looks_like_symbol(token):
            continue
        # A pair written in two tokens; a third one is the settlement currency of a future.
        if previous == position - 1 and candidates and len(candidates[-1]) <= 5 and len(token) <= 5:
            candidates[-1] += token
        elif previous != position - 1:
            candidates.append(token)
        previous = position
    if candidates:
        return max(candidates, key=len)
    return next((token.upper() for token in tokens if _LOWER_PAIR.match(token)), None)


def _looks_like_symbol(token: str) -> bool:
    return (
        re.fullmatch(r"[A-Z0-9=^]{2,}", token) is not None
        and not token.isdigit()
        and token not in _NOT_A_SYMBOL
        and token.lower() not in VENUES
        and _interval(token) is None
        and _METATRADER.match(token) is None
        and re.fullmatch(r"(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\d{4}", token) is None
    )
