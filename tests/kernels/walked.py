"""A venue by other reasoning: prices walk through each bar along every order that its open, high, low and close allow.

A path is a list of prices with straight lines between them. Levels are met where a line crosses them. Each possible
path is walked to the close, and of those that differ the one that leaves the least money is taken (or the most). Orders
are for whole units, without costs; an order that adds to a position is not for this venue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from barstep.kernels.fill_kinds import LIMIT, MARKET, STOP, TAKE_PROFIT, TRAILING_STOP

Fill = tuple[float, float, float, float]
"""Bar, lots, price, kind."""


@dataclass(frozen=True)
class Levels:
    """Distances as shares; 0 is none."""

    stop: float = 0.0
    target: float = 0.0
    trail: float = 0.0
    offset: float = 0.0
    patience: float = 3.0
    optimistic: bool = False


@dataclass(frozen=True)
class Order:
    lots: int
    limit: float
    number: int
    wish_before: float


@dataclass(frozen=True)
class State:
    """An account between two prices."""

    cash: float = 0.0
    lots: int = 0
    entry: float = 0.0
    best: float = 0.0
    wish: float = 0.0
    closed_side: int = 0
    order: Order | None = None
    fills: tuple[Fill, ...] = field(default=())

    @property
    def side(self) -> int:
        return (self.lots > 0) - (self.lots < 0)

    def worth(self, price: float) -> float:
        return self.cash + self.lots * price


def _trade(state: State, bar: int, lots: int, price: float, kind: int) -> State:
    after = state.lots + lots
    opened = state.lots * after <= 0
    return replace(
        state, cash=state.cash - lots * price, lots=after, order=None,
        entry=price if opened else state.entry, best=price if opened else state.best,
        fills=(*state.fills, (float(bar), float(lots), price, float(kind))),
    )  # fmt: skip


def _close(state: State, bar: int, price: float, kind: int) -> State:
    return replace(_trade(state, bar, -state.lots, price, kind), closed_side=state.side)


def _stop(state: State, levels: Levels) -> tuple[float, int] | None:
    """The nearest level on the losing side, and its kind."""
    side, found = state.side, []
    if levels.stop:
        found.append((side * state.entry * (1.0 - side * levels.stop), 1, STOP))
    if levels.trail:
        found.append((side * state.best * (1.0 - side * levels.trail), 0, TRAILING_STOP))
    if not found:
        return None
    nearest, _, kind = max(found)
    return side * nearest, kind


def _see(state: State, bar: int, price: float, levels: Levels) -> State:
    """What a price does that is there at once, as an open is."""
    side = state.side
    if side == 0:
        return state
    stop = _stop(state, levels)
    if stop and side * price <= side * stop[0]:
        return _close(state, bar, price, stop[1])
    if levels.target and side * price >= side * state.entry * (1.0 + side * levels.target):
        return _close(state, bar, price, TAKE_PROFIT)
    return replace(state, best=side * max(side * state.best, side * price))


def _move(state: State, bar: int, start: float, end: float, levels: Levels) -> State:
    """Walk along a straight line: an order on hand first, then what is left of the way with the position."""
    order = state.order
    if order is not None:
        if not min(start, end) <= order.limit <= max(start, end):
            return state
        return _move(_trade(state, bar, order.lots, order.limit, LIMIT), bar, order.limit, end, levels)
    side = state.side
    if side == 0:
        return state
    if side * end < side * start:
        stop = _stop(state, levels)
        return _close(state, bar, *stop) if stop and side * end <= side * stop[0] else state
    goal = state.entry * (1.0 + side * levels.target)
    if levels.target and side * end >= side * goal:
        return _close(state, bar, goal, TAKE_PROFIT)
    return replace(state, best=side * max(side * state.best, side * end))


def _paths(state: State, opening: float, high: float, low: float, close: float) -> Iterator[list[float]]:
    """Every order of the bar's prices. An order may also fill on the first touch, before both the others."""
    yield [opening, low, high, close]
    yield [opening, high, low, close]
    if state.order is not None and low <= state.order.limit <= high:
        far = [high, low] if state.order.lots > 0 else [low, high]
        yield [opening, state.order.limit, *far, close]


def _through(state: State, bar: int, prices: Sequence[float], levels: Levels) -> tuple[State, bool]:
    """The state at the close, and whether the path mattered."""
    opening, close = prices[0], prices[3]
    order = state.order
    if order is not None and order.limit == 0.0:
        state = _trade(state, bar, order.lots, opening, MARKET)
    elif order is not None and (order.limit - opening) * order.lots >= 0.0:
        state = _trade(state, bar, order.lots, opening, LIMIT)
    state = _see(state, bar, opening, levels)
    ends = []
    for path in _paths(state, *prices):
        end = state
        for start, stop in pairwise(path):
            end = _move(end, bar, start, stop, levels)
        ends.append(end)
    worths = [(end.worth(close), len(end.fills)) for end in ends]  # of equal money the better is to be out
    chosen = (max if levels.optimistic else min)(worths)
    taken = [end for end, worth in zip(ends, worths, strict=True) if worth == chosen]
    return min(taken, key=lambda end: end.side * end.best), len(set(worths)) > 1  # of best prices the one that is sure


def walk(
    bars: Sequence[Sequence[float]], wishes: Sequence[float], numbers: Sequence[int], units: int, levels: Levels
) -> tuple[State, int]:
    """The account after the last bar, and how many bars were ambiguous."""
    state, ambiguous = State(), 0
    for bar, (prices, wish) in enumerate(zip(bars, wishes, strict=True)):
        order = state.order
        if order is not None and numbers[bar] - order.number > levels.patience:
            state = replace(state, order=None, wish=order.wish_before)
        state, mattered = _through(state, bar, prices, levels)
        ambiguous += mattered
        if wish * state.closed_side > 0:
            continue
        state = replace(state, closed_side=0)
        if wish != state.wish:
            state = _decide(state, wish, prices[3], numbers[bar], units, levels)
    return state, ambiguous


def _decide(state: State, wish: float, close: float, number: int, units: int, levels: Levels) -> State:
    before = state.wish if state.order is None else state.order.wish_before
    change = int(wish * units) - state.lots
    rests = levels.offset and state.lots == 0
    limit = close * (1.0 - levels.offset * ((change > 0) - (change < 0))) if rests else 0.0
    return replace(state, wish=wish, order=Order(change, limit, number, before) if change else None)
