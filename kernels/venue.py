"""Orders at a venue that has rules: limits, ticks, least values, volume, margin, and levels watched inside the bar.

`account.trade_targets` fills every order in full at the next open. This kernel does the same where none of its rules
is used, bit for bit, and otherwise walks through each bar in one stated order:

1. At the open: funding and borrow cost on what is held, then the order on hand.
2. From the open on: stop, trailing stop, liquidation and take-profit, by what the bar's range allows.
3. At the close: the decision.

A bar does not tell in which order it saw its high and its low. Where that matters the bar is counted as ambiguous and
the worse order is taken, or the better one where `OPTIMISTIC` is set.
"""

import numpy as np

from ._jit import kernel
from .account import (
    ABANDONED,
    ACCEPTED,
    ACCOUNT_CARRY,
    BEFORE,
    CASH,
    DECIDED,
    FEE,
    FILL_FEE,
    FILLS,
    LOT,
    LOTS,
    MAX_AGE_BARS,
    PENDING,
    RULES,
    SLIPPAGE,
    THRESHOLD,
    UNAFFORDABLE,
    WITHOUT_LOT,
    accept,
    most_lots,
    unchanged,
    wanted_lots,
    whole_lots,
    write_fill,
)
from .columns import CLOSE, HIGH, LOW, OPEN, VOLUME
from .fill_kinds import BORROW_COST, FUNDING, LIMIT, LIQUIDATION, MARKET, STOP, TAKE_PROFIT, TRAILING_STOP

(
    MAKER_FEE, VOLUME_SLIPPAGE, IMPACT, MAX_VOLUME_SHARE, CARRY_REST, TICK, MIN_NOTIONAL, LIMIT_OFFSET, STOP_DISTANCE,
    TAKE_PROFIT_DISTANCE, TRAIL_DISTANCE, LEVERAGE, MAINTENANCE, LIQUIDATION_FEE, BORROW_RATE, FUNDED, INTERVAL_DAYS,
    OPTIMISTIC,
) = range(RULES, RULES + 18)  # fmt: skip
"""Share of value that a resting order pays; slippage at a quantity of the whole bar's volume, and times the root of its
share; most of a bar's volume (0: no cap) and whether the rest waits; price step; least value of an order; distance of a
limit order from the close (0: market orders); distances of stop, target and trailing stop from entry and best price (0:
none); position value over margin; margin under which a position is liquidated and what that costs, as shares of value;
borrow cost of shorts, a year, as a share; 1 where funding is paid; length of a bar in days; 1 for the better order of
ambiguous bars."""
VENUE_RULES = RULES + 18

ENTRY, BEST, STOPPED, LIMIT_PRICE, AMBIGUOUS, BELOW_MINIMUM, OVER_VOLUME, ELSEWHERE, BOUND = range(
    ACCOUNT_CARRY, ACCOUNT_CARRY + 9
)
"""Average entry price; best price since the entry; side that a level has closed, until the wish leaves it; price of the
limit order on hand (0: market); ambiguous bars; orders under the least value, and orders cut by volume; what the
account's other positions are worth, and the margin that they bind (0 in an account of one position)."""
VENUE_CARRY = ACCOUNT_CARRY + 9

_ROWS_A_BAR = 4
_TICK_NOISE = 1e-9


@kernel
def rounded(price, tick, up):
    """The price on its grid, upwards or downwards; a price that is on it but for rounding stays."""
    if tick <= 0.0:
        return price
    steps = price / tick
    steps = np.ceil(steps - _TICK_NOISE) if up else np.floor(steps + _TICK_NOISE)
    ticks = np.rint(1.0 / tick)
    if abs(ticks * tick - 1.0) < _TICK_NOISE:
        return steps / ticks  # 3 / 10 is the float that 0.3 is read as; 3 × 0.1 is the one after it
    return steps * tick


@kernel
def taker_price(price, lots, volume, rules):
    """What a taker pays or gets: worse by fixed slippage, by a share of the volume and by its root, then on the grid.

    Impact grows with the root of the order's share of volume (Almgren, Thum, Hauptmann and Li 2005, Risk 18(7)). A bar
    without volume counts as one that the order is all of.
    """
    worse = rules[SLIPPAGE]
    if rules[VOLUME_SLIPPAGE] > 0.0 or rules[IMPACT] > 0.0:
        share = abs(lots) * rules[LOT] / volume if volume > 0.0 else 1.0
        worse += rules[VOLUME_SLIPPAGE] * share + rules[IMPACT] * np.sqrt(share)
    if lots > 0.0:
        return rounded(price * (1.0 + worse), rules[TICK], True)
    return rounded(price * max(1.0 - worse, 0.0), rules[TICK], False)


@kernel
def _book(fills, bar, lots, price, reference, fee_share, kind, rules, carry):
    """Write a fill, pay for it, and add it to the position."""
    carry[CASH] -= write_fill(fills, int(carry[FILLS]), bar, 0.0, lots, price, reference, fee_share, kind, rules[LOT])
    carry[FILLS] += 1.0
    add_to_position(lots, price, reference, carry)


@kernel
def add_to_position(lots, price, reference, carry):
    """Change a position by what was traded, and keep its average entry price."""
    held = carry[LOTS]
    after = held + lots
    if held * lots >= 0.0:
        carry[ENTRY] += (price - carry[ENTRY]) * (lots / after)
    elif held * after < 0.0:
        carry[ENTRY] = price
    if held * after <= 0.0:
        carry[BEST] = reference
    if after == 0.0:
        carry[ENTRY] = 0.0
    carry[LOTS] = after


@kernel
def _charge(fills, bar, price, amount, kind, carry):
    """Write what holding costs (negative: what it earns) as a row without a quantity."""
    write_fill(fills, int(carry[FILLS]), bar, 0.0, 0.0, price, price, 0.0, kind, 0.0)
    fills[FILL_FEE, int(carry[FILLS])] = amount
    carry[FILLS] += 1.0
    carry[CASH] -= amount


@kernel
def charge_holding(bars, funding, number_before, number, bar, rules, carry, fills):
    """Funding at its times, and borrow cost of a short for each midnight (UTC) passed, on value at the open.

    `number_before`: that of the instrument's last bar before this one.
    """
    value = carry[LOTS] * rules[LOT] * bars[OPEN, bar]
    if rules[FUNDED] != 0.0 and funding[bar] != 0.0:
        _charge(fills, bar, bars[OPEN, bar], value * funding[bar], FUNDING, carry)
    if value < 0.0 and rules[BORROW_RATE] > 0.0:
        days = np.floor(number * rules[INTERVAL_DAYS]) - np.floor(number_before * rules[INTERVAL_DAYS])
        if days > 0.0:
            _charge(fills, bar, bars[OPEN, bar], -value * rules[BORROW_RATE] / 365.0 * days, BORROW_COST, carry)


@kernel
def _order_price(bars, bar, carry):
    """Where the order on hand trades in this bar: price (0: nowhere), and whether the bar had moved there first."""
    opening, limit = bars[OPEN, bar], carry[LIMIT_PRICE]
    if limit == 0.0:
        return opening, False
    side = 1.0 if carry[PENDING] > 0.0 else -1.0
    if side * (opening - limit) <= 0.0:
        return opening, False
    reached = bars[LOW, bar] if side > 0.0 else bars[HIGH, bar]
    if side * (reached - limit) <= 0.0:
        return limit, True
    return 0.0, False


@kernel
def _draw_to_open(opening, rules, carry):
    """Draw the trailing stop after the open: the one price of a bar that surely comes before its worst."""
    side = 1.0 if carry[LOTS] > 0.0 else -1.0
    if rules[TRAIL_DISTANCE] > 0.0 and side * (opening - carry[BEST]) > 0.0:
        carry[BEST] = opening


@kernel
def _left_before(bars, bar, rules, carry):
    """Whether a level closes the position before a limit order, reached in this bar, can add to it."""
    side = 1.0 if carry[LOTS] > 0.0 else -1.0
    _draw_to_open(bars[OPEN, bar], rules, carry)
    level, _ = _adverse_level(side, rules, carry)
    if side * (level - carry[LIMIT_PRICE]) >= 0.0:
        return True  # it lies on the way to the limit
    goal = _goal(side, rules, carry)
    worst, best = (bars[LOW, bar], bars[HIGH, bar]) if side > 0.0 else (bars[HIGH, bar], bars[LOW, bar])
    if side * (best - goal) < 0.0:
        return False
    optimistic, open_reached = rules[OPTIMISTIC] != 0.0, side * (bars[OPEN, bar] - goal) >= 0.0
    # Where the stop is touched too, or the target only perhaps after the order, `watch_levels` counts the bar.
    counted = side * (worst - level) <= 0.0 or (optimistic and side * (bars[CLOSE, bar] - goal) < 0.0)
    if not open_reached and not counted:
        carry[AMBIGUOUS] += 1.0
    return open_reached or not optimistic


@kernel(inlined=True)
def fill_order(bars, numbers, bar, rules, carry, fills):
    """Fill what can be filled of the order on hand; True where it was reached on the way through the bar."""
    if numbers[bar] - carry[DECIDED] > rules[MAX_AGE_BARS]:
        carry[PENDING] = 0.0
        carry[ABANDONED] += 1.0
        carry[ACCEPTED] = carry[BEFORE]  # the wish is asked again
        return False
    reference, on_the_way = _order_price(bars, bar, carry)
    if reference == 0.0 or (on_the_way and carry[LOTS] != 0.0 and _left_before(bars, bar, rules, carry)):
        return False
    volume, resting = bars[VOLUME, bar], carry[LIMIT_PRICE] != 0.0
    side = 1.0 if carry[PENDING] > 0.0 else -1.0
    wanted = abs(carry[PENDING])
    size, rest = wanted, 0.0
    if rules[MAX_VOLUME_SHARE] > 0.0:
        most = whole_lots(rules[MAX_VOLUME_SHARE] * volume, rules[LOT]) if volume > 0.0 else 0.0
        if size > most:
            carry[OVER_VOLUME] += 1.0
            size, rest = most, size - most
    fee_share = rules[MAKER_FEE] if resting else rules[FEE]
    price = reference if resting else taker_price(reference, side * size, volume, rules)
    lot_value = rules[LOT] * price
    free = carry[CASH] + carry[ELSEWHERE] + carry[LOTS] * lot_value - carry[BOUND]
    most = most_lots(size, side * carry[LOTS], free, lot_value, fee_share, rules[LEVERAGE])
    if size > most:
        carry[UNAFFORDABLE] += 1.0
        size, rest = most, 0.0
        if size == 0.0:
            carry[ACCEPTED] = carry[BEFORE]
        elif not resting:
            price = taker_price(reference, side * size, volume, rules)
    carry[PENDING] = side * rest if rules[CARRY_REST] != 0.0 else 0.0
    if size == 0.0:
        return False
    if carry[PENDING] != 0.0:
        carry[BEFORE] = np.inf  # no wish stands for a part: should the rest grow too old, any is asked again
    _book(fills, bar, side * size, price, reference, fee_share, LIMIT if resting else MARKET, rules, carry)
    return on_the_way


@kernel
def _adverse_level(side, rules, carry):
    """The level that a falling price (for a long position) meets first, and what it is. Of equal ones the stop."""
    nearest, kind = -np.inf, STOP
    leverage, maintenance = rules[LEVERAGE], rules[MAINTENANCE]
    if leverage > 1.0 or (side < 0.0 and maintenance > 0.0):
        # The position's own margin, entry / leverage a unit, is down to its maintenance.
        level = carry[ENTRY] * (1.0 - side / leverage) / (1.0 - side * maintenance)
        nearest, kind = side * level, LIQUIDATION
    if rules[TRAIL_DISTANCE] > 0.0:
        level = carry[BEST] * (1.0 - side * rules[TRAIL_DISTANCE])
        if side * level >= nearest:
            nearest, kind = side * level, TRAILING_STOP
    if rules[STOP_DISTANCE] > 0.0:
        level = carry[ENTRY] * (1.0 - side * rules[STOP_DISTANCE])
        if side * level >= nearest:
            nearest, kind = side * level, STOP
    return side * nearest, kind


@kernel
def _goal(side, rules, carry):
    """Where the take-profit rests, on the grid; infinitely far where there is none."""
    if rules[TAKE_PROFIT_DISTANCE] == 0.0:
        return side * np.inf
    return rounded(carry[ENTRY] * (1.0 + side * rules[TAKE_PROFIT_DISTANCE]), rules[TICK], side > 0.0)


@kernel
def _leave(bars, bar, side, reference, kind, rules, carry, fills):
    """Close the position at a level. The side stays closed until the wish leaves it."""
    lots = -carry[LOTS]
    if kind == TAKE_PROFIT:
        _book(fills, bar, lots, reference, reference, rules[MAKER_FEE], kind, rules, carry)
    else:
        fee_share = rules[FEE] + (rules[LIQUIDATION_FEE] if kind == LIQUIDATION else 0.0)
        price = taker_price(reference, lots, bars[VOLUME, bar], rules)
        _book(fills, bar, lots, price, reference, fee_share, kind, rules, carry)
    carry[STOPPED] = side
    carry[PENDING] = 0.0
    if -np.inf < carry[ACCEPTED] * side < 0.0:
        carry[ACCEPTED] = 0.0  # the order to flip was on hand: no level has closed the side that it wanted


@kernel
def watch_levels(bars, bar, on_the_way, rules, carry, fills):
    """Close the position where the bar reaches a level. `on_the_way`: it was opened after the open."""
    side = 1.0 if carry[LOTS] > 0.0 else -1.0
    opening, close = bars[OPEN, bar], bars[CLOSE, bar]
    worst, best = (bars[LOW, bar], bars[HIGH, bar]) if side > 0.0 else (bars[HIGH, bar], bars[LOW, bar])
    optimistic = rules[OPTIMISTIC] != 0.0
    if not on_the_way:
        _draw_to_open(opening, rules, carry)
    level, kind = _adverse_level(side, rules, carry)
    goal = _goal(side, rules, carry)
    if not on_the_way:
        if side * (opening - level) <= 0.0:
            _leave(bars, bar, side, opening, kind, rules, carry, fills)
            return
        if side * (opening - goal) >= 0.0:
            _leave(bars, bar, side, opening, TAKE_PROFIT, rules, carry, fills)
            return
    stopped, reached = side * (worst - level) <= 0.0, side * (best - goal) >= 0.0
    # An order that filled on the way down may have missed the high; the close comes after it.
    unsure = on_the_way and reached and side * (close - goal) < 0.0
    if (stopped and reached) or unsure:
        carry[AMBIGUOUS] += 1.0
        reached = optimistic
        stopped = stopped and not optimistic
    elif stopped and rules[TRAIL_DISTANCE] > 0.0:
        drawn = best * (1.0 - side * rules[TRAIL_DISTANCE])
        if side * (drawn - level) > 0.0:  # it was met there if the best price came first
            carry[AMBIGUOUS] += 1.0
            if optimistic:
                level, kind = drawn, TRAILING_STOP
    if stopped:
        _leave(bars, bar, side, level, kind, rules, carry, fills)
    elif reached:
        _leave(bars, bar, side, goal, TAKE_PROFIT, rules, carry, fills)
    elif rules[TRAIL_DISTANCE] > 0.0:
        if unsure:
            worst = best = close  # the best price was missed, and of the others the close alone is sure to come after
        _trail(bars, bar, side, worst, best, on_the_way, rules, carry, fills)


@kernel
def _trail(bars, bar, side, worst, best, on_the_way, rules, carry, fills):
    """Draw the trailing stop after the bar's best price; the rest of the bar may have met it there."""
    if side * (best - carry[BEST]) <= 0.0:
        return
    level, close, optimistic = best * (1.0 - side * rules[TRAIL_DISTANCE]), bars[CLOSE, bar], rules[OPTIMISTIC] != 0.0
    met = side * (close - level) <= 0.0  # the close comes after the best price
    if on_the_way:
        best = max(side * carry[BEST], side * close) * side  # an order that filled on the way may have missed the best
    if not met and side * (worst - level) <= 0.0:
        carry[AMBIGUOUS] += 1.0
        met = not optimistic
    elif met and on_the_way:
        carry[AMBIGUOUS] += 1.0
        met = optimistic
    carry[BEST] = best
    if met:
        _leave(bars, bar, side, level, TRAILING_STOP, rules, carry, fills)


@kernel
def put_lots(change, price, rules, carry):
    """Put a change of position on order; refuse one of too little value."""
    if change == 0.0 and carry[ACCEPTED] != 0.0:
        carry[WITHOUT_LOT] += 1.0
    carry[PENDING] = change
    if change != 0.0 and change != -carry[LOTS] and abs(change) * rules[LOT] * price < rules[MIN_NOTIONAL]:
        carry[BELOW_MINIMUM] += 1.0
        carry[PENDING] = 0.0


@kernel
def size_order(price, rules, carry):
    """Put on order what the accepted wish changes, sized at `price`."""
    equity = carry[CASH] + carry[ELSEWHERE] + carry[LOTS] * rules[LOT] * price
    put_lots(wanted_lots(carry[ACCEPTED], equity, price, price, rules) - carry[LOTS], price, rules, carry)


@kernel
def set_limit(close, rules, carry):
    """An order that opens or adds may have a limit."""
    carry[LIMIT_PRICE] = 0.0
    if rules[LIMIT_OFFSET] > 0.0 and carry[LOTS] * carry[PENDING] >= 0.0:
        side = 1.0 if carry[PENDING] > 0.0 else -1.0
        carry[LIMIT_PRICE] = rounded(close * (1.0 - side * rules[LIMIT_OFFSET]), rules[TICK], side < 0.0)


@kernel
def decide_order(wish, close, number, rules, carry):
    """Accept a wish and size its order at the close."""
    accept(wish, number, carry)
    size_order(close, rules, carry)
    set_limit(close, rules, carry)


@kernel
def is_signal(wish, rules, carry):
    """Whether a wish asks for something new. One whose side a level has closed does not, until it leaves that side."""
    if wish != wish or wish * carry[STOPPED] > 0.0:
        return False
    carry[STOPPED] = 0.0
    return abs(wish - carry[ACCEPTED]) > rules[THRESHOLD]


@kernel
def is_watched(rules):
    """Whether a position can change, or cost something, without a decision."""
    levels = rules[STOP_DISTANCE] + rules[TAKE_PROFIT_DISTANCE] + rules[TRAIL_DISTANCE] + rules[MAINTENANCE]
    return levels > 0.0 or rules[LEVERAGE] > 1.0 or rules[BORROW_RATE] > 0.0 or rules[FUNDED] != 0.0


@kernel(shared=True)
def trade_at_venue(bars, funding, numbers, target, rules, carry, fills, start, stop):
    """Follow target[0:stop-start], the wishes at bars start..stop, and write the fills.

    bars: float64[column, bar]; funding: float64[bar], the rate paid at each bar's open (longs pay a positive one), read
    where FUNDED is set; numbers: int64[bar], open time over interval. rules: float64[VENUE_RULES]; carry:
    float64[VENUE_CARRY], zeros but for the starting cash before bar 0. fills: float64[FILL_COLUMNS, capacity].

    Returns the bar to go on from: `stop`, or the bar at which `fills` was full (call again with a longer table).
    """
    watched = is_watched(rules)
    closes = bars[CLOSE]
    bar = start
    while bar < stop:
        if int(carry[FILLS]) + _ROWS_A_BAR > fills.shape[1]:
            return bar
        if carry[PENDING] == 0.0 and carry[STOPPED] == 0.0 and (carry[LOTS] == 0.0 or not watched):
            bar += unchanged(target[bar - start : stop - start], carry[ACCEPTED], rules[THRESHOLD])
            if bar == stop:
                return stop
        else:
            if carry[LOTS] != 0.0:
                before = numbers[max(bar - 1, 0)]
                charge_holding(bars, funding, before, numbers[bar], bar, rules, carry, fills)
            on_the_way = carry[PENDING] != 0.0 and fill_order(bars, numbers, bar, rules, carry, fills)
            if carry[LOTS] != 0.0 and watched:
                watch_levels(bars, bar, on_the_way, rules, carry, fills)
        if is_signal(target[bar - start], rules, carry):
            decide_order(target[bar - start], closes[bar], numbers[bar], rules, carry)
        bar += 1
    return stop
