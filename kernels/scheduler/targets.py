"""Orders of one run: for what it accepted, and for what other weights, another scale or another divisor moved."""

import numpy as np

from .._jit import kernel
from ..account import ACCEPTED, BEFORE, DECIDED, LOTS, PENDING, THRESHOLD, wanted_lots
from ..venue import STOPPED, is_watched
from .layout import (
    ACCEPTED_NOW,
    DIVISOR,
    FACTOR,
    FIRST,
    HEDGES,
    IS_ACCEPTED,
    MARK,
    ON_HAND,
    ON_UNIT_HAND,
    PROFILE,
    REAL,
    SCALE,
    SHARE,
    SHARE_WAS,
    SIZING,
    STANDING,
    UNIT,
    UNIT_EQUITY,
    UNIT_SHARE,
    WAS,
    WEIGHT,
)
from .orders import order_target, prices_of, put_on_order, tally

LEAST_MOVE = 1e-9
"""What is less than this part of a schedule's capital is rounding, and moves nothing: an order would be sized by the
equity of now."""


@kernel
def _divisor(standing):
    """What the accepted wishes of a schedule are divided by: their sum, where it is over 1."""
    total = 0.0
    for i in range(standing.shape[0]):
        total += abs(standing[i])
    return max(total, 1.0)


@kernel
def is_set_by(factor, was):
    """Whether targets that were set by one factor stand for another one, which is the same but for rounding."""
    return abs(factor - was) <= LEAST_MOVE * factor


@kernel
def _moved(standing, part, shares, least):
    """How many targets are off what was ordered by more than the least move that makes an order."""
    moved = 0
    for i in range(standing.shape[0]):
        moved += abs(standing[i] * part - shares[i]) > least
    return moved


@kernel(inlined=True)
def order_run(
    s, rank, now, number, column, lowers_only, rules, instruments, others, account, profiles, tallies, schedules, cells,
    said, upcoming, rows, hand, unit_hand, decisions,
):  # fmt: skip
    """Order what a run's targets are off what its positions were ordered for, in both of its accounts.

    rank: the schedule's place among the declared; lowers_only: only what lowers a position passes; rows:
    int64[schedule, instrument], rows of the decisions to be ordered for; -1 where there is none.
    """
    standing, shares = said[STANDING, s], said[SHARE, s]
    factor = schedules[WEIGHT, s] * account[SCALE]
    least, any_asked, asked = max(rules[s, THRESHOLD], LEAST_MOVE) * schedules[WEIGHT, s], 0, rows[s]
    for i in range(standing.shape[0]):
        any_asked += asked[i] >= 0
    looks = any_asked > 0 or not is_set_by(factor, schedules[FACTOR, s])
    divisor = schedules[DIVISOR, s]
    if any_asked > 0 or not divisor > 0.0 or is_watched(rules[s]):  # levels close sides of one account only
        divisor = _divisor(standing)
    part = factor / divisor
    schedules[FACTOR, s] = factor if looks else schedules[FACTOR, s]
    if any_asked > 0 or (looks and _moved(standing, part, shares, least) > 0):
        profile, wanted = profiles[int(schedules[PROFILE, s])], tallies[int(schedules[PROFILE, s])]
        for i in range(standing.shape[0]):
            share, cell = standing[i] * part, cells[s, i, REAL]
            if asked[i] < 0 and not abs(share - shares[i]) > least:
                continue
            replaces, share_was = cell[PENDING] != 0.0, shares[i]
            on_hand, waits = order_target(
                share, account[SIZING], now, number, i, asked[i], schedules[HEDGES, s], lowers_only,
                rank * standing.shape[0] + i, profile, rules[s], cell, instruments, others, wanted, hand,
                int(account[ON_HAND]), decisions,
            )  # fmt: skip
            account[ON_HAND] = on_hand
            if waits:
                schedules[FACTOR, s] = np.nan  # it is looked at again at the next run
                continue
            if asked[i] >= 0 and cell[ACCEPTED] != standing[i]:
                _take_back(s, i, column, cell, schedules, standing, upcoming, asked, decisions)
                if asked[i] < 0:
                    continue
                share = 0.0
            cell[SHARE_WAS] = cell[SHARE_WAS] if replaces else share_was
            if asked[i] >= 0 or cell[PENDING] != 0.0:
                shares[i] = share
    if any_asked > 0 or not schedules[DIVISOR, s] > 0.0:
        _order_units(
            s, rank, now, number, rules[s], instruments, others, account, schedules, cells, standing,
            said[UNIT_SHARE, s], asked, unit_hand,
        )  # fmt: skip
    if any_asked > 0:
        for i in range(standing.shape[0]):
            asked[i] = -1


@kernel
def _take_back(s, i, column, cell, schedules, standing, upcoming, asked, decisions):
    """The profile left no room for a wish: it is not accepted, or as one of 0, and will be asked again."""
    if decisions[IS_ACCEPTED, asked[i]] == 0.0:
        standing[i] = cell[WAS]
        asked[i] = -1
        schedules[ACCEPTED_NOW, s] -= 1.0
    else:
        standing[i] = 0.0
    upcoming[s, i] = column
    schedules[FIRST, s] = min(schedules[FIRST, s], column)
    schedules[FACTOR, s] = np.nan


@kernel
def _wish(i, standing, cells):
    """The accepted wish, whether or not a level has closed that side for the schedule's real position."""
    accepted = cells[i, REAL, ACCEPTED]
    return accepted if abs(accepted) < np.inf else standing[i]


@kernel
def _unit_divisor(standing, has_levels, cells):
    """What a unit account's wishes are divided by; a side that one of its own levels has closed counts as 0."""
    if not has_levels:
        return _divisor(standing)
    total = 0.0
    for i in range(standing.shape[0]):
        wish = _wish(i, standing, cells)
        total += abs(wish) if wish * cells[i, UNIT, STOPPED] <= 0.0 else 0.0
    return max(total, 1.0)


@kernel(inlined=True)
def _order_units(
    s, rank, now, number, rules, instruments, others, account, schedules, cells, standing, shares, asked, hand
):
    """Order what leads the unit account of a schedule to its accepted wishes. Its levels are its own."""
    hedges, equity, has_levels = schedules[HEDGES, s], schedules[UNIT_EQUITY, s], is_watched(rules)
    schedules[DIVISOR, s] = _unit_divisor(standing, has_levels, cells[s])
    part, least = 1.0 / schedules[DIVISOR, s], max(rules[THRESHOLD], LEAST_MOVE)
    for i in range(standing.shape[0]):
        share = (_wish(i, standing, cells[s]) if has_levels else standing[i]) * part
        cell, for_signal = cells[s, i, UNIT], asked[i] >= 0
        moves = for_signal or abs(share - shares[i]) > least
        if not (moves or has_levels) or cell[STOPPED] * share > 0.0:
            continue
        mark = instruments[MARK, i]
        _, gross = prices_of(i, hedges, instruments, others)
        if gross != gross:
            continue
        cell[STOPPED] = 0.0
        if not moves:
            continue
        cell[SHARE_WAS] = cell[SHARE_WAS] if cell[PENDING] != 0.0 else shares[i]
        lots = wanted_lots(share, equity, mark, gross, rules)
        key = rank * standing.shape[0] + i
        on_hand = int(account[ON_UNIT_HAND])
        account[ON_UNIT_HAND] = put_on_order(lots, for_signal, now, number, key, mark, rules, cell, hand, on_hand)
        if for_signal or cell[PENDING] != 0.0:
            shares[i] = share


@kernel
def close_schedule(
    s, rank, now, number, rules, instruments, account, tallies, schedules, cells, said, upcoming, hand, unit_hand
):
    """Order all positions of a schedule away, those of its unit account too; its accepted wishes become 0."""
    for i in range(upcoming.shape[1]):
        key, mark = rank * upcoming.shape[1] + i, instruments[MARK, i]
        for account_of in (REAL, UNIT):
            cell = cells[s, i, account_of]
            cell[ACCEPTED] = cell[BEFORE] = 0.0
            if cell[LOTS] == 0.0 and cell[PENDING] == 0.0:
                continue
            if account_of == UNIT:
                on_hand = int(account[ON_UNIT_HAND])
                account[ON_UNIT_HAND] = put_on_order(
                    0.0, False, now, number, key, mark, rules[s], cell, unit_hand, on_hand
                )
                continue
            held, wanted = cell[LOTS], cell[LOTS] + cell[PENDING]
            account[ON_HAND] = put_on_order(
                0.0, False, now, number, key, mark, rules[s], cell, hand, int(account[ON_HAND])
            )
            profile = tallies[int(schedules[PROFILE, s])]
            tally(i, schedules[HEDGES, s], held, wanted, cell, instruments, profile)
        for account_of in (REAL, UNIT):
            cells[s, i, account_of, DECIDED] = np.inf  # it never grows too old: nobody would ask again
        said[STANDING, s, i] = said[SHARE, s, i] = said[UNIT_SHARE, s, i] = 0.0
        upcoming[s, i] = 0
    schedules[FIRST, s] = 0.0
    schedules[FACTOR, s] = schedules[DIVISOR, s] = np.nan
