"""What a venue knows of the account: its orders that wait, and of each what was traded and what it has ended in."""

import numpy as np

from .._jit import kernel
from ..account import (
    ABANDONED,
    ACCEPTED,
    BEFORE,
    FILL_BAR,
    FILL_FEE,
    FILL_KIND,
    FILL_LEG,
    FILL_LOTS,
    FILL_PRICE,
    FILL_REFERENCE,
    HEDGED,
    LOT,
    LOTS,
    PENDING,
    UNAFFORDABLE,
)
from ..fill_kinds import MARKET
from ..venue import add_to_position
from .fills import follow_up, keep_waiting, name_rows
from .layout import BALANCE, ON_HAND, PROFILE, REAL, SENT_AT, TRADED, WRITTEN

TOLD_LOTS, TOLD_PRICE, TOLD_FEE, TOLD_REFERENCE = range(4)
"""`told`, float64[leg, ·]: signed lots; price; fee; price before slippage."""
TOLD = 4

IS_CURRENT, IS_CUT, IS_TOO_OLD = 1, 2, 4
"""`flags`: the order is the one on hand, not one that it has replaced; money did not allow all of it; it is too old."""

WAITING = 3
"""Columns of `waiting`: schedule, instrument, and when it was sent."""


@kernel
def list_waiting(cells, order, hand, on_hand, waiting):
    """List the orders that wait, in the order in which they are filled; returns how many.

    waiting: int64[·, WAITING], written here.
    """
    count, instruments = 0, cells.shape[1]
    for at in range(on_hand):
        s, i = order[int(hand[at]) // instruments], int(hand[at]) % instruments
        if cells[s, i, REAL, PENDING] != 0.0:
            waiting[count, 0], waiting[count, 1], waiting[count, 2] = s, i, cells[s, i, REAL, SENT_AT]
            count += 1
    return count


@kernel
def take_report(
    s, i, told, left, flags, place, rules, others, order, account, instruments, tallies, schedules, cells, said,
    upcoming, hand, fills,
):  # fmt: skip
    """Take over what a venue tells of an order of a schedule for an instrument.

    told: float64[leg, TOLD], what was traded, of both legs of a pair; left: signed lots that are still on order; place:
    of the bar in which it happened; flags: what it was. With nothing traded and nothing left the order came to nothing,
    and its wish is asked again.
    """
    cell, rule, legs = cells[s, i, REAL], rules[s], instruments.shape[1]
    held, wanted, accepted = cell[LOTS], cell[LOTS] + cell[PENDING], cell[ACCEPTED]
    first = int(account[WRITTEN])
    for k in range(told.shape[0]):
        price, lots = told[k, TOLD_PRICE], told[k, TOLD_LOTS]
        fills[FILL_BAR, first + k], fills[FILL_LEG, first + k], fills[FILL_KIND, first + k] = place, float(k), MARKET
        fills[FILL_LOTS, first + k], fills[FILL_PRICE, first + k] = lots, price
        fills[FILL_FEE, first + k], fills[FILL_REFERENCE, first + k] = told[k, TOLD_FEE], told[k, TOLD_REFERENCE]
        account[BALANCE] -= lots * rule[LOT] * price + told[k, TOLD_FEE]
    if told.shape[0] > 0:
        if rule[HEDGED] != 0.0:
            cell[LOTS] += told[0, TOLD_LOTS]
        else:
            add_to_position(told[0, TOLD_LOTS], told[0, TOLD_PRICE], told[0, TOLD_REFERENCE], cell)
        account[WRITTEN] += told.shape[0]
        account[TRADED] += name_rows(
            first, int(account[WRITTEN]), place, s * legs + i, s * legs + others[i], rule[LOT], fills
        )
    if flags & IS_CURRENT:
        cell[PENDING] = left
        cell[UNAFFORDABLE] += (flags & IS_CUT) != 0
        cell[ABANDONED] += (flags & IS_TOO_OLD) != 0
        if left != 0.0 and told.shape[0] > 0:
            cell[BEFORE] = np.inf  # no wish stands for a part: should the rest come to nothing, any is asked again
        if left == 0.0 and told.shape[0] == 0:
            cell[ACCEPTED] = cell[BEFORE]
    profile = tallies[int(schedules[PROFILE, s])]
    follow_up(s, i, held, wanted, accepted, cell, instruments, profile, schedules, said, upcoming)
    account[ON_HAND] = keep_waiting(REAL, cells, order, hand, int(account[ON_HAND]))
