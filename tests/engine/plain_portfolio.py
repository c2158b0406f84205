"""Weights over one cash account once more, in plain Python and instrument by instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from barstep.engine.bars import Bars, Floats
from barstep.engine.execution import Execution
from making import HOUR_US
from plain import paid_for, wanted_lots


@dataclass
class Holding:
    """One instrument: its bars by time, what is held of it, and the order on hand (wish, lots, hour of decision)."""

    prices: dict[int, tuple[float, float]]
    rules: Execution
    held: int = 0
    mark: float | None = None
    order: tuple[float, int, int] | None = None

    @property
    def worth(self) -> float:
        return self.held * self.rules.lot * (self.mark or 0.0)

    @property
    def lowers(self) -> bool:
        return self.order is not None and self.order[1] * self.held < 0


@dataclass
class PlainPortfolio:
    """Cash, holdings, and what came of following weights."""

    cash: float
    holdings: list[Holding]
    fills: list[tuple[int, int, float, float, float]] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)

    @property
    def value(self) -> float:
        return self.cash + sum(h.worth for h in self.holdings)

    def size(self, holding: Holding, wish: float, price: float, equity: float) -> int:
        return wanted_lots(wish, equity, price, holding.rules) - holding.held

    def fill(self, bar: int, place: int, opening: float, hour: int) -> None:
        holding = self.holdings[place]
        assert holding.order is not None
        _, lots, decided = holding.order
        holding.order, rules = None, holding.rules
        if hour - decided > rules.max_order_age_bars:
            return
        price = opening * (1.0 + math.copysign(rules.slippage_bps / 1e4, lots))
        others = [h for h in self.holdings if h is not holding]
        free = self.cash + sum(h.worth - abs(h.worth) for h in others)
        lots = paid_for(lots, holding.held, free, price, rules)
        if lots:
            fee = abs(lots) * rules.lot * price * rules.fee_bps / 1e4
            self.cash -= lots * rules.lot * price + fee
            holding.held += lots
            self.fills.append((bar, place, lots * rules.lot, price, fee))


def follow_weights(
    instruments: Sequence[Bars], weights: Floats, rules: Sequence[Execution], *, every: int, at_fill: bool
) -> PlainPortfolio:
    """Trade every weight that is said, at each bar whose number is a multiple of `every`."""
    opened = [
        dict(zip(b.ts_us.tolist(), zip(b.open.tolist(), b.close.tolist(), strict=True), strict=True))
        for b in instruments
    ]
    account = PlainPortfolio(rules[0].capital, [Holding(p, r) for p, r in zip(opened, rules, strict=True)])
    for bar, time in enumerate(sorted({t for p in opened for t in p})):
        hour = time // HOUR_US
        trading = [place for place, h in enumerate(account.holdings) if time in h.prices]
        for place in trading:
            account.holdings[place].mark = opened[place][time][0]
        value = account.value
        for holding in (account.holdings[place] for place in trading):
            if holding.order is not None and at_fill:
                wish, _, decided = holding.order
                holding.order = (wish, account.size(holding, wish, holding.mark or 0.0, value), decided)
            if holding.order is not None and holding.order[1] == 0:
                holding.order = None
        lowering = [place for place in trading if account.holdings[place].lowers]
        for place in lowering + [place for place in trading if place not in lowering]:
            if account.holdings[place].order is not None:
                account.fill(bar, place, opened[place][time][0], hour)
        for place in trading:
            account.holdings[place].mark = opened[place][time][1]
        value = account.value
        account.equity.append(value)
        for place, holding in enumerate(account.holdings):
            wish = float(weights[bar, place])
            if hour % every == 0 and not math.isnan(wish) and holding.mark is not None:
                lots = 0 if at_fill else account.size(holding, wish, holding.mark, value)
                holding.order = (wish, lots, hour)
    return account
