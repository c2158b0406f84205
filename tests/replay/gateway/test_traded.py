"""Trades become whole lots, a price and a fee that add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from barstep.replay.gateway.ledger import Standing
from barstep.replay.gateway.traded import Traded, fill_of
from gateway_making import order
from hypothesis import given
from hypothesis import strategies as st

LOT = Decimal("0.001")
PARTS = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**7)), min_size=1, max_size=12)


@given(PARTS, st.sampled_from([-1, 1]))
def test_parts_add_up_to_the_whole(parts: list[tuple[int, int]], side: int) -> None:
    """However an order is traded, the fills hold every whole lot once, at the value and fee of what was traded."""
    told = Standing(order=order(lots=side * 10**9), market="BTCUSDT", client_id="x")
    quantity = value = Decimal(0)
    told_value = 0.0
    for ticks, price in parts:
        quantity += ticks * Decimal("0.00001")
        value += ticks * Decimal("0.00001") * price / 100
        traded = Traded(quantity=quantity, value=value, fee=value / 1000, last_us=1)
        fill = fill_of(traded, LOT, told)
        if fill is None:
            assert quantity // LOT == told.lots
            continue
        assert fill.lots * side > 0
        told.lots += abs(fill.lots)
        told.lots_price += abs(fill.lots) * fill.price
        told.fee += fill.fee
        told_value += abs(fill.lots) * float(LOT) * fill.price
    assert told.lots == quantity // LOT
    if told.lots:
        whole = float(told.lots * LOT / quantity)
        assert told_value == pytest.approx(float(value) * whole, rel=1e-9)
        assert told.fee == pytest.approx(float(value) * whole / 1000, rel=1e-9)


def test_less_than_a_lot_waits() -> None:
    """A part of a lot is told with the rest of it."""
    told = Standing(order=order(), market="BTCUSDT", client_id="x")
    part = Traded(quantity=Decimal("0.0009"), value=Decimal("0.9"), fee=Decimal(0), last_us=1)
    assert fill_of(part, LOT, told) is None
    whole = Traded(quantity=Decimal("0.002"), value=Decimal(2), fee=Decimal("0.5"), last_us=1)
    fill = fill_of(whole, LOT, told)
    assert fill is not None
    assert (fill.lots, fill.price, fill.fee) == (2, 1000.0, 0.5)
