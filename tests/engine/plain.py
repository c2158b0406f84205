"""An account and its trades once more, in plain Python and by other reasoning: what the compiled ones are held to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from barstep.engine.bars import Bars, Floats
from barstep.engine.execution import Execution


@dataclass(frozen=True)
class PlainFill:
    bar: int
    lots: int
    lot: float
    price: float
    fee: float

    @property
    def quantity(self) -> float:
        return self.lots * self.lot


@dataclass(frozen=True)
class PlainTrade:
    entry_bar: int
    exit_bar: int
    quantity: float
    entry_price: float
    exit_price: float
    fees: float
    profit: float
    is_open: bool


def wanted_lots(wish: float, equity: float, price: float, rules: Execution) -> int:
    """Whole lots that a wish stands for, towards zero."""
    quantity = wish * rules.units if rules.units else wish * max(equity, 0.0) / price
    quantity = math.copysign(min(abs(quantity), rules.max_notional / price), quantity)
    nearest = round(quantity / rules.lot)
    exact = math.isclose(nearest * rules.lot, quantity, rel_tol=2e-15)
    return nearest if exact else math.trunc(quantity / rules.lot)


def paid_for(lots: int, held: int, cash: float, price: float, rules: Execution) -> int:
    """The most of an order that money pays for: position and fee at that price within what the account is worth.

    What only lowers the position is always paid for.
    """
    lot_value, fee_share = rules.lot * price, rules.fee_bps / 1e4
    worth = cash + held * lot_value
    closing = min(abs(lots), abs(held)) if lots * held < 0 else 0
    beyond = abs(lots) - closing  # adds to what is held, or to nothing once all of it is closed
    still = abs(held) if lots * held >= 0 else 0
    left = worth - still * lot_value - closing * lot_value * fee_share
    most = math.floor(left / (lot_value * (1.0 + fee_share)) * (1.0 + 1e-15))
    return int(math.copysign(closing + min(beyond, max(most, 0)), lots))


def follow(bars: Bars, wishes: Floats, rules: Execution) -> tuple[list[PlainFill], list[float]]:
    """Fills of an account that follows `wishes`, and its equity at each close."""
    cash, held, accepted, before = rules.capital, 0, 0.0, 0.0
    order: tuple[int, int] | None = None
    fills: list[PlainFill] = []
    equity: list[float] = []
    for i in range(len(bars)):
        number = int(bars.numbers[i])
        if order is not None:
            lots, decided = order
            order = None
            worse = math.copysign(rules.slippage_bps / 1e4, lots)
            price = float(bars.open[i]) * (1.0 + worse)
            late = number - decided > rules.max_order_age_bars
            lots = 0 if late else paid_for(lots, held, cash, price, rules)
            if lots == 0:
                accepted = before
            else:
                fee = abs(lots) * rules.lot * price * rules.fee_bps / 1e4
                cash -= lots * rules.lot * price + fee
                held += lots
                fills.append(PlainFill(i, lots, rules.lot, price, fee))
        close, wish = float(bars.close[i]), float(wishes[i])
        equity.append(cash + held * rules.lot * close)
        if abs(wish - accepted) > rules.rebalance_threshold:
            before, accepted = accepted, wish
            change = wanted_lots(wish, equity[-1], close, rules) - held
            order = (change, number) if change else None
    return fills, equity


def round_trips(fills: list[PlainFill], last_bar: int, last_price: float) -> list[PlainTrade]:
    """Trades by average cost: value and fees of what is held are kept as sums, and given out in proportion."""
    trades: list[PlainTrade] = []
    held = entry_bar = 0
    value = fees = 0.0
    for fill in fills:
        lots, fee = fill.lots, fill.fee
        if held * lots < 0:
            closed = max(-held, lots) if lots < 0 else min(-held, lots)
            share = closed / -held
            cost, paid = value * share, fees * share + fee * closed / lots
            trades.append(_trade(entry_bar, fill.bar, -closed * fill.lot, cost, fill.price, paid, is_open=False))
            held, value, fees = held + closed, value - cost, fees * (1.0 - share)
            fee *= 1.0 - closed / lots
            lots -= closed
        if lots:
            if held == 0:
                entry_bar, value, fees = fill.bar, 0.0, 0.0
            held, value, fees = held + lots, value + lots * fill.lot * fill.price, fees + fee
    if held:
        trades.append(_trade(entry_bar, last_bar, held * fills[0].lot, value, last_price, fees, is_open=True))
    return trades


def _trade(
    entry_bar: int, exit_bar: int, quantity: float, cost: float, price: float, fees: float, *, is_open: bool
) -> PlainTrade:
    profit = quantity * price - cost - fees
    return PlainTrade(entry_bar, exit_bar, quantity, cost / quantity, price, fees, profit, is_open)
