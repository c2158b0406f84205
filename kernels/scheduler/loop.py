"""The loop over instants: what falls on one, in its one order."""

import numpy as np

from .. import modes
from .._jit import kernel
from ..book import floats_at, ints_at
from ..columns import OPEN
from ..decisions import DRIFT, HALTED
from .capital import others_may_run, refresh
from .fills import ROWS_OF_A_CELL, charge_all, fill_real, fill_units, open_prices, trade_inside
from .governor import governed_limit, is_turnover_used_up, set_scale, watch_portfolio
from .layout import (
    ACCEPTED_NOW,
    BALANCE,
    BEGIN,
    BLOCKS_FROM,
    CADENCE,
    COLUMN,
    DECISIONS,
    DIVISOR,
    DRIFT_US,
    DUE,
    EQUITY,
    EVENTS,
    FACTOR,
    FILLS_ARE_TOLD,
    FIRST,
    GOVERNOR_ACTION,
    HAS_ASKED,
    HEARD,
    INTERVAL_US,
    IS_DUE,
    IS_REDUCING,
    LIMIT,
    MARK,
    MAX_DRIFT,
    MODE,
    NEXT_DUE,
    ON_HAND,
    ON_SCALE,
    ON_UNIT_HAND,
    PHASE,
    PROFILE,
    REBALANCE_US,
    RECORDS,
    REFRESH_NOW,
    REFRESHED_AT,
    REFRESHES,
    REFUSAL,
    RUN,
    SCALE,
    SIZING,
    STANDING,
    UNIT_BEFORE,
    UNIT_EQUITY,
    WATCHES,
    WEIGHT,
    WRITTEN,
)
from .marks import begin_day, mark_account, mark_units, watch_profiles, worth_of_all
from .runs import decide_run
from .targets import is_set_by, order_run
from .telemetry import COUNTS, EQUITY_AT, GROWTH, SIGNALS_IN, VALUES, add_run, row_of_run

TIME, CLOSING, OPENING = range(3)
"""`timeline`, int64[·, instant]: the instant; the columns of the bars that close and that open then (-1: none)."""
NUMBER, PLACE = range(2)
"""`columns`, int64[·, column]: open time over interval; place among all bars."""


@kernel
def _refuses_all(s, desk, control, schedules):
    """Why a schedule's run refuses all of its signals; 0 where it does not."""
    if desk[DRIFT_US] > schedules[MAX_DRIFT, s]:
        return float(DRIFT)
    if control[REFUSAL, s] != 0.0:
        return control[REFUSAL, s]
    return float(HALTED) if desk[MODE] == modes.HALTED else 0.0


@kernel
def _find_due(now, schedules):
    """Mark the schedules that are due; returns how many."""
    due = 0
    for s in range(schedules.shape[1]):
        is_due = schedules[NEXT_DUE, s] <= now
        schedules[IS_DUE, s] = is_due
        schedules[NEXT_DUE, s] += schedules[CADENCE, s] if is_due else 0.0
        schedules[RUN, s] += is_due
        due += is_due
    return due


@kernel
def _run_due(
    now, column, stop, desk, control, governor, order, profiles, wishes, confidence, warm_from, rules, account,
    schedules, cells, said, upcoming, rows, outcome, decisions,
):  # fmt: skip
    """Decide the runs of all schedules that are due, in declared order."""
    governed = governed_limit(governor, account)
    for rank in range(order.shape[0]):
        s = order[rank]
        schedules[HAS_ASKED, s] = schedules[ACCEPTED_NOW, s] = 0.0
        if schedules[IS_DUE, s] == 0.0 or schedules[FIRST, s] > column or column < 0:
            continue
        accepted, next_row = decide_run(
            now, s, column, stop, _refuses_all(s, desk, control, schedules), desk[MODE] == modes.REDUCING,
            profiles[int(schedules[PROFILE, s]), IS_REDUCING] != 0.0, control[LIMIT, s], governed, wishes[s],
            confidence[s], warm_from[s], rules[s], cells[s], said[STANDING, s], upcoming[s], rows[s],
            outcome, decisions, int(account[DECISIONS]),
        )  # fmt: skip
        account[DECISIONS] = next_row
        schedules[ACCEPTED_NOW, s], schedules[HAS_ASKED, s] = accepted, accepted > 0
        first = stop
        for i in range(upcoming.shape[1]):
            first = min(first, upcoming[s, i])
        schedules[FIRST, s] = first


@kernel
def _order_due(
    now, number, column, desk, control, governor, order, rules, instruments, others, account, profiles, tallies,
    schedules, cells, said, upcoming, rows, hand, unit_hand, decisions,
):  # fmt: skip
    """Order for all schedules that are due, in declared order."""
    used_up = governor[GOVERNOR_ACTION] == ON_SCALE and is_turnover_used_up(governor, account)
    for rank in range(order.shape[0]):
        s = order[rank]
        if schedules[IS_DUE, s] == 0.0:
            continue
        factor = schedules[WEIGHT, s] * account[SCALE]
        is_set = is_set_by(factor, schedules[FACTOR, s]) and schedules[DIVISOR, s] > 0.0
        if (is_set and schedules[HAS_ASKED, s] == 0.0) or _refuses_all(s, desk, control, schedules) != 0.0:
            continue
        reduces = profiles[int(schedules[PROFILE, s]), IS_REDUCING] != 0.0
        lowers_only = used_up or reduces or desk[MODE] == modes.REDUCING
        order_run(
            s, rank, now, number, column, lowers_only, rules, instruments, others, account, profiles, tallies,
            schedules, cells, said, upcoming, rows, hand, unit_hand, decisions,
        )  # fmt: skip


@kernel
def _record_due(column, confidence_measure, desk, control, means, schedules, runs, rests, since, stretch):
    """Add the runs that were due to the telemetry of their schedules; one that is skipped for drift does not count."""
    for s in range(schedules.shape[1]):
        if schedules[IS_DUE, s] == 0.0:
            continue
        refusal, before, equity = _refuses_all(s, desk, control, schedules), schedules[UNIT_BEFORE, s], 0.0
        if refusal == 0.0:
            equity = schedules[UNIT_EQUITY, s]
        schedules[UNIT_BEFORE, s] = equity  # returns are between neighbouring runs that both count in full
        if refusal == DRIFT:
            continue
        number, first = int(schedules[RUN, s]), int(schedules[BLOCKS_FROM, s])
        run = runs[row_of_run(number, first, s, runs, rests, since, stretch), s]
        run[COUNTS], run[SIGNALS_IN], run[EQUITY_AT] = 1.0, schedules[ACCEPTED_NOW, s], equity
        run[GROWTH] = equity / before - 1.0 if before > 0.0 and equity > 0.0 else np.nan
        for m in range(means.shape[0]):
            held_back = 0.0 if m == confidence_measure else np.nan
            run[VALUES + m] = held_back if refusal != 0.0 else (means[m, s, column] if column >= 0 else np.nan)
        add_run(run, since[s])


@kernel
def run_instants(book, start, stop):
    """Do what falls on the instants start..stop, in the order that `docs/scheduler.md` states.

    book: int64[page, PAGE], a row for each of `book.PAGES`.

    Between these instants the operator's state (`desk`, `control`, the policy) is one; the caller cuts where a command
    or an expiry changes it, and at blocks of columns. Cutting anywhere gives the same bits. The layouts stand in
    `layout`; column 0 of prices, wishes, confidence and means holds the bar before the block, and prices one column
    more than the others, the one that opens after it; `width` of them are filled. curve: float64[place], equity at each
    close.

    Returns the instant to go on from: `stop`; or one that is begun only when a table has room, or its caller has heard
    that the governor halts (HALTED_BY).
    """
    timeline = ints_at(book, 0, 2)
    columns = ints_at(book, 1, 2)
    prices = floats_at(book, 2, 3)
    funding = floats_at(book, 3, 2)
    width = book[4, 0]
    wishes = floats_at(book, 5, 3)
    confidence = floats_at(book, 6, 3)
    means = floats_at(book, 7, 3)
    confidence_measure = book[8, 0]
    desk = floats_at(book, 9, 1)
    control = floats_at(book, 10, 2)
    governor = floats_at(book, 11, 1)
    order = ints_at(book, 12, 1)
    rules = floats_at(book, 13, 2)
    watched = ints_at(book, 14, 1)
    warm_from = ints_at(book, 15, 2)
    others = ints_at(book, 16, 1)
    sources = ints_at(book, 17, 2)
    stated = floats_at(book, 18, 1)
    raw = book[19, 0]
    program = ints_at(book, 20, 2)
    constants = floats_at(book, 21, 1)
    groups = ints_at(book, 22, 2)
    registers = floats_at(book, 23, 2)
    smoothing = floats_at(book, 24, 2)
    scratch = floats_at(book, 25, 2)
    account = floats_at(book, 26, 1)
    instruments = floats_at(book, 27, 2)
    seen = ints_at(book, 28, 1)
    profiles = floats_at(book, 29, 2)
    tallies = floats_at(book, 30, 3)
    schedules = floats_at(book, 31, 2)
    cells = floats_at(book, 32, 4)
    said = floats_at(book, 33, 3)
    upcoming = ints_at(book, 34, 2)
    unit_lots = floats_at(book, 35, 3)
    runs = floats_at(book, 36, 3)
    rests = floats_at(book, 37, 3)
    since = floats_at(book, 38, 2)
    stretch = floats_at(book, 39, 1)
    rows = ints_at(book, 40, 2)
    outcome = ints_at(book, 41, 1)
    hand = floats_at(book, 42, 1)
    unit_hand = floats_at(book, 43, 1)
    decisions = floats_at(book, 44, 2)
    refreshes = floats_at(book, 45, 2)
    events = floats_at(book, 46, 2)
    fills = floats_at(book, 47, 2)
    unit_fills = floats_at(book, 48, 2)
    curve = floats_at(book, 49, 1)
    cell_count = cells.shape[0] * cells.shape[1]
    for j in range(start, stop):
        now = timeline[TIME, j]
        closing, opening = timeline[CLOSING, j], timeline[OPENING, j]
        if (
            int(account[WRITTEN]) + ROWS_OF_A_CELL * cell_count > fills.shape[1]
            or int(account[DECISIONS]) + cell_count > decisions.shape[1]
            or int(account[REFRESHES]) + 1 > refreshes.shape[1]
            or int(account[EVENTS]) + profiles.shape[0] + 2 > events.shape[1]
        ):
            return j
        is_new_day = begin_day(now - 1, account)  # what closes at midnight is of the day that ends
        if account[PHASE] == BEGIN and closing >= 0:
            account[COLUMN] = closing
            if desk[WATCHES] != 0.0:
                trade_inside(
                    now, closing, columns[PLACE, closing], columns[NUMBER], prices, desk, order, rules, watched, others,
                    account, instruments, tallies, unit_lots, schedules, cells, said, upcoming, fills, unit_fills,
                )  # fmt: skip
            mark_account(closing, prices, instruments, others, account)
            curve[columns[PLACE, closing]] = account[EQUITY]
        if account[PHASE] == BEGIN:
            if begin_day(now, account) or is_new_day or closing >= 0:
                watch_profiles(now, profiles, account, events)
            account[DUE] = _find_due(now, schedules)
            if (
                (account[DUE] > 0.0 and now - account[REFRESHED_AT] >= desk[REBALANCE_US])
                or desk[REFRESH_NOW] != 0.0
                or others_may_run(now, control, schedules, registers)
            ):
                refresh(
                    now, control, profiles, sources, stated, raw, program, constants, groups, registers, smoothing,
                    scratch, rests, since, stretch, account, schedules, refreshes,
                )  # fmt: skip
                desk[REFRESH_NOW] = 0.0
            if account[DUE] > 0.0 and watch_portfolio(
                now, desk, governor, control, instruments, others, account, schedules, cells, said, events
            ):
                account[PHASE] = HEARD
                return j
        account[PHASE] = BEGIN
        if account[DUE] > 0.0:
            column, number = int(account[COLUMN]), now // int(desk[INTERVAL_US]) - 1
            account[SIZING], _ = worth_of_all(MARK, account[BALANCE], instruments, others)
            mark_units(instruments, others, unit_lots, schedules)
            _run_due(
                now, column, width, desk, control, governor, order, profiles, wishes, confidence, warm_from,
                rules, account, schedules, cells, said, upcoming, rows, outcome, decisions,
            )  # fmt: skip
            set_scale(now, governor, control, instruments, others, account, schedules, cells, said, events)
            _order_due(
                now, number, column, desk, control, governor, order, rules, instruments, others, account, profiles,
                tallies, schedules, cells, said, upcoming, rows, hand, unit_hand, decisions,
            )  # fmt: skip
            if desk[RECORDS] != 0.0:
                _record_due(column, confidence_measure, desk, control, means, schedules, runs, rests, since, stretch)
        if opening >= 0:
            waits = account[ON_HAND] > 0.0 or account[ON_UNIT_HAND] > 0.0
            if waits or desk[WATCHES] != 0.0:
                _open_bar(
                    now, opening, columns, prices, funding, desk, order, rules, watched, others, account, instruments,
                    seen, tallies, unit_lots, schedules, cells, said, upcoming, hand, unit_hand, fills, unit_fills,
                )  # fmt: skip
    return stop


@kernel
def _open_bar(
    now, column, columns, prices, funding, desk, order, rules, watched, others, account, instruments, seen, tallies,
    unit_lots, schedules, cells, said, upcoming, hand, unit_hand, fills, unit_fills,
):  # fmt: skip
    """What falls on the open of a bar: funding and borrow cost, then the orders on hand."""
    place, number = columns[PLACE, column], columns[NUMBER, column]
    open_prices(column, prices, instruments)
    if desk[WATCHES] != 0.0:
        charge_all(
            column, place, columns[NUMBER], seen, prices, funding, rules, watched, others, account, instruments,
            schedules, cells, fills, unit_fills,
        )  # fmt: skip
        for i in range(seen.shape[0]):
            if prices[i, OPEN, column] == prices[i, OPEN, column]:
                seen[i] = number
    if account[ON_HAND] > 0.0 and desk[FILLS_ARE_TOLD] == 0.0:
        fill_real(
            now, column, place, number, columns[NUMBER], prices, desk, order, rules, others, account, instruments,
            tallies, schedules, cells, said, upcoming, hand, fills,
        )  # fmt: skip
    if account[ON_UNIT_HAND] > 0.0:
        fill_units(
            now, column, place, number, columns[NUMBER], prices, desk, order, rules, others, account, instruments,
            unit_lots, schedules, cells, said, unit_hand, unit_fills,
        )  # fmt: skip
