"""An exchange on this machine that answers as Binance's public documents of its spot REST interface say.

Its ledger of orders is the oracle of the tests. Faults are asked for one by one; time is what the test says.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY, SECRET = "k" * 20 + "-public-key", "s" * 20 + "-very-secret"
MINUTE_MS = 60_000
WEIGHTS = {"time": 1, "exchangeInfo": 20, "klines": 2, "account": 20, "openOrders": 6, "myTrades": 20, "order": 4}


class RefusedError(Exception):
    """An answer of HTTP 400 with the exchange's code."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.status = code, text, status


@dataclass
class Row:
    """A bar: open time in milliseconds, and prices and volume as text."""

    open_ms: int
    values: tuple[str, str, str, str, str]


@dataclass
class Placed:
    """An order in the exchange's ledger."""

    number: int
    symbol: str
    client_id: str
    side: str
    quantity: Decimal
    at_ms: int
    status: str = "NEW"
    trades: list[dict[str, Any]] = field(default_factory=list)

    @property
    def executed(self) -> Decimal:
        return sum((Decimal(trade["qty"]) for trade in self.trades), Decimal(0))


class ExchangeStub:
    """The exchange.

    Attributes:
        now_ms: The exchange's clock.
        orders: Every order that it has accepted: what a duplicate would show in.
        requests: Names of the endpoints asked, in order.
        faults: By endpoint (`POST order`) what happens to the next requests: one of `429`, `418`, `500`, `drop` (after
            the work was done), `lose` (before it), `hang` (after the work), or a (code, text) to refuse with.
        pieces: Shares of an order that its trades come in; less than 1 in all leaves it open.
        expires: Whether what was not traded expires at once.
        fee_coin: In what fees are charged.
        invisible: Questions for an order that are answered as though it were not there.
        weight_headroom: Subtracted from the limit in the weight header.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self.rows: dict[tuple[str, str], list[Row]] = {}
        self.orders: list[Placed] = []
        self.requests: list[str] = []
        self.request_headers: list[dict[str, str]] = []
        self.faults: dict[str, deque[Any]] = {}
        self.pieces = ["1"]
        self.expires = False
        self.fee_coin: str | None = None
        self.invisible = 0
        self.price = Decimal("50000.00")
        self.filters = {"BTCUSDT": ("0.00001", "10"), "ETHUSDT": ("0.0001", "10"), "BNBUSDT": ("0.001", "10")}
        self.balances = {"USDT": ("100000.00", "0.00"), "BTC": ("2.50000000", "0.50000000")}
        self.weights: Counter[int] = Counter()
        self.extra_weight = 0
        self.retry_after = "7"
        self.hang = threading.Event()
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.hang.set()
        self._server.shutdown()
        self._server.server_close()

    def fail(self, endpoint: str, *faults: Any) -> None:
        """Let the next requests for an endpoint fail so."""
        self.faults.setdefault(endpoint, deque()).extend(faults)

    def bar(self, symbol: str, open_ms: int, *values: float, interval: str = "1m") -> None:
        """Have a bar, or another one in its place."""
        rows = self.rows.setdefault((symbol, interval), [])
        row = Row(open_ms, tuple(f"{value:.8f}" for value in values))  # type: ignore[arg-type]
        kept = [old for old in rows if old.open_ms != open_ms]
        self.rows[symbol, interval] = sorted([*kept, row], key=lambda one: one.open_ms)

    def client_ids(self) -> list[str]:
        return [order.client_id for order in self.orders]

    def handle(  # noqa: PLR0911 - an answer for each fault
        self, method: str, url: str, body: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], str] | str:
        """The answer to a request; a word where there is to be none."""
        parts = urlsplit(url)
        endpoint = parts.path.removeprefix("/api/v3/")
        query = dict(parse_qsl(parts.query if method != "POST" else body, keep_blank_values=True))
        name = endpoint if method == "GET" else f"{method} {endpoint}"
        with self._lock:
            self.requests.append(name)
            self.request_headers.append(headers)
            minute = self.now_ms() // MINUTE_MS
            self.weights[minute] += WEIGHTS.get(endpoint, 1)
            weight = {"X-MBX-USED-WEIGHT-1M": str(self.weights[minute] + self.extra_weight)}
            fault = self.faults[name].popleft() if self.faults.get(name) else None
            if fault in (429, 418):
                text = {"code": -1003, "msg": "Too much request weight used."}
                return fault, {**weight, "Retry-After": self.retry_after}, json.dumps(text)
            if fault == "lose":
                return "drop"
            if isinstance(fault, tuple):
                return 400, weight, json.dumps({"code": fault[0], "msg": fault[1]})
            try:
                answer = self._answer(method, endpoint, query, parts.query if method != "POST" else body, headers)
            except RefusedError as refused:
                return refused.status, weight, json.dumps({"code": refused.code, "msg": refused.text})
            if fault == 500:
                return (
                    503,
                    weight,
                    '{"code":-1000,"msg":"Unknown error, please check your request or try again later."}',
                )
            if fault in ("drop", "hang"):
                return str(fault)
            return 200, weight, json.dumps(answer)

    def _answer(self, method: str, endpoint: str, query: dict[str, str], signed: str, headers: dict[str, str]) -> Any:
        public = {"time": self._time, "exchangeInfo": self._exchange_info, "klines": self._klines}
        if endpoint in public:
            return public[endpoint](query)
        self._check_signature(query, signed, headers)
        private = {
            "GET account": self._account,
            "GET openOrders": self._open_orders,
            "GET myTrades": self._my_trades,
            "GET order": self._order,
            "POST order": self._place,
            "DELETE order": self._cancel,
        }
        return private[f"{method} {endpoint}"](query)

    def _check_signature(self, query: dict[str, str], signed: str, headers: dict[str, str]) -> None:
        if headers.get("x-mbx-apikey") != KEY:
            raise RefusedError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        text, _, signature = signed.rpartition("&signature=")
        if hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest() != signature:
            raise RefusedError(-1022, "Signature for this request is not valid.")
        sent_ms, window_ms = int(query["timestamp"]), int(query.get("recvWindow", 5_000))
        if not (sent_ms < self.now_ms() + 1_000 and self.now_ms() - sent_ms <= window_ms):
            raise RefusedError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _time(self, _: dict[str, str]) -> Any:
        return {"serverTime": self.now_ms()}

    def _exchange_info(self, _: dict[str, str]) -> Any:
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "symbols": [self._symbol(name) for name in self.filters],
        }

    def _symbol(self, name: str) -> Any:
        step, least = self.filters[name]
        return {
            "symbol": name, "status": "TRADING", "baseAsset": name[:3], "baseAssetPrecision": 8,
            "quoteAsset": name[3:], "quotePrecision": 8, "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
            "permissions": [], "permissionSets": [["SPOT"]],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000.00", "stepSize": step},
                {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "100.0", "stepSize": "0.00000000"},
                {"filterType": "NOTIONAL", "minNotional": least, "applyMinToMarket": True, "maxNotional": "9000000.00",
                 "applyMaxToMarket": False, "avgPriceMins": 5},
            ],
        }  # fmt: skip

    def _klines(self, query: dict[str, str]) -> Any:
        """Bars from `startTime` on, the unfinished one among them, as far as the clock has come."""
        length_ms = {"1m": MINUTE_MS, "1h": 60 * MINUTE_MS}[query["interval"]]
        start, most = int(query.get("startTime", 0)), int(query.get("limit", 500))
        rows = [
            row
            for row in self.rows.get((query["symbol"], query["interval"]), [])
            if row.open_ms >= start and row.open_ms <= self.now_ms()
        ]
        return [
            [row.open_ms, *row.values, row.open_ms + length_ms - 1, "1.0", 7, "0.5", "0.5", "0"]
            for row in rows[: min(most, 1_000)]
        ]

    def _account(self, _: dict[str, str]) -> Any:
        held = [{"asset": name, "free": free, "locked": bound} for name, (free, bound) in self.balances.items()]
        return {"makerCommission": 10, "takerCommission": 10, "canTrade": True, "accountType": "SPOT", "balances": held}

    def _open_orders(self, query: dict[str, str]) -> Any:
        found = [order for order in self.orders if order.symbol == query["symbol"]]
        return [self._shown(order) for order in found if order.status in ("NEW", "PARTIALLY_FILLED")]

    def _my_trades(self, query: dict[str, str]) -> Any:
        return [
            {"symbol": order.symbol, "orderId": order.number, "id": trade["tradeId"], "time": order.at_ms, **trade}
            for order in self.orders
            if order.number == int(query["orderId"])
            for trade in order.trades
        ]

    def _order(self, query: dict[str, str]) -> Any:
        if self.invisible > 0:
            self.invisible -= 1
            raise RefusedError(-2013, "Order does not exist.")
        return self._shown(self._named(query, -2013, "Order does not exist."))

    def _cancel(self, query: dict[str, str]) -> Any:
        order = self._named(query, -2011, "Unknown order sent.")
        if order.status not in ("NEW", "PARTIALLY_FILLED"):
            raise RefusedError(-2011, "Unknown order sent.")
        order.status, order.at_ms = "CANCELED", self.now_ms()
        return self._shown(order)

    def _place(self, query: dict[str, str]) -> Any:
        step, least = (Decimal(text) for text in self.filters[query["symbol"]])
        quantity = Decimal(query["quantity"])
        if quantity % step or quantity < step:
            raise RefusedError(-1013, "Filter failure: LOT_SIZE")
        if quantity * self.price < least:
            raise RefusedError(-1013, "Filter failure: NOTIONAL")
        open_ids = [order.client_id for order in self.orders if order.status in ("NEW", "PARTIALLY_FILLED")]
        if query["newClientOrderId"] in open_ids:
            raise RefusedError(-2010, "Duplicate order sent.")
        order = Placed(
            number=1_000 + len(self.orders),
            symbol=query["symbol"],
            client_id=query["newClientOrderId"],
            side=query["side"],
            quantity=quantity,
            at_ms=self.now_ms(),
        )
        self.orders.append(order)
        for share in self.pieces:
            self.trade(order, (quantity * Decimal(share)).quantize(step))
        if self.expires and order.status != "FILLED":
            order.status = "EXPIRED"
        return {**self._shown(order), "transactTime": order.at_ms, "fills": order.trades}

    def trade(self, order: Placed, quantity: Decimal) -> None:
        """Trade a part of an order, each part a little dearer; a thousandth is the fee."""
        price = self.price + Decimal("0.01") * len(order.trades)
        coin = self.fee_coin or order.symbol[3:]
        paid = {order.symbol[3:]: quantity * price, order.symbol[:3]: quantity}.get(coin, Decimal(1)) / 1000
        order.trades.append(
            {
                "price": f"{price}",
                "qty": f"{quantity}",
                "commission": f"{paid.normalize():f}",
                "commissionAsset": coin,
                "tradeId": 10 * order.number + len(order.trades),
            }
        )
        order.at_ms = self.now_ms()
        order.status = "FILLED" if order.executed == order.quantity else "PARTIALLY_FILLED"

    def _named(self, query: dict[str, str], code: int, text: str) -> Placed:
        for order in self.orders:
            if order.client_id == query.get("origClientOrderId"):
                return order
        raise RefusedError(code, text)

    def _shown(self, order: Placed) -> Any:
        value = sum((Decimal(trade["qty"]) * Decimal(trade["price"]) for trade in order.trades), Decimal(0))
        return {
            "symbol": order.symbol, "orderId": order.number, "orderListId": -1, "clientOrderId": order.client_id,
            "price": "0.00000000", "origQty": f"{order.quantity}", "executedQty": f"{order.executed}",
            "cummulativeQuoteQty": f"{value}", "status": order.status, "timeInForce": "GTC", "type": "MARKET",
            "side": order.side, "time": order.at_ms, "updateTime": order.at_ms, "isWorking": True,
        }  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(stub: ExchangeStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet, else each waits 40 ms for the other side

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = stub.handle(method, self.path, body, headers)
            if isinstance(answer, str):
                if answer == "hang":
                    stub.hang.wait(5)
                self.close_connection = True
                return
            status, more, text = answer
            self.send_response(status)
            for name, value in {**more, "Content-Type": "application/json", "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

    return Handler
