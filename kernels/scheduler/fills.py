"""Fills of all schedules' orders, and of the unit accounts': at the open of a bar, and inside it.

A position's steps are those of `kernels.venue`; they see the account that it belongs to through slots of its own carry,
which are lent before a step and taken back after it.
"""

import numpy as np

from .._jit import kernel
from ..account import (
    ACCEPTED,
    CASH,
    FILL_BAR,
    FILL_KIND,
    FILL_LEG,
    FILL_LOTS,
    FILL_PRICE,
    FILLS,
    HEDGED,
    LOT,
    LOTS,
    PENDING,
)
from ..columns import OPEN
from ..fill_kinds import FUNDING
from ..portfolio import TRIED
from ..venue import BOUND, ELSEWHERE, LEVERAGE, LIMIT_PRICE, STOPPED, charge_holding, fill_order, watch_levels
from .layout import (
    BALANCE,
    DIVISOR,
    FACTOR,
    FIRST,
    HEDGES,
    INTERVAL_US,
    LEVERAGE_OF,
    LISTED,
    LOT_OF,
    MARK,
    ON_HAND,
    ON_UNIT_HAND,
    OPENED_AT,
    ORDER_DELAY_US,
    PROFILE,
    REAL,
    SENT_AT,
    SHARE,
    SHARE_WAS,
    STANDING,
    TRADED,
    UNIT,
    UNIT_CASH,
    UNIT_SHARE,
    WRITTEN,
)
from .marks import worth_of_all
from .orders import tally
from .pairs import fill_pair

ROWS_OF_A_CELL = 6
"""Most rows that a position writes in a bar: funding, borrow cost, an order of two legs, a level and a limit order."""


@kernel
def _standing_wish(standing, cell):
    """The accepted wish as targets count it: none on a side that a level has closed.

    standing: the one before, which is all that is known of a part that was filled.
    """
    if abs(cell[ACCEPTED]) == np.inf:
        return standing if cell[STOPPED] == 0.0 else 0.0
    return 0.0 if cell[ACCEPTED] * cell[STOPPED] > 0.0 else cell[ACCEPTED]


@kernel
def open_prices(column, prices, instruments):
    """Write the opens of a column to a row of `instruments`; the last close where an instrument has no bar."""
    for j in range(instruments.shape[1]):
        opening = prices[j, OPEN, column]
        instruments[OPENED_AT, j] = opening if opening == opening else instruments[MARK, j]


@kernel
def _unit_worth(s, instruments, others, unit_lots):
    """Value of all positions of a unit account, and what they bind, at the opens."""
    value = bound = 0.0
    for i in range(unit_lots.shape[1]):
        simple, pair = unit_lots[0, i, s], unit_lots[1, i, s]
        if simple != 0.0:
            own = simple * instruments[LOT_OF, i] * instruments[OPENED_AT, i]
            value += own
            bound += abs(own) / instruments[LEVERAGE_OF, i]
        if pair != 0.0:
            first, second = instruments[OPENED_AT, i], instruments[OPENED_AT, others[i]]
            value += pair * instruments[LOT_OF, i] * (first - second)
            bound += abs(pair) * instruments[LOT_OF, i] * (first + second)
    return value, bound


@kernel
def _own_worth(i, cell, rules, instruments, others):
    """Value of a position at the opens, and what it binds."""
    price, units = instruments[OPENED_AT, i], cell[LOTS] * rules[LOT]
    if units == 0.0:
        return 0.0, 0.0
    if rules[HEDGED] == 0.0:
        return units * price, abs(units * price) / rules[LEVERAGE]
    other = instruments[OPENED_AT, others[i]]
    return units * (price - other), abs(units) * (price + other)


@kernel
def _lend(cash, value, bound, own, own_bound, written, cell):
    """Show a position its account: cash, fills, and what all other positions are worth and bind."""
    cell[CASH], cell[FILLS] = cash, written
    cell[ELSEWHERE] = value - own
    cell[BOUND] = bound - own_bound


@kernel
def name_rows(first, stop, place, leg, other_leg, lot, fills):
    """Make the rows that a position wrote the account's: place among all bars, leg, units for lots.

    Returns the value traded.
    """
    traded = 0.0
    for row in range(first, stop):
        fills[FILL_BAR, row] = place
        fills[FILL_LEG, row] = leg if fills[FILL_LEG, row] == 0.0 else other_leg
        fills[FILL_LOTS, row] *= lot
        if fills[FILL_KIND, row] < FUNDING:
            traded += abs(fills[FILL_LOTS, row] * fills[FILL_PRICE, row])
    return traded


@kernel
def follow_up(s, i, held, wanted, accepted, cell, instruments, tallies, schedules, said, upcoming):
    """Take over what a step has changed of a real position, so that the next run knows."""
    tally(i, schedules[HEDGES, s], held, wanted, cell, instruments, tallies)
    said[STANDING, s, i] = _standing_wish(said[STANDING, s, i], cell)
    if cell[STOPPED] != 0.0:
        said[SHARE, s, i] = 0.0
    elif cell[LOTS] == held and cell[PENDING] == 0.0:
        said[SHARE, s, i], schedules[FACTOR, s] = cell[SHARE_WAS], np.nan  # the order came to nothing
    if cell[ACCEPTED] != accepted or cell[STOPPED] != 0.0:
        upcoming[s, i] = 0
        schedules[FIRST, s] = 0.0
        schedules[FACTOR, s] = schedules[DIVISOR, s] = np.nan  # the unit account follows the accepted wish, too


@kernel
def _fills_now(now, desk, opening, cell, lowering, place):
    """Whether an order is one of this round: a market order that has arrived, of an instrument that opens."""
    if cell[PENDING] == 0.0 or cell[LIMIT_PRICE] != 0.0 or cell[TRIED] == place or opening != opening:
        return False
    return (cell[PENDING] * cell[LOTS] < 0.0) == lowering and now >= cell[SENT_AT] + desk[ORDER_DELAY_US]


@kernel
def keep_waiting(account_of, cells, order, hand, on_hand):
    """Keep the orders that still wait; returns how many."""
    kept, instruments = 0, cells.shape[1]
    for at in range(on_hand):
        key = int(hand[at])
        cell = cells[order[key // instruments], key % instruments, account_of]
        if cell[PENDING] != 0.0:
            hand[kept] = hand[at]
            kept += 1
        else:
            cell[LISTED] = 0.0
    return kept


@kernel(shared=True)
def fill_real(
    now, column, place, number, columns, prices, desk, order, rules, others, account, instruments, tallies, schedules,
    cells, said, upcoming, hand, fills,
):  # fmt: skip
    """Fill the account's market orders at the opens of a column: first those that lower a position.

    columns: int64[·], numbers of the columns; place, number: of this column.
    """
    instrument_count = cells.shape[1]
    legs = instruments.shape[1]
    equity, bound = worth_of_all(OPENED_AT, account[BALANCE], instruments, others)
    value = equity - account[BALANCE]
    for lowering in (True, False):
        for at in range(int(account[ON_HAND])):
            key = int(hand[at])
            s, i = order[key // instrument_count], key % instrument_count
            cell, rule = cells[s, i, REAL], rules[s]
            if not _fills_now(now, desk, prices[i, OPEN, column], cell, lowering, place):
                continue
            held, wanted, accepted = cell[LOTS], cell[LOTS] + cell[PENDING], cell[ACCEPTED]
            own, own_bound = _own_worth(i, cell, rule, instruments, others)
            first = int(account[WRITTEN])
            _lend(account[BALANCE], value, bound, own, own_bound, account[WRITTEN], cell)
            cell[TRIED] = place
            if rule[HEDGED] != 0.0:
                fill_pair(place, prices[i, OPEN, column], prices[others[i], OPEN, column], number, rule, cell, fills)
            else:
                fill_order(prices[i], columns, column, rule, cell, fills)
            account[BALANCE], account[WRITTEN] = cell[CASH], cell[FILLS]
            account[TRADED] += name_rows(
                first, int(cell[FILLS]), place, s * legs + i, s * legs + others[i], rule[LOT], fills
            )
            own, own_bound = _own_worth(i, cell, rule, instruments, others)
            value, bound = cell[ELSEWHERE] + own, cell[BOUND] + own_bound
            profile = tallies[int(schedules[PROFILE, s])]
            follow_up(s, i, held, wanted, accepted, cell, instruments, profile, schedules, said, upcoming)
    account[ON_HAND] = keep_waiting(REAL, cells, order, hand, int(account[ON_HAND]))


@kernel
def fill_units(
    now, column, place, number, columns, prices, desk, order, rules, others, account, instruments, unit_lots, schedules,
    cells, said, hand, fills,
):  # fmt: skip
    """Fill the unit accounts' market orders at the opens of a column; `fills` is scratch."""
    instrument_count = cells.shape[1]
    for lowering in (True, False):
        for at in range(int(account[ON_UNIT_HAND])):
            key = int(hand[at])
            s, i = order[key // instrument_count], key % instrument_count
            cell, rule = cells[s, i, UNIT], rules[s]
            if not _fills_now(now, desk, prices[i, OPEN, column], cell, lowering, place):
                continue
            held = cell[LOTS]
            value = bound = own = own_bound = 0.0
            if held * cell[PENDING] >= 0.0 or abs(cell[PENDING]) > abs(held):  # what only lowers is not asked for cover
                value, bound = _unit_worth(s, instruments, others, unit_lots)
                own, own_bound = _own_worth(i, cell, rule, instruments, others)
            _lend(schedules[UNIT_CASH, s], value, bound, own, own_bound, 0.0, cell)
            cell[TRIED] = place
            if rule[HEDGED] != 0.0:
                fill_pair(place, prices[i, OPEN, column], prices[others[i], OPEN, column], number, rule, cell, fills)
            else:
                fill_order(prices[i], columns, column, rule, cell, fills)
            _follow_unit(s, i, held, cell, schedules, unit_lots, said)
    account[ON_UNIT_HAND] = keep_waiting(UNIT, cells, order, hand, int(account[ON_UNIT_HAND]))


@kernel
def _follow_unit(s, i, held, cell, schedules, unit_lots, said):
    """Take over what a step has changed of a unit account's position."""
    schedules[UNIT_CASH, s] = cell[CASH]
    pair = 0 if schedules[HEDGES, s] == 0.0 else 1
    unit_lots[pair, i, s] = cell[LOTS]
    if cell[STOPPED] != 0.0:
        said[UNIT_SHARE, s, i], schedules[DIVISOR, s] = 0.0, np.nan
    elif cell[LOTS] == held and cell[PENDING] == 0.0:
        said[UNIT_SHARE, s, i], schedules[DIVISOR, s] = cell[SHARE_WAS], np.nan


@kernel
def charge_all(
    column, place, numbers, seen, prices, funding, rules, watched, others, account, instruments, schedules, cells,
    fills, unit_fills,
):  # fmt: skip
    """Funding and borrow cost of all positions at the opens of a column.

    seen: int64[instrument], numbers of the instruments' last bars.
    """
    legs = instruments.shape[1]
    for s in range(cells.shape[0]):
        for i in range(cells.shape[1]):
            rule, opening = rules[s], prices[i, OPEN, column]
            if watched[s] == 0 or opening != opening:
                continue
            cell = cells[s, i, REAL]
            if cell[LOTS] != 0.0:
                first = int(account[WRITTEN])
                cell[CASH], cell[FILLS] = account[BALANCE], account[WRITTEN]
                charge_holding(prices[i], funding[i], seen[i], numbers[column], column, rule, cell, fills)
                account[BALANCE], account[WRITTEN] = cell[CASH], cell[FILLS]
                name_rows(first, int(cell[FILLS]), place, s * legs + i, s * legs + others[i], rule[LOT], fills)
            cell = cells[s, i, UNIT]
            if cell[LOTS] != 0.0:
                cell[CASH], cell[FILLS] = schedules[UNIT_CASH, s], 0.0
                charge_holding(prices[i], funding[i], seen[i], numbers[column], column, rule, cell, unit_fills)
                schedules[UNIT_CASH, s] = cell[CASH]


@kernel
def _rests(latest, cell):
    """Whether a limit order is on hand that was sent at this time or before."""
    return cell[PENDING] != 0.0 and cell[LIMIT_PRICE] != 0.0 and cell[SENT_AT] <= latest


@kernel
def _is_inside(latest, cell, watched):
    """Whether something may happen to a position inside a bar."""
    return (cell[LOTS] != 0.0 and watched != 0) or _rests(latest, cell)


@kernel
def _walk_inside(latest, column, numbers, prices, rule, watched, cell, fills):
    """Limit order, then levels, of one position inside a bar."""
    on_the_way = False
    if _rests(latest, cell):
        on_the_way = fill_order(prices, numbers, column, rule, cell, fills)
    if cell[LOTS] != 0.0 and watched != 0:
        watch_levels(prices, column, on_the_way, rule, cell, fills)


@kernel
def trade_inside(
    now, column, place, numbers, prices, desk, order, rules, watched, others, account, instruments, tallies, unit_lots,
    schedules, cells, said, upcoming, fills, unit_fills,
):  # fmt: skip
    """What happens inside the bar of a column: limit orders, stops, liquidation, take-profits, of all accounts.

    now: when the bar closes. An order that arrives after its open does not meet its range.
    """
    latest = now - desk[INTERVAL_US] - desk[ORDER_DELAY_US]
    legs = instruments.shape[1]
    equity, bound = worth_of_all(OPENED_AT, account[BALANCE], instruments, others)
    value = equity - account[BALANCE]
    for k in range(order.shape[0]):
        s = order[k]
        for i in range(cells.shape[1]):
            rule, opening = rules[s], prices[i, OPEN, column]
            if opening != opening:
                continue
            cell = cells[s, i, REAL]
            if _is_inside(latest, cell, watched[s]):
                held, wanted, accepted = cell[LOTS], cell[LOTS] + cell[PENDING], cell[ACCEPTED]
                own, own_bound = _own_worth(i, cell, rule, instruments, others)
                first = int(account[WRITTEN])
                _lend(account[BALANCE], value, bound, own, own_bound, account[WRITTEN], cell)
                _walk_inside(latest, column, numbers, prices[i], rule, watched[s], cell, fills)
                account[BALANCE], account[WRITTEN] = cell[CASH], cell[FILLS]
                account[TRADED] += name_rows(
                    first, int(cell[FILLS]), place, s * legs + i, s * legs + others[i], rule[LOT], fills
                )
                own, own_bound = _own_worth(i, cell, rule, instruments, others)
                value, bound = cell[ELSEWHERE] + own, cell[BOUND] + own_bound
                if cell[LOTS] != held or cell[LOTS] + cell[PENDING] != wanted or cell[ACCEPTED] != accepted:
                    profile = tallies[int(schedules[PROFILE, s])]
                    follow_up(s, i, held, wanted, accepted, cell, instruments, profile, schedules, said, upcoming)
            cell = cells[s, i, UNIT]
            if _is_inside(latest, cell, watched[s]):
                held, ordered = cell[LOTS], cell[PENDING]
                unit_value, unit_bound = _unit_worth(s, instruments, others, unit_lots)
                own, own_bound = _own_worth(i, cell, rule, instruments, others)
                _lend(schedules[UNIT_CASH, s], unit_value, unit_bound, own, own_bound, 0.0, cell)
                _walk_inside(latest, column, numbers, prices[i], rule, watched[s], cell, unit_fills)
                if cell[LOTS] != held or cell[PENDING] != ordered:
                    _follow_unit(s, i, held, cell, schedules, unit_lots, said)
                schedules[UNIT_CASH, s] = cell[CASH]
