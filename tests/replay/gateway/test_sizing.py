"""Lots and the market's own steps."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from barstep.replay.gateway.exchange import Market
from barstep.replay.gateway.sizing import quantity_of, refusal_of
from hypothesis import given
from hypothesis import strategies as st


def market(**changes: object) -> Market:
    members: dict[str, object] = {
        "name": "BTCUSDT", "base": "BTC", "quote": "USDT", "step": Decimal("0.00001"), "tick": Decimal("0.01"),
        "least": Decimal("0.00002"), "most": Decimal(100), "least_value": Decimal(10),
        "taker_share": Decimal("0.001"), "is_trading": True,
    }  # fmt: skip
    return Market(**members | changes)  # type: ignore[arg-type]


@given(st.integers(-(10**12), 10**12), st.integers(0, 8), st.integers(0, 8))
def test_a_quantity_is_whole_steps_towards_zero(lots: int, lot_places: int, step_places: int) -> None:
    """By fractions: the greatest multiple of the step that is no more than lots x lot."""
    lot, step = Decimal(10) ** -lot_places, Decimal(10) ** -step_places
    wanted = Fraction(abs(lots)) / 10**lot_places
    quantity = Fraction(quantity_of(lots, lot, market(step=step)))
    assert quantity <= wanted < quantity + Fraction(step)
    assert (quantity / Fraction(step)).denominator == 1


@pytest.mark.parametrize(
    ("quantity", "price", "changes", "reason"),
    [
        ("0.001", 50_000, {}, ""),
        ("0.001", 50_000, {"is_trading": False}, "market_closed"),
        ("0", 50_000, {}, "lot"),
        ("0.00001", 50_000_000, {}, "lot"),
        ("100.00001", 50_000, {}, "largest_lot"),
        ("1000", 50_000, {"most": None}, ""),
        ("0.0002", 50_000, {}, ""),
        ("0.00019", 50_000, {}, "minimum_notional"),
        ("0.00019", None, {}, ""),
    ],
)
def test_what_a_market_takes(quantity: str, price: float | None, changes: dict[str, object], reason: str) -> None:
    """Each bound is taken, and what is beyond it has its reason."""
    assert refusal_of(Decimal(quantity), price, market(**changes)) == reason
