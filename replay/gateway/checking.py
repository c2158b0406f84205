"""A look at an exchange before anything is traded there: time, markets, limits, balances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import UsageError, unknown_name
from ..clock import Clock
from ..journal.record import at_text
from .ccxt_exchange import CcxtExchange
from .exchange import Market

_MINUTE_US = 60_000_000


def look_at(exchange: CcxtExchange, clock: Clock, markets: Sequence[str], *, with_balances: bool) -> dict[str, Any]:
    """What the exchange says, as a document for people and machines.

    Args:
        exchange: Opened.
        clock: This machine's, to tell how far its wall time is off.
        markets: Which to show.
        with_balances: Whether there is a key to ask for them.

    Raises:
        UsageError: The exchange has no such market.
        FeedError: It does not answer.
    """
    found = [_named(exchange, name) for name in markets]
    exchange.measure_time()
    earliest_us, latest_us = exchange.earliest_us(), exchange.latest_us()
    ahead_us = clock.now_us() - (earliest_us + latest_us) // 2
    balances = exchange.balances() if with_balances else None
    return {
        "exchange": exchange.name,
        "server_time": at_text(earliest_us),
        "unsure_ms": (latest_us - earliest_us) / 1_000,
        "wall_clock_ahead_ms": ahead_us / 1_000,
        "intervals_seconds": sorted(exchange.intervals),
        "markets": [_shown_market(exchange, market) for market in found],
        "balances": None if balances is None else _shown(balances),
        "used_weight": exchange.gate.used_weight,
    }


def _named(exchange: CcxtExchange, name: str) -> Market:
    market = exchange.market(name)
    if market is None:
        raise UsageError(unknown_name("market", name, _near(name, exchange.market_names())))
    return market


def _near(name: str, known: Sequence[str]) -> list[str]:
    """The markets that begin alike: an exchange has thousands."""
    return [other for other in known if other[:3] == name[:3]][:12] or list(known[:12])


def _shown_market(exchange: CcxtExchange, market: Market) -> dict[str, Any]:
    now_us = exchange.earliest_us()
    from_us = (now_us // _MINUTE_US - 3) * _MINUTE_US
    candles = exchange.candles(market.name, interval_seconds=60, from_us=from_us, limit=5)
    closed = [candle for candle in candles if candle.ts_us + _MINUTE_US <= now_us]
    return {
        "market": market.name,
        "quote": market.quote,
        "step": f"{market.step:f}",
        "tick": f"{market.tick:f}",
        "least": f"{market.least:f}",
        "most": None if market.most is None else f"{market.most:f}",
        "minimum_notional": f"{market.least_value:f}",
        "is_trading": market.is_trading,
        "last_closed_minute": at_text(closed[-1].ts_us) if closed else None,
        "close": closed[-1].close if closed else None,
    }


def _shown(balances: dict[str, tuple[Any, Any]]) -> list[dict[str, str]]:
    return [{"coin": coin, "free": f"{free:f}", "bound": f"{bound:f}"} for coin, (free, bound) in balances.items()]
