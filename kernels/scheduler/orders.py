"""Targets of schedules and the orders that lead to them, held to the limits of their risk profile."""

import numpy as np

from .._jit import kernel
from ..account import ACCEPTED, BEFORE, DECIDED, LOTS, PENDING, WITHOUT_LOT, wanted_lots, whole_lots
from ..decisions import RISK
from ..venue import BELOW_MINIMUM, STOPPED, put_lots, set_limit
from .layout import (
    DECIDED_REASON,
    DECIDED_WISH,
    GROSS,
    IS_ACCEPTED,
    LISTED,
    LOT_OF,
    MARK,
    MAX_LEVERAGE,
    MAX_POSITION,
    NET,
    PAIR_GROSS,
    PAIR_NET,
    SENT_AT,
    WAS,
)
from .runs import lowers


@kernel
def prices_of(i, hedges, instruments, others):
    """What one unit held is worth, and the value that it stands for, at the last closes: of a pair both legs'."""
    mark = instruments[MARK, i]
    if hedges == 0.0:
        return mark, mark
    worth = mark - instruments[MARK, others[i]]
    return worth, 2.0 * mark - worth


@kernel
def tally(i, hedges, held, wanted, cell, instruments, tallies):
    """Take over what changed of a position: lots held by all schedules, and lots wanted under its profile.

    held, wanted: the cell's LOTS, and its LOTS + PENDING, before. tallies: float64[simple or pair, instrument]. Lots
    are whole numbers, so that the sums are exact and tell nothing of the order of events.
    """
    net, gross, pair = (NET, GROSS, 0) if hedges == 0.0 else (PAIR_NET, PAIR_GROSS, 1)
    instruments[net, i] += cell[LOTS] - held
    instruments[gross, i] += abs(cell[LOTS]) - abs(held)
    tallies[pair, i] += abs(cell[LOTS] + cell[PENDING]) - abs(wanted)


@kernel
def wanted_exposure(instruments, others, tallies):
    """Value of all positions of a profile, those on order included, by size."""
    value = 0.0
    for i in range(tallies.shape[1]):
        if tallies[0, i] != 0.0:
            value += tallies[0, i] * instruments[LOT_OF, i] * instruments[MARK, i]
        if tallies[1, i] != 0.0:
            _, gross = prices_of(i, 1.0, instruments, others)
            value += tallies[1, i] * instruments[LOT_OF, i] * gross
    return value


@kernel
def _room(i, gross, equity, own, profile, instruments, others, tallies):
    """Most lots of a position that its profile allows; `own`: the lots that it wants already."""
    room, lot = np.inf, instruments[LOT_OF, i]
    if profile[MAX_POSITION] < np.inf:
        held = 0.0
        for pair in range(2):
            if tallies[pair, i] != 0.0:
                _, each = prices_of(i, float(pair), instruments, others)
                held += tallies[pair, i] * lot * each
        room = profile[MAX_POSITION] * equity - (held - own * lot * gross)
    if profile[MAX_LEVERAGE] < np.inf:
        held = wanted_exposure(instruments, others, tallies)
        room = min(room, profile[MAX_LEVERAGE] * equity - (held - own * lot * gross))
    return whole_lots(max(room, 0.0) / gross, lot) if room < np.inf else np.inf


@kernel
def _within(lots, held, most):
    """Lots cut to what is allowed; what is held on the same side need not be given up for it."""
    if abs(lots) <= most:
        return lots
    side = 1.0 if lots > 0.0 else -1.0
    return side * max(most, min(side * held, abs(lots)))


@kernel
def _raises(lots, held):
    """Whether a position of `lots` is larger than what is held, or on another side."""
    return lots != 0.0 and (lots * held <= 0.0 or abs(lots) > abs(held))


@kernel(inlined=True)
def put_on_order(lots, counts, now, number, key, mark, rules, cell, hand, on_hand):
    """Order what leads to a position of `lots`; list the cell by its `key` among those with orders. Returns how many.

    counts: whether it is for a signal: then what comes to no order is counted, and a wish whose order comes to nothing
    later is asked again. hand: float64[·], keys rising.
    """
    without_lot, below_minimum, replaces = cell[WITHOUT_LOT], cell[BELOW_MINIMUM], cell[PENDING] != 0.0
    put_lots(lots - cell[LOTS], mark, rules, cell)
    if not counts:
        cell[WITHOUT_LOT], cell[BELOW_MINIMUM] = without_lot, below_minimum
        cell[BEFORE] = cell[BEFORE] if replaces else cell[ACCEPTED]  # a signal's order may have been on hand
    cell[DECIDED], cell[SENT_AT] = number, now
    set_limit(mark, rules, cell)
    if cell[PENDING] == 0.0 or cell[LISTED] != 0.0:
        return on_hand
    cell[LISTED] = 1.0
    at = on_hand
    while at > 0 and hand[at - 1] > key:
        hand[at] = hand[at - 1]
        at -= 1
    hand[at] = key
    return on_hand + 1


@kernel(inlined=True)
def order_target(
    share, equity, now, number, i, row, hedges, lowers_only, key, profile, rules, cell, instruments, others, tallies,
    hand, on_hand, decisions,
):  # fmt: skip
    """Order what leads a schedule's position to a share of equity, as far as its profile allows.

    Where that leaves a signal no room at all, its decision is refused, or turned into a wish of 0 where it would have
    flipped the side. row: of the decision that it is for; -1 where it is for none.

    Returns the orders on hand, and whether the order waits because only what lowers a position passes.
    """
    mark, asked = instruments[MARK, i], row >= 0
    _, gross = prices_of(i, hedges, instruments, others)
    if cell[STOPPED] * share > 0.0 or gross != gross:
        return on_hand, False
    held, wanted = cell[LOTS], cell[LOTS] + cell[PENDING]
    free = wanted_lots(share, equity, mark, gross, rules)
    if lowers_only and _raises(free, held):
        return on_hand, True
    lots = free
    if free != 0.0:
        most = _room(i, gross, max(equity, 0.0), abs(wanted), profile, instruments, others, tallies)
        lots = _within(free, held, most)
    if asked and lots != free and not _raises(lots, held) and not lowers(cell[ACCEPTED], cell[WAS]):
        decisions[DECIDED_REASON, row] = RISK
        if cell[WAS] * free >= 0.0:
            decisions[IS_ACCEPTED, row] = 0.0
            cell[ACCEPTED] = cell[WAS] if cell[PENDING] != 0.0 else cell[BEFORE]
            return on_hand, False
        decisions[DECIDED_WISH, row] = cell[ACCEPTED] = lots = 0.0
    on_hand = put_on_order(lots, asked, now, number, key, mark, rules, cell, hand, on_hand)
    tally(i, hedges, held, wanted, cell, instruments, tallies)
    return on_hand, False
