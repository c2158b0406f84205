"""Round trips from fills: each fill that lowers a position closes a trade against the average price of its entries."""

from ._jit import kernel
from .account import FILL_BAR, FILL_FEE, FILL_KIND, FILL_LEG, FILL_LOTS, FILL_PRICE

ENTRY_BAR, EXIT_BAR, TRADE_LEG, TRADE_LOTS, ENTRY_PRICE, EXIT_PRICE, TRADE_FEES, PROFIT, IS_OPEN, EXIT_KIND = range(10)
TRADE_COLUMNS = 10


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
def round_trips(fills, leg, lot, last_bar, last_price, trades):
    """Trades of one leg, written to trades[:, 0:count]; returns count, at most the number of fills + 1.

    fills: float64[FILL_COLUMNS, ·]; trades: float64[TRADE_COLUMNS, >= fills + 1]. Lots carry the sign of the position.
    A fee on an entry, and what holding cost, is shared out by lots over the exits. What is still held is one open trade
    at `last_price`, of exit kind -1.
    """
    held = entry_price = entry_fees = 0.0
    entry_bar = 0.0
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
    if held != 0.0:
        _write(trades, count, entry_bar, last_bar, leg, held, entry_price, last_price, entry_fees, lot, 1.0, -1.0)
        count += 1
    return count
