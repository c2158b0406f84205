"""Margin, liquidation, funding and borrow cost, by hand."""

# fmt: off
from __future__ import annotations

from barstep.kernels.account import UNAFFORDABLE
from barstep.kernels.fill_kinds import BORROW_COST, FUNDING, LIQUIDATION, MARKET, STOP
from barstep.kernels.venue import STOPPED
from venues import Case

IN, SHORT = (1, 5.0, 100.0, MARKET), (1, -5.0, 100.0, MARKET)
TEN = {"leverage": 10, "maintenance": 0.005, "units": 50}
BIG, BIG_SHORT = (1, 50.0, 100.0, MARKET), (1, -50.0, 100.0, MARKET)
LONG_END, SHORT_END = 90 / 0.995, 110 / 1.005

MARGIN = [
    Case("liquidation inside the bar: 100 × 0.9 / 0.995 = 90.452 -> loss 50 × 9.548 = 477.4",
         [100, 100, (100, 100, 90, 91)], [1], TEN, [BIG, (2, -50, LONG_END, LIQUIDATION)], 1000 - 50 * (100 - LONG_END),
         {STOPPED: 1}),
    Case("liquidation missed: the low is 90.46 -> held, 91 is a loss of 450",
         [100, 100, (100, 100, 90.46, 91)], [1], TEN, [BIG], 550),
    Case("gap through the liquidation: opens at 85 -> sold there, loss 750",
         [100, 100, (85, 86, 84, 86)], [1], TEN, [BIG, (2, -50, 85, LIQUIDATION)], 250),
    Case("gap beyond all money: opens at 70 -> the account bears the loss of 1500",
         [100, 100, 70, 70], [1], TEN, [BIG, (2, -50, 70, LIQUIDATION)], -500),
    Case("liquidation fee: 1 % on top of 0.1 % of 50 × 85 = 46.75; the entry paid 5",
         [100, 100, (85, 86, 84, 86)], [1], TEN | {"liquidation_fee": 0.01, "fee": 0.001},
         [BIG, (2, -50, 85, LIQUIDATION)], 250 - 46.75 - 5),
    Case("stop before the liquidation: 95 comes first -> loss 250",
         [100, 100, (100, 100, 80, 80)], [1], TEN | {"stop_distance": 0.05}, [BIG, (2, -50, 95, STOP)], 750),
    Case("liquidation before the stop: at twenty times 95 comes before 92 -> loss 250",
         [100, 100, (100, 100, 80, 80)], [1], {"leverage": 20, "units": 50, "stop_distance": 0.08},
         [BIG, (2, -50, 95, LIQUIDATION)], 750),
    Case("liquidation of a short: 100 × 1.1 / 1.005 = 109.453 -> loss 50 × 9.453",
         [100, 100, (100, 112, 100, 111)], [-1], TEN, [BIG_SHORT, (2, 50, SHORT_END, LIQUIDATION)],
         1000 - 50 * (SHORT_END - 100)),
    Case("short squeeze: opens at 130 over the liquidation -> bought back there, loss 1500",
         [100, 100, (130, 140, 125, 125)], [-1], TEN, [BIG_SHORT, (2, 50, 130, LIQUIDATION)], -500, {STOPPED: -1}),
    Case("short without leverage, maintenance 5 %: 200 / 1.05 = 190.476 -> loss 5 × 90.476",
         [100, 100, (100, 200, 100, 200)], [-1], {"maintenance": 0.05},
         [SHORT, (2, 5, 200 / 1.05, LIQUIDATION)], 1000 - 5 * (200 / 1.05 - 100)),
    Case("short without leverage or maintenance: held through a doubling, loss 500",
         [100, 100, (100, 200, 100, 200)], [-1], {"stop_distance": 5}, [SHORT], 500),
    Case("long without leverage: never liquidated, 1 is left of 100",
         [100, 100, (100, 100, 1, 1)], [1], {"maintenance": 0.05}, [IN], 505),
    Case("leverage cut by margin: 100 asked, 50 × 100 bind 1000 at five times -> 50, liquidated at 80",
         [100, 100, (100, 100, 79, 79)], [1], {"leverage": 5, "units": 100}, [BIG, (2, -50, 80, LIQUIDATION)], 0,
         {UNAFFORDABLE: 1}),
    Case("leverage cut by margin and fee: 1000 / (20 + 1) = 47.6 -> 47, fee 47",
         [100, 100], [1], {"leverage": 5, "units": 100, "fee": 0.01}, [(1, 47, 100, MARKET)], 953, {UNAFFORDABLE: 1}),
    Case("leverage is margin, not size: a wish of all the equity is 10 lots at any leverage",
         [100, 100], [1], {"leverage": 5, "units": 0}, [(1, 10, 100, MARKET)], 1000, {UNAFFORDABLE: 0}),
]

F = {"tick": 0.01}

FUNDED = [
    Case("funding of a long: 0.1 % of 500 is paid, once", [100, 100, 100, 100], [1], F,
         [IN, (2, 0, 100, FUNDING)], 999.5, funding=[0, 0, 0.001]),
    Case("funding of a short: 0.1 % of 500 is earned", [100, 100, 100, 100], [-1], F,
         [SHORT, (2, 0, 100, FUNDING)], 1000.5, funding=[0, 0, 0.001]),
    Case("negative funding: a long earns", [100, 100, 100], [1], F, [IN, (2, 0, 100, FUNDING)], 1000.5,
         funding=[0, 0, -0.001]),
    Case("funding of nothing held: none at the bar of the entry, before it, or after the exit",
         [100] * 5, [0, 1, 0, 0], F, [(2, 5, 100, MARKET), (3, -5, 100, MARKET)], 1000,
         funding=[0.1, 0.1, 0.1, 0, 0.1]),
    Case("funding comes before the order of the open: held until there, so 5 × 110 × 1 % is paid; gain 50 - 5.5",
         [100, 100, 110], [1, 0], F, [IN, (2, 0, 110, FUNDING), (2, -5, 110, MARKET)], 1044.5, funding=[0, 0, 0.01]),
    Case("funding is by value at the open: 0.1 % of 5 × 120 is 0.6", [100, 100, (120, 130, 110, 120)], [1], F,
         [IN, (2, 0, 120, FUNDING)], 1099.4, funding=[0, 0, 0.001]),
    Case("funding at every bar: 0.5 three times", [100] * 5, [1], F,
         [IN, *[(bar, 0, 100, FUNDING) for bar in (2, 3, 4)]], 998.5, funding=[0.001] * 5),
    Case("funding, then a stop in the same bar: 0.5 and 10",
         [100, 100, (100, 100, 98, 98)], [1], {"stop_distance": 0.02},
         [IN, (2, 0, 100, FUNDING), (2, -5, 98, STOP)], 989.5, funding=[0, 0, 0.001]),
]

B = {"borrow_rate": 0.365}  # a thousandth a day

BORROWED = [
    Case("borrow over one midnight: 0.1 % of 500 at the open of hour 24", [100] * 4, [-1], B,
         [SHORT, (2, 0, 100, BORROW_COST)], 999.5, numbers=[22, 23, 24, 25]),
    Case("borrow over a weekend: from hour 23 to hour 96 are four midnights, 2.0", [100] * 3, [-1], B,
         [SHORT, (2, 0, 100, BORROW_COST)], 998, numbers=[22, 23, 96]),
    Case("borrow within a day: none", [100] * 4, [-1], B, [SHORT], 1000, numbers=[1, 2, 3, 23]),
    Case("borrow of a short sold at midnight: its first night is the next", [100] * 4, [-1], B, [SHORT], 1000,
         numbers=[23, 24, 25, 47]),
    Case("a long borrows nothing", [100] * 4, [1], B, [IN], 1000, numbers=[22, 23, 24, 48]),
    Case("borrow is by value at the open of the day: 0.1 % of 5 × 120 is 0.6",
         [100, 100, (120, 120, 100, 100)], [-1], B, [SHORT, (2, 0, 120, BORROW_COST)], 999.4, numbers=[22, 23, 24]),
    Case("borrow of daily bars: each is a night", [100] * 4, [-1], B | {"interval_days": 1},
         [SHORT, (2, 0, 100, BORROW_COST), (3, 0, 100, BORROW_COST)], 999),
    Case("borrow of weekly bars: each is seven nights", [100] * 3, [-1], B | {"interval_days": 7},
         [SHORT, (2, 0, 100, BORROW_COST)], 996.5),
    Case("borrow comes before the order of the open: bought back at midnight, that night is paid", [100] * 3, [-1, 0],
         B, [SHORT, (2, 0, 100, BORROW_COST), (2, 5, 100, MARKET)], 999.5, numbers=[22, 23, 24]),
    Case("funding and borrow at one open: 0.5 earned, 0.5 paid", [100] * 3, [-1], B,
         [SHORT, (2, 0, 100, FUNDING), (2, 0, 100, BORROW_COST)], 1000, numbers=[22, 23, 24], funding=[0, 0, 0.001]),
]

CASES = [*MARGIN, *FUNDED, *BORROWED]
