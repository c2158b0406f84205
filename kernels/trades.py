"""Round trips from fills: each fill that lowers a position closes a trade against the average price of its entries."""

from ._jit import kernel
from .account import FILL_BAR, FILL_FEE, FILL_KIND, FILL_LEG, FILL_LOTS, FILL_PRICE

ENTRY_BAR, EXIT_BAR, TRADE_LEG, TRADE_LOTS, ENTRY_PRICE, EXIT_PRICE, TRADE_FEES, PROFIT, IS_OPEN, EXIT_KIND = range(10)
TRADE_COLUMNS = 10

HELD, AVERAGE, UNSHARED_FEES, OPENED = range(4)
"""Lots held; average price of their entries; fees that no exit has taken its part of; bar of the first entry."""
TRIP_CARRY = 4


@kernel
def _write(trades, at, entry_bar, exit_bar, leg, lots, entry_price, exit_price, fees, lot, is_open, exit_kind):
    trades[ENTRY_BAR, at] = entry_bar
    trades[EXIT_BAR, at] = exit_bar
    trades[TRADE_LEG, at] = leg
    trades[TRADE_LOTS, at] = lots
    trades[ENTRY_PRICE, at] = entry_price
    trades[EXIT_PRICE, at] = exit_price
    trades[TRADE_FEES, at] = fees
    trades[PROFIT, at] = (exit_price - entry_price) * lots * lot - fees
    trades[IS_OPEN, at] = is_open
    trades[EXIT_KIND, at] = exit_kind


@kernel
def close_trips(fills, leg, lot, carry, trades):
    """Closed trades of one leg, written to trades[:, 0:count]; returns count, at most the number of fills.

    fills: float64[FILL_COLUMNS, ·]; carry: float64[TRIP_CARRY], zeros before the first fill; trades:
    float64[TRADE_COLUMNS, >= fills]. Lots carry the sign of the position. A fee on an entry, and what holding cost, is
    shared out by lots over the exits.
    """
    held, entry_price, entry_fees, entry_bar = carry[HELD], carry[AVERAGE], carry[UNSHARED_FEES], carry[OPENED]
    count = 0
    for k in range(fills.shape[1]):
        if fills[FILL_LEG, k] != leg:
            continue
        lots, price, fee = fills[FILL_LOTS, k], fills[FILL_PRICE, k], fills[FILL_FEE, k]
        if lots == 0.0:
            entry_fees += fee  # funding and borrow cost are paid by what is held
            continue
        if held * lots < 0.0:
            closed = min(abs(lots), abs(held))
            part = closed / abs(held)
            exit_fee = fee * (closed / abs(lots))
            fees = entry_fees * part + exit_fee
            signed = closed if held > 0.0 else -closed
            exit_bar, kind = fills[FILL_BAR, k], fills[FILL_KIND, k]
            _write(trades, count, entry_bar, exit_bar, leg, signed, entry_price, price, fees, lot, 0.0, kind)
            count += 1
            entry_fees -= entry_fees * part
            held -= signed
            lots += signed
            fee -= exit_fee
        if lots != 0.0:
            if held == 0.0:
                entry_bar, entry_price, entry_fees = fills[FILL_BAR, k], 0.0, 0.0
            entry_price += (price - entry_price) * (lots / (held + lots))
            entry_fees += fee
            held += lots
    carry[HELD], carry[AVERAGE], carry[UNSHARED_FEES], carry[OPENED] = held, entry_price, entry_fees, entry_bar
    return count


@kernel
def round_trips(fills, leg, lot, last_bar, last_price, carry, trades):
    """`close_trips`, and what is still held as one open trade at `last_price`, of exit kind -1.

    trades: float64[TRADE_COLUMNS, >= fills + 1].
    """
    count = close_trips(fills, leg, lot, carry, trades)
    held = carry[HELD]
    if held == 0.0:
        return count
    entry_bar, entry_price, fees = carry[OPENED], carry[AVERAGE], carry[UNSHARED_FEES]
    _write(trades, count, entry_bar, last_bar, leg, held, entry_price, last_price, fees, lot, 1.0, -1.0)
    return count + 1
