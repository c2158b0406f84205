"""Orders by hand: limits, prices of takers, ticks, lots, least values, cash, and shares of the volume."""

# fmt: off
from __future__ import annotations

from barstep.kernels.account import ABANDONED, DECIDED, LOTS, PENDING, SIGNALS, UNAFFORDABLE, WITHOUT_LOT
from barstep.kernels.fill_kinds import LIMIT, MARKET, STOP, TAKE_PROFIT
from barstep.kernels.venue import AMBIGUOUS, BELOW_MINIMUM, OVER_VOLUME
from venues import Case

IN = (1, 5.0, 100.0, MARKET)
L1 = {"limit_offset": 0.01}
HOPE = {"optimistic": 1.0}


def traded(price: float, volume: float) -> tuple[float, ...]:
    """A bar that stays at a price, and its volume."""
    return (price, price, price, price, volume)


LIMITS = [
    Case("limit reached: 1 % under 100 is 99, the low is 98 -> bought at 99 for 0.1 % of 495, worth 5 × 100",
         [100, (100, 101, 98, 100)], [1], L1 | {"maker_fee": 0.001, "fee": 0.01, "slippage": 0.01},
         [(1, 5, 99, LIMIT)], 1004.505),
    Case("limit at a better open: opens at 98.5 -> bought there", [100, (98.5, 101, 98, 100)], [1], L1,
         [(1, 5, 98.5, LIMIT)], 1007.5),
    Case("limit touched exactly: the low is 99 -> bought", [100, (100, 101, 99, 100)], [1], L1, [(1, 5, 99, LIMIT)],
         1005),
    Case("limit missed by a tick: the low is 99.01 -> waits", [100, (100, 101, 99.01, 100)], [1], L1, [], 1000,
         {PENDING: 5}),
    Case("limit of a short reached: 101, the high is 101.5 -> sold at 101, worth 5 more at 100",
         [100, (100, 101.5, 99, 100)], [-1], L1, [(1, -5, 101, LIMIT)], 1005),
    Case("limit of a short at a better open: opens at 103 -> sold there",
         [100, (103, 103, 99, 100)], [-1], L1, [(1, -5, 103, LIMIT)], 1015),
    Case("limit of a short missed by a tick: the high is 100.99 -> waits",
         [100, (100, 100.99, 99, 100)], [-1], L1, [], 1000, {PENDING: -5}),
    Case("limit reached at a later bar: three bars it waits -> bought in the third",
         [100, 100, 100, (100, 100, 98, 100)], [1], L1, [(3, 5, 99, LIMIT)], 1005, {SIGNALS: 1}),
    Case("limit too old is asked again: one bar it may wait; asked at the close of 104 -> 102.96, bought there",
         [100, 100, (100, 104, 100, 104), (104, 104, 102, 104)], [1], L1 | {"max_age_bars": 1},
         [(3, 5, 102.96, LIMIT)], 1005.2, {ABANDONED: 1, SIGNALS: 2}),
    Case("limit too old, the wish gone: nothing is asked again",
         [100, 100, 100, (100, 100, 90, 100)], [1, 1, 0], L1 | {"max_age_bars": 1}, [], 1000,
         {ABANDONED: 1, SIGNALS: 1}),
    Case("a wish that changes twice while nothing fills: 1, then 0.4, which grows too old, then 1 again -> asked again",
         [100, 100, 100, 100, (100, 100, 99, 100)], [1, 0.4, 0.4, 1], L1 | {"max_age_bars": 1},
         [(4, 5, 99, LIMIT)], 1005, {ABANDONED: 1, SIGNALS: 3}),
    Case("limit of another wish replaces the one on hand: 2 at 99 instead of 5",
         [100, 100, (100, 100, 99, 100)], [1, 0.4], L1, [(2, 2, 99, LIMIT)], 1002, {SIGNALS: 2}),
    Case("an order that closes has no limit: sold at the open of 99.5 for the taker's fee of 1 %, 4.975",
         [100, (99, 100, 99, 100), (99.5, 99.5, 99, 99)], [1, 0], L1 | {"fee": 0.01, "maker_fee": 0},
         [(1, 5, 99, LIMIT), (2, -5, 99.5, MARKET)], 997.525),
    Case("an order that flips has no limit: ten sold at the next open",
         [100, (99, 100, 99, 100), 99.5], [1, -1], L1, [(1, 5, 99, LIMIT), (2, -10, 99.5, MARKET)], 1002.5),
    Case("an order that adds has a limit: 99 again, missed at 99.5",
         [100, (99, 100, 99, 100), (99.5, 100, 99.5, 100)], [0.4, 1], L1, [(1, 2, 99, LIMIT)], 1002, {PENDING: 3}),
    Case("limit rounded: 1 % under 100.37 is 99.3663, down to 99.25 -> bought there",
         [100.37, (100, 100, 99.25, 100)], [1], L1 | {"tick": 0.25}, [(1, 5, 99.25, LIMIT)], 1003.75),
    Case("limit of a short rounded: 1 % over 100.37 is 101.3737, up to 101.5 -> sold there",
         [100.37, (100, 101.5, 100, 100)], [-1], L1 | {"tick": 0.25}, [(1, -5, 101.5, LIMIT)], 1007.5),
    Case("limit on a decimal grid touched exactly: 0.2997 up to 0.3, which is the high -> sold",
         [0.2997 / 1.01, (0.2, 0.3, 0.2, 0.2)], [-1], L1 | {"tick": 0.1}, [(1, -5, 0.3, LIMIT)], 1000.5),
]

LIMITS_AND_LEVELS = [
    Case("limit entry, then the stop: in at 99, 2 % under it is 97.02, the low is 97 -> loss 9.9, in no other order",
         [100, (100, 101, 97, 98)], [1], L1 | {"stop_distance": 0.02}, [(1, 5, 99, LIMIT), (1, -5, 97.02, STOP)],
         990.1, {AMBIGUOUS: 0}),
    Case("limit entry, then the target: 2 % over 99 is 100.98, closes at 101.5, surely after the entry -> gain 9.9",
         [100, (100, 102, 98.5, 101.5)], [1], L1 | {"take_profit_distance": 0.02},
         [(1, 5, 99, LIMIT), (1, -5, 100.98, TAKE_PROFIT)], 1009.9, {AMBIGUOUS: 0}),
    Case("limit entry, the target perhaps before: closes at 100 -> held, gain 5",
         [100, (100, 102, 98.5, 100)], [1], L1 | {"take_profit_distance": 0.02}, [(1, 5, 99, LIMIT)], 1005,
         {AMBIGUOUS: 1}),
    Case("limit entry, the target perhaps before, hoping: sold at 100.98, gain 9.9",
         [100, (100, 102, 98.5, 100)], [1], L1 | {"take_profit_distance": 0.02} | HOPE,
         [(1, 5, 99, LIMIT), (1, -5, 100.98, TAKE_PROFIT)], 1009.9, {AMBIGUOUS: 1}),
    Case("limit entry, stop and target in one bar: the worse is the stop, loss 9.9",
         [100, (100, 102, 97, 101.5)], [1], L1 | {"take_profit_distance": 0.02, "stop_distance": 0.02},
         [(1, 5, 99, LIMIT), (1, -5, 97.02, STOP)], 990.1, {AMBIGUOUS: 1}),
    Case("limit at the open, then the target: bought at 98, 2 % over it is 99.96, after the open for certain, gain 9.8",
         [100, (98, 100, 98, 98)], [1], L1 | {"take_profit_distance": 0.02},
         [(1, 5, 98, LIMIT), (1, -5, 99.96, TAKE_PROFIT)], 1009.8, {AMBIGUOUS: 0}),
    Case("a stop lies before the limit that would add: in at 97, stop 95.06, limit 93.12 -> stopped, nothing added",
         [100, (97, 97, 96, 96), (96, 96, 93, 94)], [0.5, 1],
         {"limit_offset": 0.03, "stop_distance": 0.02, "units": 10},
         [(1, 5, 97, LIMIT), (2, -5, 95.06, STOP)], 990.3, {AMBIGUOUS: 0, PENDING: 0}),
    Case("the limit that adds lies before the stop: 5 at 97 and 5 at 96.03 are 96.515, 4 % under is 92.6544 -> held",
         [100, (97, 99, 97, 99), (99, 99, 93, 94)], [0.5, 1],
         {"limit_offset": 0.03, "stop_distance": 0.04, "units": 10},
         [(1, 5, 97, LIMIT), (2, 5, 96.03, LIMIT)], 974.85, {AMBIGUOUS: 0}),
    Case("target or a limit that adds first: the target at 100.88 takes 5 × 3.88 = 19.4 and leaves no order",
         [100, (97, 99, 97, 99), (99, 102, 96, 98)], [0.5, 1],
         {"limit_offset": 0.03, "take_profit_distance": 0.04, "units": 10},
         [(1, 5, 97, LIMIT), (2, -5, 100.88, TAKE_PROFIT)], 1019.4, {AMBIGUOUS: 1, PENDING: 0}),
    Case("target or a limit that adds first, hoping: 10 at 96.515, sold 4 % over it at 100.3756, gain 38.606",
         [100, (97, 99, 97, 99), (99, 102, 96, 98)], [0.5, 1],
         {"limit_offset": 0.03, "take_profit_distance": 0.04, "units": 10} | HOPE,
         [(1, 5, 97, LIMIT), (2, 5, 96.03, LIMIT), (2, -10, 100.3756, TAKE_PROFIT)], 1038.606, {AMBIGUOUS: 1}),
]

PRICES = [
    Case("impact: 5 of a volume of 500 are a share of 0.01, its root 0.1, of 1 % -> bought at 100.1",
         [100, traded(100, 500)], [1], {"impact": 0.01}, [(1, 5, 100.1, MARKET)], 999.5),
    Case("volume slippage: 10 % of a share of 0.01 -> bought at 100.1",
         [100, traded(100, 500)], [1], {"volume_slippage": 0.1}, [(1, 5, 100.1, MARKET)], 999.5),
    Case("all slippage adds up: 0.2 %, 0.1 % by volume, 0.1 % of impact -> sold at 99.6",
         [100, traded(100, 500)], [-1], {"slippage": 0.002, "volume_slippage": 0.1, "impact": 0.01},
         [(1, -5, 99.6, MARKET)], 998),
    Case("no volume: an order counts as all of it -> impact of the whole 1 %",
         [100, traded(100, 0)], [1], {"impact": 0.01}, [(1, 5, 101, MARKET)], 995),
    Case("slippage of more than all: a sale gets nothing, and not less",
         [100, traded(100, 5), traded(100, 5)], [1, 0], {"volume_slippage": 0.5, "impact": 0.6, "units": 4},
         [(1, 4, 100 * (1 + 0.4 + 0.6 * 0.8**0.5), MARKET), (2, -4, 100 * (1 - 0.4 - 0.6 * 0.8**0.5), MARKET)],
         1000 - 8 * 100 * (0.4 + 0.6 * 0.8**0.5)),
    Case("tick: bought at 100.1, up to 100.25; sold at 110 less 0.1 % = 109.89, down to 109.75",
         [100, 100, 110], [1, 0], {"tick": 0.25, "slippage": 0.001},
         [(1, 5, 100.25, MARKET), (2, -5, 109.75, MARKET)], 1047.5),
    Case("a price on the grid stays on it: 0.7 by tenths", [0.7, 0.7], [1], {"tick": 0.1}, [(1, 5, 0.7, MARKET)], 1000),
]

SIZES = [
    Case("lot rounded to zero: 4.9 units in lots of 5", [100, 100, 100], [0.98], {"lot": 5}, [], 1000,
         {WITHOUT_LOT: 1, SIGNALS: 1}),
    Case("lots towards zero: 4.9 units in lots of 2 are 2 lots, of a short too",
         [100, 100], [-0.98], {"lot": 2}, [(1, -2, 100, MARKET)], 1000),
    Case("below the least value: 5 × 100 < 500.01 -> no order, and not asked again",
         [100, 100, 100, 200], [1], {"min_notional": 500.01}, [], 1000, {BELOW_MINIMUM: 1, SIGNALS: 1}),
    Case("just the least value: 5 × 100 is enough", [100, 100], [1], {"min_notional": 500}, [IN], 1000),
    Case("an order that closes is exempt: 5 × 60 = 300 < 500 is sold", [100, (100, 100, 60, 60), 60], [1, 0],
         {"min_notional": 500}, [IN, (2, -5, 60, MARKET)], 800, {BELOW_MINIMUM: 0}),
    Case("an order that only lowers is not: 2 of 5 are worth 200 < 500 -> kept", [100, 100, 100], [1, 0.6],
         {"min_notional": 500}, [IN], 1000, {BELOW_MINIMUM: 1, LOTS: 5}),
    Case("a flip is one order: 5 and 1 are worth 600 -> sold", [100, 100, 100], [1, -0.2], {"min_notional": 500},
         [IN, (2, -6, 100, MARKET)], 1000),
    Case("order cut by cash: 10 ordered at 100 open at 110, 1000 / 110 = 9.09 -> 9; worth 100 more at 120 - 10",
         [100, (110, 120, 110, 120)], [1], {"units": 10}, [(1, 9, 110, MARKET)], 1090, {UNAFFORDABLE: 1}),
    Case("fee within the cash: 10 at 100 and 100 % of fee, 1000 / 200 = 5; 500 of fee are gone",
         [100, 100], [1], {"units": 10, "fee": 1}, [IN], 500, {UNAFFORDABLE: 1}),
    Case("fee larger than the cash: a lot of 10 costs all, the fee of 1 % is too much -> nothing, asked again each bar",
         [100, 100, 100], [1], {"units": 10, "lot": 10, "fee": 0.01}, [], 1000, {UNAFFORDABLE: 2, SIGNALS: 3}),
    Case("flip within cash: short 10 from 100, flips at 180 with 200 left -> 10 back and 1 of 8 beyond",
         [100, 100, (100, 110, 100, 110), 180], [-1, -1, 0.8], {"units": 10},
         [(1, -10, 100, MARKET), (3, 11, 180, MARKET)], 200, {UNAFFORDABLE: 1}),
    Case("flip without cash: short 10 from 100, flips at 210 with -100 left -> the closing 10 and none beyond",
         [100, 100, (100, 110, 100, 110), 210], [-1, -1, 0.8], {"units": 10},
         [(1, -10, 100, MARKET), (3, 10, 210, MARKET)], -100, {UNAFFORDABLE: 1}),
]

HALF = {"max_volume_share": 0.1, "units": 10}
V40 = traded(100, 40)

VOLUMES = [
    Case("part of the volume, the rest carried: 10 % of 40 is 4 a bar -> 4, 4, 2",
         [V40] * 5, [1], HALF, [(1, 4, 100, MARKET), (2, 4, 100, MARKET), (3, 2, 100, MARKET)], 1000,
         {OVER_VOLUME: 2, SIGNALS: 1, PENDING: 0}),
    Case("part of the volume, the rest cancelled: 4", [V40] * 5, [1], HALF | {"carry_rest": 0}, [(1, 4, 100, MARKET)],
         1000, {OVER_VOLUME: 1, PENDING: 0}),
    Case("carried until too old: one bar it may wait, so bar 2 gives it up, and it is asked again -> 4, 4, 2",
         [V40] * 7, [1], HALF | {"max_age_bars": 1}, [(1, 4, 100, MARKET), (3, 4, 100, MARKET), (5, 2, 100, MARKET)],
         1000, {ABANDONED: 2, SIGNALS: 3}),
    Case("carried until too old, the wish gone to 0 meanwhile: the 4 that are held are sold",
         [V40] * 5, [1, 1, 0], HALF | {"max_age_bars": 1}, [(1, 4, 100, MARKET), (3, -4, 100, MARKET)], 1000,
         {LOTS: 0}),
    Case("an order to close carried until too old, the wish back at 1: the 6 that were sold are bought again",
         [traded(100, 100), traded(100, 100), V40, V40, V40, V40], [1, 0, 0, 1], HALF | {"max_age_bars": 1},
         [(1, 10, 100, MARKET), (2, -4, 100, MARKET), (4, 4, 100, MARKET)], 1000, {LOTS: 10, ABANDONED: 1}),
    Case("no volume in the bar: the order waits for the next one that has some",
         [V40, traded(100, 0), traded(100, 100)], [1], HALF, [(2, 10, 100, MARKET)], 1000, {OVER_VOLUME: 1}),
    Case("no volume and no carrying: the order is cancelled", [V40, traded(100, 0), traded(100, 100)], [1],
         HALF | {"carry_rest": 0}, [], 1000, {OVER_VOLUME: 1, PENDING: 0}),
    Case("a limit takes its part of the volume too: 4 at 99, and the rest waits at 99",
         [V40, (100, 100, 98, 100, 40), (100, 100, 99.5, 100, 40), (100, 100, 99, 100, 40)], [1], HALF | L1,
         [(1, 4, 99, LIMIT), (3, 4, 99, LIMIT)], 1008, {PENDING: 2}),
    Case("a part rounded to lots: 10 % of 48 is 4.8, in lots of 3 one of them", [V40, traded(100, 48)], [1],
         HALF | {"lot": 3}, [(1, 1, 100, MARKET)], 1000, {PENDING: 2}),
    Case("a stop is not held back: all 5 are sold in a bar of 10", [V40, traded(100, 50), (100, 100, 97, 97, 10)], [1],
         {"max_volume_share": 0.1, "stop_distance": 0.02}, [IN, (2, -5, 98, STOP)], 990),
    Case("a stop cancels what waits: 4 of 10 held are sold at 98, the 6 are gone",
         [V40, V40, (100, 100, 97, 97, 0), traded(97, 99)], [1], HALF | {"stop_distance": 0.02},
         [(1, 4, 100, MARKET), (2, -4, 98, STOP)], 992, {PENDING: 0}),
]

TIMES = [
    Case("an order on hand when the data end: five lots that no bar fills", [100, 100], [0, 1], {}, [], 1000,
         {PENDING: 5, DECIDED: 8}),
    Case("a gap of just the age: three bars later it still fills", [100, 100, 100], [1], {"tick": 0.01},
         [IN], 1000, {ABANDONED: 0}, numbers=[10, 13, 14]),
    Case("a gap longer than the age: four bars later it is given up, and asked again at that close",
         [100, 100, 100], [1], {"tick": 0.01}, [(2, 5, 100, MARKET)], 1000, {ABANDONED: 1, SIGNALS: 2},
         numbers=[10, 14, 15]),
    Case("a decision fills at the bar after: asked at the close of bar 1, bought at the open of bar 2",
         [100, (100, 105, 95, 101), 101], [0, 1, 1], {"tick": 0.01}, [(2, 5, 101, MARKET)], 1000),
    Case("a limit decided at a close is not filled by that bar's low: the low of 90 came before",
         [100, (100, 100, 90, 100), 100], [0, 1], L1, [], 1000, {PENDING: 5}),
]

CASES = [*LIMITS, *LIMITS_AND_LEVELS, *PRICES, *SIZES, *VOLUMES, *TIMES]
