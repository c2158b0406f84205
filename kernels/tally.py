"""What fills and closed trades add up to, as they come: a table of them need not be kept."""

import numpy as np

from ._jit import kernel
from .account import FILL_BAR, FILL_FEE, FILL_KIND, FILL_LEG, FILL_LOTS, FILL_PRICE, FILL_REFERENCE
from .fill_kinds import BORROW_COST, FUNDING, LIQUIDATION
from .trades import ENTRY_BAR, ENTRY_PRICE, EXIT_BAR, IS_OPEN, PROFIT, TRADE_LOTS

FEES, SLIPPAGE, LIQUIDATION_COST, FUNDING_PAID, BORROW_PAID, TRADED, BARS_HELD, POSITION, SINCE = range(9)
"""Fees but for those of liquidations; what slippage cost; fees of liquidations; funding and borrow cost; traded value;
bars that closed with a position in the first leg, up to the last fill; that position in lots; bar of the last fill."""
FILL_TALLY = 9

CLOSED, WON, GAINED, LOST, EARNED, RETURNED_PCT, BEST_PCT, WORST_PCT, BARS = range(9)
"""Closed trades and those with a profit; profits, and losses as a positive number; profit; sum, greatest and least of
returns on the entry's value; bars from entry to exit."""
TRADE_TALLY = 9


@kernel(shared=True)
def tally_fills(fills, lots, liquidation_shares, tally):
    """Add fills up.

    fills: float64[FILL_COLUMNS, ·]; lots, liquidation_shares: float64[leg], the size of a lot and what a liquidation
    costs on top of the fee, as a share of its value; tally: float64[FILL_TALLY], zeros at first.
    """
    for k in range(fills.shape[1]):
        leg, kind, fee = int(fills[FILL_LEG, k]), fills[FILL_KIND, k], fills[FILL_FEE, k]
        if kind == FUNDING:
            tally[FUNDING_PAID] += fee
        elif kind == BORROW_COST:
            tally[BORROW_PAID] += fee
        else:
            quantity = abs(fills[FILL_LOTS, k]) * lots[leg]
            value = quantity * fills[FILL_PRICE, k]
            penalty = value * liquidation_shares[leg] if kind == LIQUIDATION else 0.0
            tally[FEES] += fee - penalty
            tally[LIQUIDATION_COST] += penalty
            tally[SLIPPAGE] += quantity * abs(fills[FILL_PRICE, k] - fills[FILL_REFERENCE, k])
            tally[TRADED] += value
        if leg == 0:
            if tally[POSITION] != 0.0:
                tally[BARS_HELD] += fills[FILL_BAR, k] - tally[SINCE]
            tally[POSITION] += fills[FILL_LOTS, k]
            tally[SINCE] = fills[FILL_BAR, k]


@kernel(shared=True)
def start_trades(tally):
    """Set the tally (float64[TRADE_TALLY]) to what it is before the first trade."""
    tally[:] = 0.0
    tally[BEST_PCT], tally[WORST_PCT] = -np.inf, np.inf


@kernel
def add_trade(trades, k, lot, tally):
    """Add one closed trade."""
    profit = trades[PROFIT, k]
    tally[CLOSED] += 1.0
    tally[EARNED] += profit
    if profit > 0.0:
        tally[WON] += 1.0
        tally[GAINED] += profit
    elif profit < 0.0:
        tally[LOST] -= profit
    returned = profit / (abs(trades[TRADE_LOTS, k]) * lot * trades[ENTRY_PRICE, k]) * 100.0
    tally[RETURNED_PCT] += returned
    tally[BEST_PCT] = max(tally[BEST_PCT], returned)
    tally[WORST_PCT] = min(tally[WORST_PCT], returned)
    tally[BARS] += trades[EXIT_BAR, k] - trades[ENTRY_BAR, k]


@kernel(shared=True)
def tally_trades(trades, count, lot, tally):
    """Add up the closed ones of the first `count` trades.

    trades: float64[TRADE_COLUMNS, ·]; tally: float64[TRADE_TALLY], as started.
    """
    for k in range(count):
        if trades[IS_OPEN, k] == 0.0:
            add_trade(trades, k, lot, tally)


@kernel
def tally_pair(first, first_count, second, second_count, lot, tally):
    """Add the closed trades of a pair's two legs up: by their exits, of two at one bar the first leg's."""
    i = j = 0
    while i < first_count or j < second_count:
        if j == second_count or (i < first_count and first[EXIT_BAR, i] <= second[EXIT_BAR, j]):
            add_trade(first, i, lot, tally)
            i += 1
        else:
            add_trade(second, j, lot, tally)
            j += 1
