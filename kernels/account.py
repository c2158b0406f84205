"""Orders, fills and equity of one schedule in one instrument, or in a hedged pair of venues.

A decision is made at a bar's close, its quantity is fixed there, and it fills at the next bar's open. Positions are
whole lots: a float64 holds them exactly up to 2^53.
"""

import numpy as np

from ._jit import kernel
from .fill_kinds import MARKET
from .prefetch import prefetch

FEE, SLIPPAGE, LOT, UNITS, THRESHOLD, MAX_NOTIONAL, MAX_AGE_BARS, HEDGED = range(8)
"""Shares of traded value; size of a lot; units at full exposure (0: sized by equity); least change of a wish that is a
signal; most value of a position; most bars between decision and fill; 1 where a second leg mirrors the first."""
RULES = 8

CASH, LOTS, ACCEPTED, BEFORE, PENDING, DECIDED, FILLS, SIGNALS, WITHOUT_LOT, ABANDONED, UNAFFORDABLE = range(11)
"""Money; position; wish last accepted and the one before; lots on order and the number of the bar that ordered them;
fills written; signals seen, and of these the ones that came to no whole lot, whose order grew too old, and whose order
was cut to what money allows."""
ACCOUNT_CARRY = 11

FILL_BAR, FILL_LEG, FILL_LOTS, FILL_PRICE, FILL_FEE, FILL_KIND, FILL_REFERENCE = range(7)
"""Bar; leg; signed lots; price; fee, or what holding cost; one of `fill_kinds`; price before slippage."""
FILL_COLUMNS = 7

MARK_CASH, MARK_LOTS, MARK_FILL = range(3)
"""Money; position of the first leg; fills taken in."""
MARK_CARRY = 3

_BLOCK = 64
_AHEAD = 64
"""Marks that are sent for where a position begins again: the hardware does not see it coming."""

_LOT_ROUNDING = 1.0 + 2.0**-50


@kernel
def whole_lots(quantity, lot):
    """Whole lots in `quantity`, towards zero. 0.3 / 0.1 is 2.9999999999999996 and still holds three."""
    return np.trunc(quantity / lot * _LOT_ROUNDING)


@kernel
def most_lots(size, held, equity, lot_value, fee_share, leverage):
    """Most lots of an order for `size` lots, where `held` is signed by its side: margin and fee within equity.

    What only lowers a position is always allowed.
    """
    if (abs(held) + size) * lot_value * (1.0 + fee_share) <= equity:
        return size  # without leverage it would do
    room = (equity - held * lot_value / leverage) / (lot_value * (1.0 / leverage + fee_share))
    return min(size, max(whole_lots(max(room, 0.0), 1.0), -held, 0.0))


@kernel
def wanted_lots(wish, equity, price, gross, rules):
    """Lots that a wish stands for: a share of equity at the close, or a share of the fixed units."""
    lot = rules[LOT]
    if rules[UNITS] > 0.0:
        quantity = wish * rules[UNITS]
    else:
        quantity = wish * max(equity, 0.0) / gross
    most = rules[MAX_NOTIONAL]
    if abs(quantity) * price > most:
        quantity = most / price if quantity > 0.0 else -most / price
    return whole_lots(quantity, lot)


@kernel
def write_fill(fills, at, bar, leg, lots, price, reference, fee_share, kind, lot):
    """Write one fill; return what it takes from cash."""
    value = lots * lot * price
    fee = abs(value) * fee_share
    fills[FILL_BAR, at] = bar
    fills[FILL_LEG, at] = leg
    fills[FILL_LOTS, at] = lots
    fills[FILL_PRICE, at] = price
    fills[FILL_FEE, at] = fee
    fills[FILL_KIND, at] = kind
    fills[FILL_REFERENCE, at] = reference
    return value + fee


@kernel
def _open_price(opening, lots, rules):
    return opening * (1.0 + rules[SLIPPAGE] if lots > 0.0 else 1.0 - rules[SLIPPAGE])


@kernel
def affordable(lots, opening, other_opening, free_elsewhere, rules, carry):
    """The order, cut to what equity pays for with the fee. Of an order cut to nothing the wish is asked again.

    A hedged pair binds both legs' value, and is worth their difference. `free_elsewhere` is what other positions of the
    same account are worth, less what they bind.
    """
    side = 1.0 if lots > 0.0 else -1.0
    worth = bound = _open_price(opening, lots, rules)
    if rules[HEDGED] != 0.0:
        other = _open_price(other_opening, -lots, rules)
        worth, bound = worth - other, bound + other
    equity = carry[CASH] + free_elsewhere + carry[LOTS] * (rules[LOT] * worth)
    most = most_lots(abs(lots), side * carry[LOTS], equity, rules[LOT] * bound, rules[FEE], 1.0)
    if most == abs(lots):
        return lots
    carry[UNAFFORDABLE] += 1.0
    if most == 0.0:
        carry[ACCEPTED] = carry[BEFORE]
    return side * most


@kernel
def fill_at_open(fills, at, bar, leg, lots, opening, rules):
    """Fill at the open, worse by the slippage; return what it takes from cash."""
    price = _open_price(opening, lots, rules)
    return write_fill(fills, at, bar, leg, lots, price, opening, rules[FEE], MARKET, rules[LOT])


@kernel
def _fill_pending(bar, opening, other_opening, number, rules, carry, fills):
    """Fill the order on hand at this bar's open, or give it up where it is too old or a leg has no price."""
    hedged = rules[HEDGED] != 0.0
    lots = carry[PENDING]
    carry[PENDING] = 0.0
    if number - carry[DECIDED] > rules[MAX_AGE_BARS] or (hedged and not (other_opening > 0.0)):
        carry[ABANDONED] += 1.0
        carry[ACCEPTED] = carry[BEFORE]  # the wish is asked again
        return
    lots = affordable(lots, opening, other_opening, 0.0, rules, carry)
    if lots == 0.0:
        return
    at = int(carry[FILLS])
    carry[CASH] -= fill_at_open(fills, at, bar, 0.0, lots, opening, rules)
    carry[FILLS] += 1.0
    if hedged:
        carry[CASH] -= fill_at_open(fills, at + 1, bar, 1.0, -lots, other_opening, rules)
        carry[FILLS] += 1.0
    carry[LOTS] += lots


@kernel
def accept(wish, number, carry):
    """Accept a wish; the last one that was traded is kept, to be asked again where its order comes to nothing."""
    carry[SIGNALS] += 1.0
    if carry[PENDING] == 0.0:
        carry[BEFORE] = carry[ACCEPTED]
    carry[ACCEPTED] = wish
    carry[DECIDED] = number


@kernel
def put_on_order(equity, price, gross, rules, carry):
    """Put on order what the accepted wish changes."""
    change = wanted_lots(carry[ACCEPTED], equity, price, gross, rules) - carry[LOTS]
    if change == 0.0 and carry[ACCEPTED] != 0.0:
        carry[WITHOUT_LOT] += 1.0
    carry[PENDING] = change


@kernel
def unchanged(target, accepted, threshold):
    """How many of the leading wishes ask for nothing new. Counting a block at a time vectorises."""
    n = target.shape[0]
    done = 0
    while done < n:
        block = target[done : min(done + _BLOCK, n)]
        new = 0
        for k in range(block.shape[0]):
            new += abs(block[k] - accepted) > threshold
        if new:
            while not abs(target[done] - accepted) > threshold:
                done += 1
            return done
        done += block.shape[0]
    return done


@kernel
def _is_unbroken(numbers, start, stop):
    """Whether no bar is missing from start..stop."""
    return start < stop and numbers[stop - 1] - numbers[start] == stop - 1 - start


@kernel
def _number(numbers, bar, start, unbroken):
    """The number of a bar, counted where none is missing: one that is read is waited for."""
    return numbers[start] + (bar - start) if unbroken else numbers[bar]


@kernel(shared=True)
def trade_targets(opens, closes, marks, other_opens, numbers, target, rules, carry, fills, start, stop):
    """Follow target[0:stop-start], the wishes at bars start..stop, and write the fills.

    opens, closes, marks, other_opens: float64[bar]; numbers: int64[bar], open time over interval. `marks` is what one
    unit held is worth at the close: the close itself, or for a hedged pair the primary's less the secondary's.
    `other_opens` is read for a hedged pair only. rules: float64[RULES]; carry: float64[ACCOUNT_CARRY], zeros but for
    the starting cash before bar 0. fills: float64[FILL_COLUMNS, capacity]. Equity is marked only where a decision
    needs it; `mark_equity` gives it for every bar.

    Returns the bar to go on from: `stop`, or the bar at which `fills` was full (call again with a longer table).
    """
    threshold, lot, hedged = rules[THRESHOLD], rules[LOT], rules[HEDGED] != 0.0
    unbroken = _is_unbroken(numbers, start, stop)
    bar = start
    while bar < stop:
        if carry[PENDING] != 0.0 and int(carry[FILLS]) + 2 > fills.shape[1]:
            return bar
        accepted = carry[ACCEPTED]
        signal = bar + unchanged(target[bar - start : stop - start], accepted, threshold)
        prefetch(opens, signal + 1)  # where this signal's order will fill, once the order on hand is done with
        if carry[PENDING] != 0.0:
            number = _number(numbers, bar, start, unbroken)
            _fill_pending(bar, opens[bar], other_opens[bar], number, rules, carry, fills)
            if carry[ACCEPTED] != accepted:
                continue  # the order came to nothing: the wish is asked again, at this very bar
        bar = signal
        if bar < stop:
            equity = carry[CASH] + carry[LOTS] * lot * marks[bar]
            gross = 2.0 * closes[bar] - marks[bar] if hedged else closes[bar]
            accept(target[bar - start], _number(numbers, bar, start, unbroken), carry)
            put_on_order(equity, closes[bar], gross, rules, carry)
            bar += 1
    return stop


@kernel(shared=True)
def mark_equity(fills, marks, lot, carry, out, start, stop):
    """Cash and position at each close, in account currency, written to out[0:stop-start].

    fills: float64[FILL_COLUMNS, fill], all that were written. carry: float64[MARK_CARRY], zeros but for the starting
    cash before bar 0. The same bits as the equity that decisions were sized by.
    """
    bar = start
    while bar < stop:
        at = int(carry[MARK_FILL])
        while at < fills.shape[1] and fills[FILL_BAR, at] == bar:
            carry[MARK_CASH] -= fills[FILL_LOTS, at] * lot * fills[FILL_PRICE, at] + fills[FILL_FEE, at]
            if fills[FILL_LEG, at] == 0.0:
                carry[MARK_LOTS] += fills[FILL_LOTS, at]
            at += 1
        carry[MARK_FILL] = at
        end = min(stop, int(fills[FILL_BAR, at])) if at < fills.shape[1] else stop
        cash, held = carry[MARK_CASH], carry[MARK_LOTS] * lot
        row, worth = out[bar - start : end - start], marks[bar:end]
        if held == 0.0:
            row[:] = cash  # its marks stay where they are, far from the caches; those that follow are sent for
            for k in range(end, end + _AHEAD, 8):
                prefetch(marks, k)
        else:
            for k in range(row.shape[0]):
                row[k] = cash + held * worth[k]
        bar = end
