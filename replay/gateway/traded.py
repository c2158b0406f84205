"""What an order has traded, in the words of the channel: whole lots, a price, and a fee in quote currency.

A fee is charged in some currency. In the quote currency it stands as it is; in the base currency it counts at the price
of its own trade; in another one (an exchange's own coin) at the open of that coin's minute in which the trade was
made, so that it comes to the same after a restart. Where there is no market of the two, the taker fee counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..channel.messages import Fill
from .exchange import Exchange, Market, Trade, decimal_of
from .ledger import Standing

_MINUTE_US = 60_000_000


@dataclass(frozen=True, kw_only=True)
class Traded:
    """Sums over an order's trades.

    Attributes:
        quantity: In base currency.
        value: In quote currency.
        fee: In quote currency.
        last_us: When the last one was made.
    """

    quantity: Decimal
    value: Decimal
    fee: Decimal
    last_us: int


def traded_by(trades: Sequence[Trade], market: Market, exchange: Exchange) -> Traded:
    """The sums over an order's trades."""
    return Traded(
        quantity=sum((trade.quantity for trade in trades), Decimal(0)),
        value=sum((trade.quantity * trade.price for trade in trades), Decimal(0)),
        fee=sum((fee_in_quote(trade, market, exchange) for trade in trades), Decimal(0)),
        last_us=max((trade.at_us for trade in trades), default=0),
    )


def fee_in_quote(trade: Trade, market: Market, exchange: Exchange) -> Decimal:
    """What a trade cost, in the market's quote currency."""
    if not trade.fee or trade.fee_coin == market.quote:
        return trade.fee
    if trade.fee_coin == market.base:
        return trade.fee * trade.price
    if price := _open_of_minute(exchange.market_between(trade.fee_coin, market.quote), trade.at_us, exchange):
        return trade.fee * price
    if price := _open_of_minute(exchange.market_between(market.quote, trade.fee_coin), trade.at_us, exchange):
        return trade.fee / price
    return trade.quantity * trade.price * market.taker_share


def _open_of_minute(market: Market | None, at_us: int, exchange: Exchange) -> Decimal:
    """The open of a market's minute; 0 where there is no such market, or no bar."""
    if market is None:
        return Decimal(0)
    minute_us = at_us - at_us % _MINUTE_US
    found = exchange.candles(market.name, interval_seconds=60, from_us=minute_us, limit=1)
    return decimal_of(found[0].open) if found else Decimal(0)


def fill_of(traded: Traded, lot: Decimal, told: Standing) -> Fill | None:
    """The fill that is to be told now: what was traded since the last one, in whole lots.

    A part of a lot waits for the rest of it. None where there is no whole lot.
    """
    lots = int(traded.quantity // lot)
    more = lots - told.lots
    if more <= 0:
        return None
    share = lots * lot / traded.quantity  # 1 unless a part of a lot is left over
    price = float(traded.value * share / lot - decimal_of(told.lots_price)) / more
    fee = float(traded.fee * share) - told.fee
    side = 1 if told.order.lots > 0 else -1
    return Fill(leg=told.order.leg, lots=side * more, price=price, fee=fee, reference=price)
