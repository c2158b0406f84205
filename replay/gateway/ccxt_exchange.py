"""An exchange over ccxt: REST alone, one request at a time, each error in the gateway's own words.

What ccxt raises is never shown and never chained: its texts hold signed addresses and its causes hold headers.
"""

# ruff: noqa: PLC0415 - ccxt is an extra; its import takes a third of a second

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ...errors import UsageError
from ..clock import Clock
from .ccxt_troubles import Answer, OffTimeError, trouble_of
from .credentials import Credentials
from .exchange import (
    Candle,
    DeclinedError,
    ExchangeOrder,
    Market,
    OrderState,
    Side,
    ThrottledError,
    Trade,
    UnansweredError,
    decimal_of,
)
from .request_gate import RequestGate
from .server_time import ServerTime
from .venues import Venue

TIMEOUT_SECONDS = 5.0
"""Of a request; an order without an answer by then is asked for."""
_STATES: Mapping[str, OrderState] = {
    "open": "open",
    "closed": "filled",
    "canceled": "cancelled",
    "canceling": "open",
    "expired": "expired",
    "expired_in_match": "expired",
    "rejected": "rejected",
}
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def ccxt_class(venue: Venue) -> type:
    """The venue's class of ccxt.

    Raises:
        UsageError: ccxt is not installed.
    """
    try:
        import ccxt
    except ImportError:
        raise UsageError("a gateway needs ccxt, which is not installed: pip install 'barstep[exchange]'.") from None
    found: type = getattr(ccxt, venue.name)
    return found


class CcxtExchange:
    """An exchange of `venues`, as the gateway's `Exchange`.

    Args:
        venue: Which.
        clock: Measures how long answers take.
        credentials: Of the account; None: public data alone.
        sandbox: Whether the exchange's sandbox is meant.
        base_url: Where requests go in its place, such as `http://127.0.0.1:8080`, for trying the gateway.
        timeout_seconds: Of a request.

    Raises:
        UsageError: ccxt is not installed, or has no sandbox of it.
    """

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        *,
        credentials: Credentials | None,
        sandbox: bool,
        base_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name, self.most_candles = venue.name, venue.most_candles
        self.receive_window_us = venue.window_seconds * 1_000_000
        self._venue, self._clock, self._credentials = venue, clock, credentials
        self.time = ServerTime(clock)
        self.gate = RequestGate(clock, weight_header=venue.weight_header, weight_a_minute=venue.weight_a_minute)
        self._lock = threading.RLock()
        self._answer: Answer | None = None
        self._ccxt = self._made(sandbox=sandbox, base_url=base_url, timeout_seconds=timeout_seconds)
        self._timeframes = {
            int(text[:-1]) * _SECONDS[text[-1]]: text for text in self._ccxt.timeframes if text[-1] in _SECONDS
        }
        # Longer bars of an exchange begin on a weekday or the first of a month, not at multiples of their length.
        self.intervals = frozenset(seconds for seconds in self._timeframes if seconds <= _SECONDS["d"])
        self._markets: dict[str, Market] = {}
        self._symbols: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"CcxtExchange({self.name!r})"

    def open(self) -> None:
        """Measure the exchange's time and read its markets: what has to be there before anything else."""
        self.measure_time()
        for symbol, found in self._call("load_markets").items():
            if found.get("spot") and found["precision"]["amount"] and found["precision"]["price"]:
                self._markets[found["id"]], self._symbols[found["id"]] = _market_of(found), symbol

    def earliest_us(self) -> int:
        """The exchange's time now, or a little before it."""
        return self.time.earliest_us()

    def latest_us(self) -> int:
        """The exchange's time now, or a little after it."""
        return self.time.latest_us()

    def measure_time(self) -> None:
        """Ask for the exchange's time."""
        with self._lock:
            asked_us = self._clock.monotonic_us()
            server_ms = self._call("fetch_time")
            if not isinstance(server_ms, int):
                raise UnansweredError(f"{self.name}: its answer to a question for its time has none.")
            self.time.measured(server_ms * 1_000, asked_us=asked_us, answered_us=self._clock.monotonic_us())

    def measure_if_due(self) -> bool:
        """Measure the exchange's time where that is due; whether a request was made."""
        if self.time.is_due:
            self.measure_time()
            return True
        return False

    def market(self, name: str) -> Market | None:
        """A market; None where there is none of that name."""
        return self._markets.get(name)

    def market_between(self, base: str, quote: str) -> Market | None:
        """The market that trades one currency for another."""
        return next((found for found in self._markets.values() if (found.base, found.quote) == (base, quote)), None)

    def market_names(self) -> Sequence[str]:
        """All markets."""
        return tuple(self._markets)

    def candles(self, market: str, *, interval_seconds: int, from_us: int, limit: int) -> list[Candle]:
        """Bars that open at `from_us` or later, in order, the unfinished one among them."""
        frame, since_ms = self._timeframes[interval_seconds], -(-from_us // 1_000)
        rows = self._call("fetch_ohlcv", self._symbols[market], frame, since_ms, limit)
        return [
            Candle(ts_us=row[0] * 1_000, open=row[1], high=row[2], low=row[3], close=row[4], volume=row[5])
            for row in rows
        ]

    def place(self, market: str, *, side: Side, quantity: Decimal, client_id: str, stamp_us: int) -> ExchangeOrder:
        """Place a market order. After `UnansweredError` it may be there or not."""
        # Were it stamped when it leaves, its window would end later than what was written down before.
        named = {self._venue.client_id_parameter: client_id, self._venue.stamp_parameter: stamp_us // 1_000}
        answer = self._call(
            "create_order", self._symbols[market], "market", side, float(quantity), None, named, is_patient=False
        )
        return _order_of(answer)

    def order(self, market: str, client_id: str) -> ExchangeOrder | None:
        """An order of ours; None where the exchange does not know it."""
        named = {self._venue.asked_client_id_parameter: client_id}
        try:
            return _order_of(self._call("fetch_order", "", self._symbols[market], named, is_patient=False))
        except DeclinedError as declined:
            if declined.code in self._venue.unknown_order:
                return None
            raise

    def trades(self, market: str, exchange_id: str) -> tuple[Trade, ...]:
        """What an order has traded."""
        found = self._call(
            "fetch_my_trades", self._symbols[market], None, None, {"orderId": exchange_id}, is_patient=False
        )
        return tuple(_trade_of(trade) for trade in found if str(trade["order"]) == exchange_id)

    def open_orders(self, market: str) -> list[ExchangeOrder]:
        """The account's orders that have not ended."""
        return [_order_of(found) for found in self._call("fetch_open_orders", self._symbols[market], is_patient=False)]

    def cancel(self, market: str, client_id: str) -> None:
        """Cancel an order; `DeclinedError` where it has ended."""
        named = {self._venue.asked_client_id_parameter: client_id}
        self._call("cancel_order", "", self._symbols[market], named, is_patient=False)

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """By currency what is free and what is bound, where there is any."""
        found = self._call("fetch_balance")
        sums = {name: (decimal_of(found["free"][name]), decimal_of(found["used"].get(name))) for name in found["free"]}
        return {name: (free, bound) for name, (free, bound) in sorted(sums.items()) if free or bound}

    def _made(self, *, sandbox: bool, base_url: str | None, timeout_seconds: float) -> Any:
        made = ccxt_class(self._venue)({"enableRateLimit": True, "timeout": int(timeout_seconds * 1_000)})
        made.options.update(self._venue.options)
        made.has["fetchCurrencies"] = False  # a signed request for what is not needed
        if self._credentials is not None:
            made.apiKey, made.secret = self._credentials.key, self._credentials.secret
        if sandbox:
            if not made.urls.get("test"):
                raise UsageError(f"{self.name} has no sandbox.")
            made.set_sandbox_mode(True)
        if base_url is not None:
            made.urls["api"] = {name: _moved(url, base_url) for name, url in made.urls["api"].items()}
        # ccxt would write headers with the key to a log that somebody sets to DEBUG.
        made.logger = logging.Logger("barstep.silent", logging.CRITICAL + 1)
        made.nonce = lambda: self.time.earliest_us() // 1_000
        made.session.hooks["response"].append(self._answered)
        return made

    def _answered(self, response: Any, *_: object, **__: object) -> None:
        """Keep what an answer says beside its content."""
        self._answer = Answer(status=response.status_code, headers=response.headers, body=response.text)

    def _call(self, method: str, *arguments: object, is_patient: bool = True) -> Any:
        """Make one request.

        Raises:
            BarstepError: What went wrong, as one of `exchange`'s.
        """
        with self._lock:
            self.gate.check(is_patient=is_patient)
            self._answer = None
            try:
                return getattr(self._ccxt, method)(*arguments)
            except Exception as error:  # whatever goes wrong once an order has left, it may be there
                raised = error
            finally:
                self._note_limits()
            raise self._trouble(raised) from None

    def _note_limits(self) -> None:
        if self._answer is not None:
            server_us = self.time.earliest_us() if self.time.is_known else 0
            self.gate.answered(self._answer.status, self._answer.headers, server_us=server_us)

    def _trouble(self, error: Exception) -> Exception:
        trouble = trouble_of(error, self._answer, self._venue, self._hidden)
        if isinstance(trouble, OffTimeError):
            self.time.doubt()
        if isinstance(trouble, ThrottledError):
            trouble.wait_us = max(trouble.wait_us, self.gate.wait_us())
        return trouble

    def _hidden(self, text: str) -> str:
        return self._credentials.without(text) if self._credentials else text


def _moved(url: str, base_url: str) -> str:
    """An address with scheme and host of another one."""
    base = urlsplit(base_url)
    return urlunsplit(urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc))


def _market_of(found: Mapping[str, Any]) -> Market:
    """A market from what ccxt has read; steps are those of TICK_SIZE precision."""
    limits, precision = found["limits"], found["precision"]
    at_market = limits.get("market") or {}
    most = decimal_of(at_market.get("max")) or decimal_of(limits["amount"].get("max"))
    return Market(
        name=found["id"],
        base=found["base"],
        quote=found["quote"],
        step=decimal_of(precision["amount"]),
        tick=decimal_of(precision["price"]),
        least=max(decimal_of(at_market.get("min")), decimal_of(limits["amount"].get("min"))),
        most=most or None,
        least_value=decimal_of((limits.get("cost") or {}).get("min")),
        taker_share=decimal_of(found.get("taker")),
        is_trading=bool(found.get("active")),
    )


def _order_of(found: Mapping[str, Any]) -> ExchangeOrder:
    at_ms = found.get("lastUpdateTimestamp") or found.get("timestamp") or 0
    trades = tuple(_trade_of(trade, at_ms) for trade in found.get("trades") or ())
    return ExchangeOrder(
        exchange_id=str(found["id"]),
        client_id=str(found.get("clientOrderId") or ""),
        state=_STATES[found["status"]],
        executed=decimal_of(found.get("filled")),
        at_us=int(at_ms) * 1_000,
        trades=trades or None,
    )


def _trade_of(found: Mapping[str, Any], order_ms: int = 0) -> Trade:
    """A trade; one that came with its order's acknowledgement has the time of that."""
    fee = found.get("fee") or {}
    return Trade(
        trade_id=str(found.get("id")),
        at_us=int(found.get("timestamp") or order_ms) * 1_000,
        price=decimal_of(found["price"]),
        quantity=decimal_of(found["amount"]),
        fee=decimal_of(fee.get("cost")),
        fee_coin=str(fee.get("currency") or ""),
    )
