"""Orders of hedged pairs in a shared account: two legs that fill together, at the opens of both venues."""

import numpy as np

from .._jit import kernel
from ..account import (
    ABANDONED,
    ACCEPTED,
    BEFORE,
    CASH,
    DECIDED,
    FILLS,
    LOTS,
    MAX_AGE_BARS,
    PENDING,
    affordable,
    fill_at_open,
)
from ..venue import BOUND, ELSEWHERE


@kernel
def fill_pair(bar, opening, other_opening, number, rules, cell, fills):
    """Fill the order on hand at the opens of both legs, or give it up where it is too old or a leg has no price.

    One that never grows too old waits for both legs.
    """
    if cell[DECIDED] == np.inf and not other_opening > 0.0:
        return
    lots = cell[PENDING]
    cell[PENDING] = 0.0
    if number - cell[DECIDED] > rules[MAX_AGE_BARS] or not other_opening > 0.0:
        cell[ABANDONED] += 1.0
        cell[ACCEPTED] = cell[BEFORE]  # the wish is asked again
        return
    lots = affordable(lots, opening, other_opening, cell[ELSEWHERE] - cell[BOUND], rules, cell)
    if lots == 0.0:
        return
    for leg, price, side in ((0.0, opening, lots), (1.0, other_opening, -lots)):
        cell[CASH] -= fill_at_open(fills, int(cell[FILLS]), bar, leg, side, price, rules)
        cell[FILLS] += 1.0
    cell[LOTS] += lots
