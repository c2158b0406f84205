"""Stops, take-profits and liquidation inside a bar, by walking the prices along both orders of its high and low."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from barstep.engine.execution import Execution
from plain_scheduler_fills import Account, Cell, on_grid, taken
from plain_scheduler_market import Quote


@dataclass(frozen=True)
class Way:
    """A position on its way through a bar: its best price, and once it is left, where and why."""

    best: float
    left_at: float = 0.0
    kind: str = ""


def watch(account: Account, cell: Cell, quote: Quote) -> None:
    """Fill a limit order; or close the position where the bar meets a level, on the worse of two ways through it."""
    if cell.order and cell.order.limit:
        account.fill_order(cell, quote)
    if not cell.lots or cell.asset.hedged:
        return
    side, rules = cell.side, cell.rules
    start = _see_open(cell, quote.open)
    ways = [
        _walk(cell, start, [quote.open, *middle, quote.close])
        for middle in ((quote.low, quote.high), (quote.high, quote.low))
    ]

    def money(way: Way) -> tuple[float, bool]:
        return side * (way.left_at if way.kind else quote.close), bool(way.kind)

    choose = max if rules.ambiguous_fills == "optimistic" else min
    way = choose(ways, key=money)
    cell.best = way.best
    if way.kind:
        _leave(account, cell, quote, way)


def _see_open(cell: Cell, price: float) -> Way:
    """The open comes first: beyond a level the position is left there, else it draws the trailing stop."""
    side = cell.side
    way = Way(best=side * max(side * cell.best, side * price)) if cell.rules.trailing_stop_pct else Way(cell.best)
    stop = _stop(cell, way.best)
    if stop and side * price <= side * stop[0]:
        return replace(way, left_at=price, kind=stop[1])
    goal = _goal(cell)
    if goal is not None and side * price >= side * goal:
        return replace(way, left_at=price, kind="take_profit")
    return way


def _walk(cell: Cell, way: Way, path: list[float]) -> Way:
    side, goal = cell.side, _goal(cell)
    for start, end in pairwise(path):
        if way.kind:
            return way
        if side * end < side * start:
            stop = _stop(cell, way.best)
            if stop and side * end <= side * stop[0]:
                way = replace(way, left_at=stop[0], kind=stop[1])
        elif goal is not None and side * end >= side * goal:
            way = replace(way, left_at=goal, kind="take_profit")
        else:
            way = replace(way, best=side * max(side * way.best, side * end))
    return way


def _stop(cell: Cell, best: float) -> tuple[float, str] | None:
    """The level on the losing side that is met first; of equal ones the stop, then the trailing stop."""
    side, rules, found = cell.side, cell.rules, []
    liquidation = liquidation_price(side, cell.entry, rules)
    if liquidation is not None:
        found.append((side * liquidation, 0, "liquidation"))
    if rules.trailing_stop_pct:
        found.append((side * best * (1.0 - side * rules.trailing_stop_pct / 100.0), 1, "trailing_stop"))
    if rules.stop_loss_pct:
        found.append((side * cell.entry * (1.0 - side * rules.stop_loss_pct / 100.0), 2, "stop"))
    if not found:
        return None
    nearest, _, kind = max(found)
    return side * nearest, kind


def has_levels(rules: Execution) -> bool:
    distances = rules.stop_loss_pct + rules.take_profit_pct + rules.trailing_stop_pct + rules.maintenance_margin_pct
    return distances > 0.0 or rules.leverage > 1.0


def liquidation_price(side: int, entry: float, rules: Execution) -> float | None:
    """Where the position's own margin, entry / leverage a unit, is down to its maintenance; None: nowhere."""
    maintenance = rules.maintenance_margin_pct / 100.0
    if rules.leverage == 1.0 and not (side < 0 and maintenance > 0.0):
        return None
    return entry * (1.0 - side / rules.leverage) / (1.0 - side * maintenance)


def _goal(cell: Cell) -> float | None:
    rules, side = cell.rules, cell.side
    if not rules.take_profit_pct:
        return None
    return on_grid(cell.entry * (1.0 + side * rules.take_profit_pct / 100.0), rules.tick, up=side > 0)


def _leave(account: Account, cell: Cell, quote: Quote, way: Way) -> None:
    """Close at a level. The order on hand is gone; where it was to turn the position, that is asked again."""
    rules, side = cell.rules, cell.side
    price, fee_bps = way.left_at, rules.fee_bps
    if way.kind == "take_profit":
        fee_bps = rules.fee_bps if rules.maker_fee_bps is None else rules.maker_fee_bps
    else:
        price = taken(price, -cell.lots, quote.volume, rules)
        fee_bps += rules.liquidation_fee_bps if way.kind == "liquidation" else 0.0
    account.book(cell, -cell.lots, price, way.left_at, fee_bps / 1e4, way.kind, quote.open_us)
    cell.stopped, cell.order, cell.target, cell.unset = side, None, 0.0, True
    cell.closed = cell.accepted * side > 0.0
    if not cell.closed:
        cell.accepted = 0.0
