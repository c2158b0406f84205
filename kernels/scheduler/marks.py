"""What the close of a bar changes: levels inside it, marks, and the limits of risk that are looked at there."""

import numpy as np

from .._jit import kernel
from ..columns import CLOSE
from .events import note
from .layout import (
    BALANCE,
    DAY,
    DAY_BUDGET,
    DAY_EQUITY,
    EQUITY,
    GOVERNED_PEAK,
    GROSS,
    IS_REDUCING,
    LEVERAGE_OF,
    LOT_OF,
    MARK,
    MAX_FALL,
    NET,
    PAIR_GROSS,
    PAIR_NET,
    PEAK,
    PROFILE_RECOVERS,
    PROFILE_REDUCES,
    SPENT_ON,
    TRADED,
    UNIT_CASH,
    UNIT_EQUITY,
    WORTH,
)

DAY_US = 86_400_000_000.0


@kernel
def worth_of_all(row, balance, instruments, others):
    """Equity, and what all positions bind, at the prices in a row of `instruments`.

    The sums run over instruments; a price is read only where something is held.
    """
    value = bound = 0.0
    for i in range(instruments.shape[1]):
        if instruments[GROSS, i] != 0.0:
            price, lot = instruments[row, i], instruments[LOT_OF, i]
            value += instruments[NET, i] * lot * price
            bound += instruments[GROSS, i] * lot * price / instruments[LEVERAGE_OF, i]
        if instruments[PAIR_GROSS, i] != 0.0:
            price, lot = instruments[row, i], instruments[LOT_OF, i]
            other = instruments[row, others[i]]
            value += instruments[PAIR_NET, i] * lot * (price - other)
            bound += instruments[PAIR_GROSS, i] * lot * (price + other)
    return balance + value, bound


@kernel
def begin_day(now, account):
    """Begin the day (UTC) of an instant, where it is another: with the last mark, and nothing traded. Whether it is."""
    if now < (account[DAY] + 1.0) * DAY_US:
        return False
    account[DAY] = np.floor(now / DAY_US)
    account[DAY_EQUITY] = account[EQUITY]
    account[TRADED] = 0.0
    return True


@kernel
def see_closes(column, prices, instruments):
    """Take over the closes of a column; NaN before an instrument's first."""
    for j in range(instruments.shape[1]):
        close = prices[j, CLOSE, column]
        instruments[MARK, j] = close
        instruments[WORTH, j] = close if close == close else 0.0


@kernel
def mark_account(column, prices, instruments, others, account):
    """Mark the account at the closes of a column, and keep its peaks."""
    see_closes(column, prices, instruments)
    account[EQUITY], _ = worth_of_all(MARK, account[BALANCE], instruments, others)
    account[PEAK] = max(account[PEAK], account[EQUITY])
    account[GOVERNED_PEAK] = max(account[GOVERNED_PEAK], account[EQUITY])


@kernel
def mark_units(instruments, others, unit_lots, schedules):
    """Mark all unit accounts. unit_lots: float64[simple or pair, instrument, schedule].

    Schedules stand innermost, so that one instruction serves several of them.
    """
    cash, equity = schedules[UNIT_CASH], schedules[UNIT_EQUITY]
    for s in range(equity.shape[0]):
        equity[s] = cash[s]
    for i in range(unit_lots.shape[1]):
        simple, pair, lot = unit_lots[0, i], unit_lots[1, i], instruments[LOT_OF, i]
        worth = instruments[WORTH, i]
        difference = worth - instruments[WORTH, others[i]] if others[i] >= 0 else 0.0
        for s in range(equity.shape[0]):
            equity[s] += simple[s] * lot * worth + pair[s] * lot * difference


@kernel
def watch_profiles(now, profiles, account, events):
    """Which profiles let only lower positions: too far below the peak, or the day's budget is spent."""
    fall = 1.0 - account[EQUITY] / account[PEAK]
    loss = 1.0 - account[EQUITY] / account[DAY_EQUITY]
    for p in range(profiles.shape[0]):
        profile = profiles[p]
        if loss > profile[DAY_BUDGET]:
            profile[SPENT_ON] = account[DAY]
        spent = profile[SPENT_ON] == account[DAY]
        reduces = 1.0 if spent or fall > profile[MAX_FALL] else 0.0
        if reduces != profile[IS_REDUCING]:
            profile[IS_REDUCING] = reduces
            value, limit = (loss, profile[DAY_BUDGET]) if spent else (fall, profile[MAX_FALL])
            note(PROFILE_REDUCES if reduces else PROFILE_RECOVERS, p, now, value, limit, account, events)
