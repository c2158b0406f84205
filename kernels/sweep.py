"""Many parameter sets of one engine over one history: every set's backtest, with its figures reduced as it goes.

Bars are taken a block at a time. A block's indicators are computed once, then each set decides, trades and is added up
over the block, while everything is in the cache. What a set keeps from block to block is one row of `state`: neither
wishes nor fills nor curves are kept. The steps are those of a single backtest, in the same order: the same bits.
"""

import numpy as np

from ._jit import kernel
from .account import CASH, FILLS, HEDGED, LOT, LOTS, MARK_CARRY, MARK_CASH, MARK_FILL, mark_equity, trade_targets
from .columns import CLOSE, OPEN, TARGET
from .engines.by_indicators import decide_numbered
from .indicators import fill_indicator
from .metrics import BEFORE, STATISTICS_BLOCK, STATISTICS_CARRY, add_moments, advance_statistics, bar_returns
from .metrics import start_statistics as _start_statistics
from .tally import FILL_TALLY, TRADE_TALLY, start_trades, tally_fills, tally_pair, tally_trades
from .trades import TRIP_CARRY, close_trips
from .venue import LIQUIDATION_FEE, VENUE_CARRY, trade_at_venue

ACCOUNT = 0
MARKING = ACCOUNT + VENUE_CARRY
STATISTICS = MARKING + MARK_CARRY
FILL_SUMS = STATISTICS + STATISTICS_CARRY
TRADE_SUMS = FILL_SUMS + FILL_TALLY
TRIPS = TRADE_SUMS + TRADE_TALLY
OTHER_TRIPS = TRIPS + TRIP_CARRY
ENGINE = OTHER_TRIPS + TRIP_CARRY
"""Where the parts of a set's row of `state` begin; the engine's carry comes last."""

CURVE, FILL_TABLE, TRADE_TABLE = 1, 2, 4
"""What is reduced: the equity curve; fills; closed trades."""

BLOCK = STATISTICS_BLOCK
BLOCK_STRIDE = BLOCK + 24
"""Bars taken at a time, and the length of a row for them: rows a power of two apart would share cache sets."""
BLOCK_FILLS = 4 * BLOCK + 8
"""Most fills of a set in a block."""


@kernel
def start_sets(capital, state):
    """Set float64[set, ·] to what it is before the first bar; capital: float64[set], in account currency."""
    state[:] = 0.0
    for s in range(state.shape[0]):
        row = state[s]
        row[ACCOUNT + CASH] = row[MARKING + MARK_CASH] = capital[s]
        _start_statistics(capital[s], row[STATISTICS:FILL_SUMS])
        start_trades(row[TRADE_SUMS:TRIPS])


@kernel
def _segment_end(cuts, begin, end):
    """Where the bars that follow each other without a gap from `begin` on end; cuts: int64[·], bars after a gap."""
    place = np.searchsorted(cuts, begin, side="right")
    return min(cuts[place], end) if place < cuts.shape[0] else end


@kernel(inlined=True)
def _fill_indicators(bars, numbers, cuts, kinds, scale, carries, start, stop, columns, scratch):
    for c in range(kinds.shape[0]):
        begin = start
        while begin < stop:
            end = _segment_end(cuts, begin, stop)
            carries[c, 0] = numbers[begin]
            dest = columns[c, begin - start : end - start]
            fill_indicator(kinds[c, 0], kinds[c, 1], scale, bars, begin, carries[c], dest, scratch)
            begin = end


@kernel(inlined=True)
def _decide(engine, bars, numbers, cuts, start, stop, columns, places, params, carry, out):
    begin = start
    while begin < stop:
        end = _segment_end(cuts, begin, stop)
        decide_numbered(engine, bars, numbers, begin, end, columns, places, begin - start, params, carry, out)
        begin = end


@kernel
def _add_fills(fills, count, rules, legs, row):
    for leg in range(2):
        legs[0, leg], legs[1, leg] = rules[LOT], rules[LIQUIDATION_FEE]
    tally_fills(fills[:, :count], legs[0], legs[1], row[FILL_SUMS:TRADE_SUMS])


@kernel
def _add_trades(fills, count, rules, trades, row):
    lot, tally, part = rules[LOT], row[TRADE_SUMS:TRIPS], fills[:, :count]
    closed = close_trips(part, 0.0, lot, row[TRIPS:OTHER_TRIPS], trades[0])
    if rules[HEDGED] == 0.0:
        tally_trades(trades[0], closed, lot, tally)
    else:
        other = close_trips(part, 1.0, lot, row[OTHER_TRIPS:ENGINE], trades[1])
        tally_pair(trades[0], closed, trades[1], other, lot, tally)


@kernel(shared=True)
def add_slices(equity, before, start, ends, moments, returns):
    """Merge the returns of a block into count, mean and squares of the slices that it lies in."""
    bar_returns(equity, before, returns)
    begin, stop = start, start + equity.shape[0]
    for k in range(ends.shape[0]):
        end = min(ends[k], stop)
        if end > begin:
            add_moments(returns[begin - start : end - start], moments[k])
            begin = end


@kernel
def sweep_sets(
    engine, bars, numbers, cuts, funding, marks, other_opens, kinds, scale, carries, params, rules, plain, places,
    state, slice_ends, slices, reduced, columns, out, fills, trades, equity, scratch, start, stop,
):  # fmt: skip
    """Advance all sets over bars start..stop; start is a multiple of BLOCK.

    The history: bars: float64[column, bar]; numbers: int64[bar]; cuts: int64[·], bars after a gap; funding, marks,
    other_opens: as for `trade_at_venue` and `trade_targets`. The indicators: kinds: int64[indicator, 2], kind and
    window; scale: root of the bars in a year; carries: float64[indicator, INDICATOR_CARRY], zeros before bar 0. The
    sets: params: float64[set, ·]; rules: float64[set, VENUE_RULES]; plain: int64[set], 1 where every order fills in
    full at the next open; places: int64[set, MOST_INDICATORS]; state: float64[set, ENGINE + the engine's carry], as
    `start_sets` leaves it. slice_ends: int64[slice], slices: float64[set, slice, 3], count, mean and sum of squares of
    the bar returns. reduced: the sum of what is. Scratch: columns: float64[indicator, BLOCK_STRIDE]; out: float64[row,
    BLOCK_STRIDE]; fills: float64[FILL_COLUMNS, BLOCK_FILLS]; trades: float64[2, TRADE_COLUMNS, BLOCK_FILLS]; equity:
    float64[BLOCK]; scratch: float64[STATISTICS_SCRATCH].
    """
    opens, closes = bars[OPEN], bars[CLOSE]
    legs = out[:2, BLOCK : BLOCK + 2]
    for begin in range(start, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        curve = equity[: end - begin]
        _fill_indicators(bars, numbers, cuts, kinds, scale, carries, begin, end, columns, scratch)
        for s in range(params.shape[0]):
            row, rule = state[s], rules[s]
            account, marking = row[ACCOUNT:MARKING], row[MARKING:STATISTICS]
            _decide(engine, bars, numbers, cuts, begin, end, columns, places[s], params[s], row[ENGINE:], out)
            target = out[TARGET, : end - begin]
            if plain[s] != 0:
                trade_targets(
                    opens, closes, marks, other_opens, numbers, target, rule, account, fills, begin, end
                )  # fmt: skip
            else:
                trade_at_venue(bars, funding, numbers, target, rule, account, fills, begin, end)
            count = int(account[FILLS])
            account[FILLS] = 0.0
            if count > 0 and reduced & FILL_TABLE:
                _add_fills(fills, count, rule, legs, row)
            if count > 0 and reduced & TRADE_TABLE:
                _add_trades(fills, count, rule, trades, row)
            if reduced & CURVE:
                marking[MARK_FILL] = 0.0
                mark_equity(fills[:, :count], marks, rule[LOT], marking, curve, begin, end)
                if slice_ends.shape[0] > 0:
                    add_slices(curve, row[STATISTICS + BEFORE], begin, slice_ends, slices[s], scratch)
                advance_statistics(curve, scratch, row[STATISTICS:FILL_SUMS])


@kernel
def final_equities(mark, rules, state, equity):
    """Equity of each set where one unit held is worth `mark`; equity: float64[set]."""
    for s in range(equity.shape[0]):
        held = state[s, ACCOUNT + LOTS] * rules[s, LOT]
        equity[s] = state[s, ACCOUNT + CASH] + held * mark
