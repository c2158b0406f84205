"""Stops and take-profits inside the bar, by hand. The entry is five units at an open of 100, in bar 1."""

from __future__ import annotations

from barstep.kernels.fill_kinds import MARKET, STOP, TAKE_PROFIT, TRAILING_STOP
from barstep.kernels.venue import AMBIGUOUS, STOPPED
from venues import Case

IN, OUT_OF_SHORT = (1, 5.0, 100.0, MARKET), (1, -5.0, 100.0, MARKET)
S2, P4, T5 = {"stop_distance": 0.02}, {"take_profit_distance": 0.04}, {"trail_distance": 0.05}
BOTH = S2 | P4
HOPE = {"optimistic": 1.0}

STOPS = [
    Case(
        "gap through a stop: entered at 100, stop 2 % = 98, opens at 95 -> sold at 95, loss 25",
        [100, 100, (95, 96, 94, 95)],
        [1],
        S2,
        [IN, (2, -5, 95, STOP)],
        975,
    ),
    Case(
        "stop touched exactly: the low is 98 -> sold at 98, loss 10",
        [100, 100, (100, 101, 98, 99)],
        [1],
        S2,
        [IN, (2, -5, 98, STOP)],
        990,
        {AMBIGUOUS: 0, STOPPED: 1},
    ),
    Case(
        "stop missed by a tick: the low is 98.01 -> held, 5 × 99 is a loss of 5",
        [100, 100, (100, 101, 98.01, 99)],
        [1],
        S2,
        [IN],
        995,
        {STOPPED: 0},
    ),
    Case(
        "stop on the bar of the entry: bought at its open, its low of 97 is under 98 -> sold at 98, loss 10",
        [100, (100, 101, 97, 99)],
        [1],
        S2,
        [IN, (1, -5, 98, STOP)],
        990,
    ),
    Case(
        "gap through the stop of a short: stop 102, opens at 105 -> bought back at 105, loss 25",
        [100, 100, (105, 106, 104, 104)],
        [-1],
        S2,
        [OUT_OF_SHORT, (2, 5, 105, STOP)],
        975,
    ),
    Case(
        "stop of a short touched exactly: the high is 102 -> bought back at 102, loss 10",
        [100, 100, (100, 102, 99, 99)],
        [-1],
        S2,
        [OUT_OF_SHORT, (2, 5, 102, STOP)],
        990,
        {STOPPED: -1},
    ),
    Case(
        "stop of a short missed by a tick: the high is 101.99 -> held, 99 is a gain of 5",
        [100, 100, (100, 101.99, 99, 99)],
        [-1],
        S2,
        [OUT_OF_SHORT],
        1005,
    ),
    Case(
        "stop with slippage of 1 %: in at 101, stop 98.98, sold at 98.98 × 0.99 = 97.9902; loss 5 × 3.0098 = 15.049",
        [100, 100, (100, 100, 98, 98)],
        [1],
        S2 | {"slippage": 0.01},
        [(1, 5, 101, MARKET), (2, -5, 97.9902, STOP)],
        984.951,
    ),
    Case(
        "stop pays the taker's fee: 0.1 % of 500 and of 490 is 0.99, loss 10.99",
        [100, 100, (100, 100, 98, 98)],
        [1],
        S2 | {"fee": 0.001, "maker_fee": 0.0},
        [IN, (2, -5, 98, STOP)],
        989.01,
    ),
    Case(
        "stop is sold on the grid: level 98 less 0.1 % = 97.902, down to 97.75; loss 5 × (100.25 - 97.75) = 12.5",
        [100, 100, (100, 100, 97, 97)],
        [1],
        {"stop_distance": 2.25 / 100.25, "slippage": 0.001, "tick": 0.25},
        [(1, 5, 100.25, MARKET), (2, -5, 97.75, STOP)],
        987.5,
    ),
    Case(
        "stop of an average entry: 4 at 100 and 4 at 110 are 8 at 105, stop 2 % = 102.9; loss 8 × 2.1 = 16.8",
        [100, (100, 110, 100, 110), 110, (110, 110, 102, 102)],
        [1, 2],
        S2 | {"units": 4},
        [(1, 4, 100, MARKET), (2, 4, 110, MARKET), (3, -8, 102.9, STOP)],
        983.2,
    ),
]

TARGETS = [
    Case(
        "target touched exactly: 4 % over 100 is 104, the high -> sold at 104, gain 20",
        [100, 100, (100, 104, 100, 101)],
        [1],
        P4,
        [IN, (2, -5, 104, TAKE_PROFIT)],
        1020,
    ),
    Case(
        "target missed by a tick: the high is 103.99 -> held, 101 is a gain of 5",
        [100, 100, (100, 103.99, 100, 101)],
        [1],
        P4,
        [IN],
        1005,
    ),
    Case(
        "gap over a target: opens at 106 -> sold at 106, gain 30",
        [100, 100, (106, 107, 105, 105)],
        [1],
        P4,
        [IN, (2, -5, 106, TAKE_PROFIT)],
        1030,
    ),
    Case(
        "target of a short: 96 is the low -> bought back at 96, gain 20",
        [100, 100, (100, 101, 96, 99)],
        [-1],
        P4,
        [OUT_OF_SHORT, (2, 5, 96, TAKE_PROFIT)],
        1020,
    ),
    Case(
        "gap under the target of a short: opens at 94 -> bought back at 94, gain 30",
        [100, 100, (94, 95, 93, 95)],
        [-1],
        P4,
        [OUT_OF_SHORT, (2, 5, 94, TAKE_PROFIT)],
        1030,
    ),
    Case(
        "target rests: no slippage, 0.05 % of 520 is 0.26; the entry paid 1 % and 0.1 % of 505, so 520 - 505.765",
        [100, 100, (100, 106, 100, 101)],
        [1],
        {"take_profit_distance": 3 / 101, "slippage": 0.01, "fee": 0.001, "maker_fee": 0.0005},
        [(1, 5, 101, MARKET), (2, -5, 104, TAKE_PROFIT)],
        1014.235,
    ),
    Case(
        "target is on the grid: 4 % over 100.25 is 104.26, asked at 104.5; gain 5 × 4.25 = 21.25",
        [100, 100, (100, 104.5, 100, 101)],
        [1],
        P4 | {"tick": 0.25, "slippage": 0.001},
        [(1, 5, 100.25, MARKET), (2, -5, 104.5, TAKE_PROFIT)],
        1021.25,
    ),
    Case(
        "target on the grid is missed: asked at 104.5, the high is 104.4 -> held, 101 is a gain of 3.75",
        [100, 100, (100, 104.4, 100, 101)],
        [1],
        P4 | {"tick": 0.25, "slippage": 0.001},
        [(1, 5, 100.25, MARKET)],
        1003.75,
    ),
    Case(
        "target of a short is on the grid: 4 % under 99.5 is 95.52, asked at 95.5; gain 5 × 4 = 20",
        [100, 100, (100, 100, 95, 99)],
        [-1],
        P4 | {"tick": 0.5, "slippage": 0.001},
        [(1, -5, 99.5, MARKET), (2, 5, 95.5, TAKE_PROFIT)],
        1020,
    ),
]

ORDER_INSIDE = [
    Case(
        "stop and target in one bar: 98 and 104 touched, the worse is the stop -> loss 10",
        [100, 100, (100, 104, 98, 101)],
        [1],
        BOTH,
        [IN, (2, -5, 98, STOP)],
        990,
        {AMBIGUOUS: 1},
    ),
    Case(
        "stop and target in one bar, hoping: the better is the target -> gain 20",
        [100, 100, (100, 104, 98, 101)],
        [1],
        BOTH | HOPE,
        [IN, (2, -5, 104, TAKE_PROFIT)],
        1020,
        {AMBIGUOUS: 1},
    ),
    Case(
        "stop and target of a short in one bar: 102 and 96 touched -> the stop, loss 10",
        [100, 100, (100, 102, 96, 100)],
        [-1],
        BOTH,
        [OUT_OF_SHORT, (2, 5, 102, STOP)],
        990,
        {AMBIGUOUS: 1},
    ),
    Case(
        "stop and target of a short in one bar, hoping: the target, gain 20",
        [100, 100, (100, 102, 96, 100)],
        [-1],
        BOTH | HOPE,
        [OUT_OF_SHORT, (2, 5, 96, TAKE_PROFIT)],
        1020,
        {AMBIGUOUS: 1},
    ),
    Case(
        "open beyond the stop with the target in the bar: the open comes first -> sold at 97, loss 15, nothing unsure",
        [100, 100, (97, 105, 96, 100)],
        [1],
        BOTH | HOPE,
        [IN, (2, -5, 97, STOP)],
        985,
        {AMBIGUOUS: 0},
    ),
    Case(
        "open beyond the target with the stop in the bar: sold at 106, gain 30, nothing unsure",
        [100, 100, (106, 107, 97, 100)],
        [1],
        BOTH,
        [IN, (2, -5, 106, TAKE_PROFIT)],
        1030,
        {AMBIGUOUS: 0},
    ),
    Case(
        "stop nearer than the trailing stop: 98 before 95 -> loss 10",
        [100, 100, (100, 100, 90, 90)],
        [1],
        S2 | T5,
        [IN, (2, -5, 98, STOP)],
        990,
    ),
    Case(
        "stop and trailing stop at one price: 95 counts as the stop -> loss 25",
        [100, 100, (100, 100, 90, 90)],
        [1],
        {"stop_distance": 0.05} | T5,
        [IN, (2, -5, 95, STOP)],
        975,
    ),
    Case(
        "trailing stop drawn over the stop: best 104 draws it to 98.8, over 98 -> loss 6",
        [100, (100, 104, 100, 104), (104, 104, 97, 97)],
        [1],
        S2 | T5,
        [IN, (2, -5, 98.8, TRAILING_STOP)],
        994,
    ),
]

CASES = [*STOPS, *TARGETS, *ORDER_INSIDE]
