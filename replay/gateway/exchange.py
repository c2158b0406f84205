"""What the gateway asks of an exchange, what it is answered, and what can go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from ...errors import AuthorizationError, FeedError

Side = Literal["buy", "sell"]
OrderState = Literal["open", "filled", "cancelled", "expired", "rejected"]


class UnansweredError(FeedError):
    """No answer, or none that says whether the request was carried out. An order may be there or not."""


class ThrottledError(FeedError):
    """Nothing was sent, or it was turned away unread: the exchange wants fewer requests.

    Attributes:
        wait_us: Microseconds until the next request may be made.
    """

    def __init__(self, message: str, *, wait_us: int) -> None:
        super().__init__(message)
        self.wait_us = wait_us


class DeclinedError(FeedError):
    """The exchange has read the request and does not carry it out.

    Attributes:
        code: Its own code.
        text: Its own words.
    """

    def __init__(self, message: str, *, code: str, text: str) -> None:
        super().__init__(message)
        self.code, self.text = code, text


class NotAuthorizedError(AuthorizationError):
    """The exchange does not take the key, its signature, or what it is used for."""


def decimal_of(number: float | str | None) -> Decimal:
    """The number as it is written; 0 where there is none. A float's shortest text is what an exchange wrote."""
    return Decimal(0) if number is None else Decimal(str(number))


@dataclass(frozen=True, kw_only=True, slots=True)
class Candle:
    """A bar of the exchange, closed or not. Times are microseconds since the epoch, UTC."""

    ts_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """A part of an order that was traded.

    Attributes:
        trade_id: The exchange's number of it.
        at_us: When.
        price: In quote currency.
        quantity: In base currency, above 0.
        fee: What was charged, in `fee_coin`.
        fee_coin: The currency that it was charged in.
    """

    trade_id: str
    at_us: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_coin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExchangeOrder:
    """An order as the exchange has it.

    Attributes:
        exchange_id: The exchange's number of it.
        client_id: The id that the gateway gave it.
        state: Where it stands.
        executed: How much was traded, in base currency.
        at_us: When it changed last.
        trades: Those that came with the answer; None where it has none, and they are to be asked for.
    """

    exchange_id: str
    client_id: str
    state: OrderState
    executed: Decimal
    at_us: int
    trades: tuple[Trade, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Market:
    """What the exchange says of a market. Quantities are in base currency, values in quote currency.

    Attributes:
        name: What the exchange calls it, such as `BTCUSDT`.
        base: The currency that is traded.
        quote: The currency that is paid.
        step: Quantities are multiples of it.
        tick: Prices are multiples of it.
        least: Least quantity of a market order.
        most: Greatest quantity of a market order; None where there is no limit.
        least_value: Least value of an order (minimum notional).
        taker_share: What a market order costs, as a share of its value, where the exchange names no fee.
        is_trading: Whether orders are taken.
    """

    name: str
    base: str
    quote: str
    step: Decimal
    tick: Decimal
    least: Decimal
    most: Decimal | None
    least_value: Decimal
    taker_share: Decimal
    is_trading: bool


class Exchange(Protocol):
    """An exchange. Every call may raise `UnansweredError`, `ThrottledError`, `DeclinedError` or `NotAuthorizedError`.

    Attributes:
        name: Such as `binance`.
        intervals: Lengths of its bars, in seconds.
        most_candles: Most bars of one answer.
        receive_window_us: How long after its time stamp a request for an order can still be carried out.
    """

    name: str
    intervals: frozenset[int]
    most_candles: int
    receive_window_us: int

    def earliest_us(self) -> int:
        """The exchange's time now, or a little before it, never after it."""

    def latest_us(self) -> int:
        """The exchange's time now, or a little after it, never before it."""

    def measure_time(self) -> None:
        """Ask for the exchange's time."""

    def market(self, name: str) -> Market | None:
        """A market; None where there is none of that name."""

    def market_between(self, base: str, quote: str) -> Market | None:
        """The market that trades one currency for another; None where there is none."""

    def market_names(self) -> Sequence[str]:
        """All markets."""

    def candles(self, market: str, *, interval_seconds: int, from_us: int, limit: int) -> list[Candle]:
        """Bars that open at `from_us` or later, in order, the unfinished one among them."""

    def place(self, market: str, *, side: Side, quantity: Decimal, client_id: str, stamp_us: int) -> ExchangeOrder:
        """Place a market order. After `UnansweredError` it may be there or not.

        The exchange carries it out within `receive_window_us` after `stamp_us` of its own time, or never.
        """

    def order(self, market: str, client_id: str) -> ExchangeOrder | None:
        """An order of ours; None where the exchange does not know it."""

    def trades(self, market: str, exchange_id: str) -> tuple[Trade, ...]:
        """What an order has traded."""

    def open_orders(self, market: str) -> list[ExchangeOrder]:
        """The account's orders that have not ended."""

    def cancel(self, market: str, client_id: str) -> None:
        """Cancel an order; `DeclinedError` where it has ended."""

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """By currency what is free and what is bound, where there is any."""
