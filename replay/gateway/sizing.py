"""From lots of the book to a quantity that the market takes, and whether it takes it at all."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from .exchange import Market, decimal_of


def quantity_of(lots: int, lot: Decimal, market: Market) -> Decimal:
    """The quantity of an order: lots x lot, rounded towards zero to the market's step."""
    return (abs(lots) * lot / market.step).to_integral_value(ROUND_FLOOR) * market.step


def refusal_of(quantity: Decimal, price: float | None, market: Market) -> str:
    """Why the exchange would not take an order, before it is sent; empty where it would.

    Args:
        quantity: As `quantity_of` gives it.
        price: The last price; None where none is known, and the exchange judges the value itself.
        market: Its rules.
    """
    if not market.is_trading:
        return "market_closed"
    if quantity <= 0 or quantity < market.least:
        return "lot"
    if market.most is not None and quantity > market.most:
        return "largest_lot"
    if price is not None and quantity * decimal_of(price) < market.least_value:
        return "minimum_notional"
    return ""
