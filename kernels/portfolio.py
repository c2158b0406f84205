"""Many positions over one cash account: every schedule in every instrument, by the same steps as a single one.

A position's steps see the account through four slots of its own carry: the cash, the fills written, what the other
positions are worth and the margin that they bind. They are lent before a step and taken back after it.

Within a bar: funding and borrow cost; orders that lower a position, which free cash; the other orders in declared order
(schedule, then instrument) and each position's levels; at the close the decisions, all sized by the same equity.
"""

import numpy as np

from ._jit import kernel
from .account import (
    ACCEPTED,
    BEFORE,
    CASH,
    FILL_BAR,
    FILL_LEG,
    FILL_LOTS,
    FILLS,
    LOT,
    LOTS,
    PENDING,
    SIGNALS,
    WITHOUT_LOT,
    accept,
    whole_lots,
)
from .book import floats_at
from .columns import CLOSE, OPEN
from .venue import (
    BELOW_MINIMUM,
    BOUND,
    ELSEWHERE,
    LEVERAGE,
    LIMIT_PRICE,
    STOPPED,
    TICK,
    VENUE_CARRY,
    charge_holding,
    decide_order,
    fill_order,
    is_signal,
    is_watched,
    rounded,
    size_order,
    watch_levels,
)

TRIED = VENUE_CARRY
"""Place of the last bar that its order was shown to: one that flips a position is both a lowering and another one."""
POSITION_CARRY = VENUE_CARRY + 1

BUSY, REBALANCES, SIZED_AT_FILL, ORDERS = range(FILLS + 1, FILLS + 5)
"""Whether an order is on hand or a watched position held; 1 where every wish that is said is traded, also one that has
not changed (but not one whose side a level has closed); 1 where quantities are fixed at the fill; 1 where wishes are
orders, in units, and `limits` their prices."""
PORTFOLIO_ACCOUNT = FILLS + 5

_ROWS_A_BAR = 4


@kernel
def _lend(account, cell, rules, mark, value, margin):
    """Show a position the account: cash, fills, and what all other positions are worth and bind."""
    own = cell[LOTS] * rules[LOT] * mark
    cell[CASH], cell[FILLS] = account[CASH], account[FILLS]
    cell[ELSEWHERE] = value - own
    cell[BOUND] = margin - abs(own) / rules[LEVERAGE]


@kernel
def _take_back(account, cell, rules, mark, place, code, fills):
    """Take over what a position's step made of the account. Returns value and margin of all positions.

    In the fills that it wrote, the column becomes the bar's place among all bars, and lots become units.
    """
    for row in range(int(account[FILLS]), int(cell[FILLS])):
        fills[FILL_BAR, row] = place
        fills[FILL_LEG, row] = code
        fills[FILL_LOTS, row] *= rules[LOT]
    account[CASH], account[FILLS] = cell[CASH], cell[FILLS]
    own = cell[LOTS] * rules[LOT] * mark
    return cell[ELSEWHERE] + own, cell[BOUND] + abs(own) / rules[LEVERAGE]


@kernel
def _worth(cells, rules, marks):
    """Value of all positions at `marks` (float64[instrument]), and the margin that they bind."""
    value = margin = 0.0
    for s in range(cells.shape[0]):
        for i in range(cells.shape[1]):
            if cells[s, i, LOTS] != 0.0:
                own = cells[s, i, LOTS] * rules[s, i, LOT] * marks[i]
                value += own
                margin += abs(own) / rules[s, i, LEVERAGE]
    return value, margin


@kernel
def _forget_repetition(without_lot, below_minimum, cell):
    """A target that was said again is a signal only where it makes an order, or one of too little value."""
    if cell[PENDING] == 0.0 and cell[BELOW_MINIMUM] == below_minimum:
        cell[SIGNALS] -= 1.0
        cell[WITHOUT_LOT] = without_lot


@kernel
def _size_at_opens(prices, k, value, margin, marks, account, cells, rules):
    """Size the orders on hand at this bar's opens, all by the same equity."""
    for s in range(cells.shape[0]):
        for i in range(cells.shape[1]):
            cell, opening = cells[s, i], prices[i, OPEN, k]
            if cell[PENDING] != 0.0 and opening == opening:
                _lend(account, cell, rules[s, i], marks[i], value, margin)
                without_lot, below_minimum = cell[WITHOUT_LOT], cell[BELOW_MINIMUM]
                size_order(opening, rules[s, i], cell)
                if cell[ACCEPTED] == cell[BEFORE]:
                    _forget_repetition(without_lot, below_minimum, cell)


@kernel
def _is_of_round(cell, lowering, place):
    """Whether an order is on hand that lowers a position, or another one, and was not shown to this bar yet."""
    return (cell[PENDING] != 0.0) & ((cell[PENDING] * cell[LOTS] < 0.0) == lowering) & (cell[TRIED] != place)


@kernel
def _list_busy(s, lowering, prices, k, place, watched, cells, queue):
    """List the instruments whose order is one of this round, or whose position is watched; returns how many.

    Which ones they are nobody can foresee: a list without branches takes less time than to guess wrong at every other.
    """
    count = 0
    for i in range(cells.shape[1]):
        cell, opening = cells[s, i], prices[i, OPEN, k]
        ordered = _is_of_round(cell, lowering, place)
        held = (cell[LOTS] != 0.0) & (watched[s, i] != 0)
        queue[count] = i
        count += (ordered | held) & (opening == opening)
    return count


@kernel
def _trade_bar(prices, funding, numbers, places, k, rules, watched, marks, seen, account, cells, queue, fills):
    """Holding costs, orders and levels of bar k; marks become its opens, and the last close where there is none."""
    for i in range(marks.shape[0]):
        opening = prices[i, OPEN, k]
        marks[i] = opening if opening == opening else prices[i, CLOSE, k]
    value, margin = _worth(cells, rules, marks)
    if account[SIZED_AT_FILL] != 0.0:
        _size_at_opens(prices, k, value, margin, marks, account, cells, rules)
    for lowering in (True, False):
        for s in range(cells.shape[0]):
            for at in range(_list_busy(s, lowering, prices, k, places[k], watched, cells, queue)):
                i = queue[at]
                cell, rule, bars = cells[s, i], rules[s, i], prices[i]
                ordered = _is_of_round(cell, lowering, places[k])
                _lend(account, cell, rule, marks[i], value, margin)
                if lowering and cell[LOTS] != 0.0 and watched[s, i] != 0:
                    charge_holding(bars, funding[i], seen[i], numbers[k], k, rule, cell, fills)
                on_the_way = False
                if ordered:
                    cell[TRIED] = places[k]
                    on_the_way = fill_order(bars, numbers, k, rule, cell, fills)
                if not lowering and cell[LOTS] != 0.0 and watched[s, i] != 0:
                    watch_levels(bars, k, on_the_way, rule, cell, fills)
                code = s * cells.shape[1] + i
                value, margin = _take_back(account, cell, rule, marks[i], places[k], code, fills)
    for i in range(marks.shape[0]):
        if prices[i, OPEN, k] == prices[i, OPEN, k]:
            seen[i] = numbers[k]


@kernel
def _order(quantity, limit, mark, number, rules, cell):
    """Put `quantity` units on order at `limit` (NaN: at the market). What is left of the order before joins it."""
    lots = whole_lots(quantity, rules[LOT])
    if lots == 0.0:
        cell[SIGNALS] += 1.0
        cell[WITHOUT_LOT] += 1.0
        return
    cell[STOPPED] = 0.0  # who orders anew knows of the stop
    decide_order((cell[LOTS] + cell[PENDING] + lots) * rules[LOT], mark, number, rules, cell)
    if limit == limit:
        cell[LIMIT_PRICE] = rounded(limit, rules[TICK], cell[PENDING] < 0.0)


@kernel
def _decide_bar(prices, wishes, limits, numbers, k, rules, watched, marks, account, cells):
    """The decisions at the close of bar k, sized by one equity. Returns whether the next bar has something to do."""
    for i in range(marks.shape[0]):
        marks[i] = prices[i, CLOSE, k]
    value = margin = busy = 0.0
    if account[SIZED_AT_FILL] == 0.0:  # else nothing is sized here
        value, margin = _worth(cells, rules, marks)
    for s in range(cells.shape[0]):
        for i in range(cells.shape[1]):
            wish, cell, rule = wishes[s, i, k], cells[s, i], rules[s, i]
            asked = wish == wish and marks[i] == marks[i]
            if asked and account[ORDERS] != 0.0:
                _lend(account, cell, rule, marks[i], value, margin)
                _order(wish, limits[i, k], marks[i], numbers[k], rule, cell)
                asked = False
            if asked and not is_signal(wish, rule, cell):
                asked = account[REBALANCES] != 0.0 and cell[STOPPED] == 0.0
            if asked:
                if account[SIZED_AT_FILL] != 0.0:
                    accept(wish, numbers[k], cell)
                    cell[PENDING] = 1.0  # of a size to be found
                else:
                    _lend(account, cell, rule, marks[i], value, margin)
                    said_before, without_lot, below_minimum = cell[ACCEPTED], cell[WITHOUT_LOT], cell[BELOW_MINIMUM]
                    decide_order(wish, marks[i], numbers[k], rule, cell)
                    if wish == said_before:
                        _forget_repetition(without_lot, below_minimum, cell)
            if cell[PENDING] != 0.0 or (cell[LOTS] != 0.0 and watched[s, i] != 0):
                busy = 1.0
    return busy


@kernel
def take_prices(pages, columns, rows, out, before):
    """Write open, close and each of `rows` (int64) of all instruments at `columns` to out[instrument, row, before:].

    pages: int64[instrument × row, PAGE], where the rows of each instrument's bars lie; see `kernels.book`. Open and
    close in one loop: it waits for memory, and two loads at once wait no longer than one.
    """
    for i in range(out.shape[0]):
        page, prices = i * out.shape[1], out[i]
        opens, closes = floats_at(pages, page + OPEN, 1), floats_at(pages, page + CLOSE, 1)
        first, last = prices[OPEN, before:], prices[CLOSE, before:]
        for k in range(columns.shape[0]):
            first[k], last[k] = opens[columns[k]], closes[columns[k]]
        for row in rows:
            source, target = floats_at(pages, page + row, 1), prices[row, before:]
            for k in range(columns.shape[0]):
                target[k] = source[columns[k]]


@kernel
def lay_targets(due, rows, k, columns, out):
    """Write what is said at `columns` to out[instrument, 0:n]: rows[k] at column due[k], NaN where none is due.

    due, columns: int64[·], rising; k: the first that is due at columns[0] or after it; rows: float64[due, instrument].
    """
    for c in range(columns.shape[0]):
        while k < due.shape[0] and due[k] < columns[c]:
            k += 1
        is_due = k < due.shape[0] and due[k] == columns[c]
        for i in range(out.shape[0]):
            out[i, c] = rows[k, i] if is_due else np.nan


@kernel
def fill_watched(rules, watched):
    """Set watched[schedule, instrument] (int64) to whether a position there is looked at in every bar."""
    for s in range(rules.shape[0]):
        for i in range(rules.shape[1]):
            watched[s, i] = is_watched(rules[s, i])


@kernel
def trade_portfolio(
    prices, funding, wishes, limits, numbers, places, rules, watched, marks, seen, account, cells, queue, fills, start,
    stop,
):  # fmt: skip
    """Trade columns start..stop of a chunk and write the fills. Column 0 holds the bar before the chunk.

    Columns are bars in order; between two of them nothing may have to be done. prices: float64[instrument, column, ·]
    by `columns`, the open NaN where an instrument has no bar, the close carried forward; funding: float64[instrument,
    ·], read where FUNDED is set; wishes: float64[schedule, instrument, ·], NaN where nothing is said; limits:
    float64[instrument, ·], NaN for market orders, read where ORDERS is set; numbers, places: int64[·], open time over
    interval and place among all bars. rules: float64[schedule, instrument, VENUE_RULES]; watched: int64[schedule,
    instrument]; marks: float64[instrument], scratch; seen: int64[instrument], numbers of the last bars that were
    traded; account: float64[PORTFOLIO_ACCOUNT]; cells: float64[schedule, instrument, POSITION_CARRY], zeros before the
    first bar; queue: int64[instrument], scratch. fills: float64[FILL_COLUMNS, capacity]; a fill's leg is schedule ×
    instruments + instrument.

    Returns the column to go on from: `stop`, or the one at which `fills` might have run full.
    """
    most_rows = _ROWS_A_BAR * cells.shape[0] * cells.shape[1]
    for k in range(start, stop):
        if account[BUSY] != 0.0:
            if int(account[FILLS]) + most_rows > fills.shape[1]:
                return k
            _trade_bar(prices, funding, numbers, places, k, rules, watched, marks, seen, account, cells, queue, fills)
        account[BUSY] = _decide_bar(prices, wishes, limits, numbers, k, rules, watched, marks, account, cells)
    return stop


@kernel
def add_cash(bars, units, prices, fees, initial, out):
    """Write the cash at each bar to out[0:n]: what was there, less what fills and holding took.

    bars, units, prices, fees: float64[fill], in order of time.
    """
    cash, at = initial, 0
    bar = 0
    while bar < out.shape[0]:
        while at < bars.shape[0] and bars[at] == bar:
            cash -= units[at] * prices[at] + fees[at]
            at += 1
        end = int(bars[at]) if at < bars.shape[0] else out.shape[0]
        out[bar:end] = cash
        bar = end


@kernel
def add_position(bars, units, close, out):
    """Add what one instrument's fills hold to out[0:n], at each close. bars, units: float64[fill], in order of time."""
    held, at, bar = 0.0, 0, 0
    while bar < out.shape[0]:
        while at < bars.shape[0] and bars[at] == bar:
            held += units[at]
            at += 1
        end = int(bars[at]) if at < bars.shape[0] else out.shape[0]
        row, worth = out[bar:end], close[bar:end]
        for k in range(row.shape[0]):
            row[k] += held * worth[k]
        bar = end
