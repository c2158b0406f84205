"""How a trade ends, by rules that can be turned one by one.

The engines agree but for these rules. A trade of an engine that does not end as its rules say is a difference that
nobody has explained.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from trades import Exit, History, Setting, Trade, same_exit

Candle = tuple[float, float, float, float]
"""Open, worst, best and close, multiplied by the side of who looks at them."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One engine's choices. With all of them true it is barstep, its ambiguous bars read pessimistically."""

    market_entry_bar: bool = True
    """The levels of a market order are watched from its own bar on."""
    gapped_entry_bar: bool = True
    """So they are where the open is so far off the close before it that this close lies beyond one of them."""
    limit_entry_bar: bool = True
    """So they are where the order was a limit, in what is left of its bar."""
    order_first: bool = True
    """An order to leave fills at the open, before any level inside the bar."""
    target_at_open: bool = True
    """A target that the open has passed fills there, though the bar goes on to the stop."""
    trail_counts_entry_bar: bool = True
    """The best price of the entry's own bar draws the trailing stop."""
    trail_inside_bar: bool = True
    """The trailing stop follows the open and the best price of a bar within that bar, not from the next one on."""


BARSTEP = Rules()


@dataclass
class _Position:
    """A position as it is watched; prices are multiplied by the side, so that more is better for shorts too."""

    side: float
    stop: float
    goal: float
    peak: float
    trail: float

    def level(self) -> float:
        """The nearer of stop and trailing stop."""
        return max(self.stop, self._drawn(self.peak)) if self.trail else self.stop

    def _drawn(self, peak: float) -> float:
        return peak * (1.0 - self.side * self.trail)

    def watch(self, candle: Candle, on_the_way: bool, rules: Rules) -> tuple[float, str] | None:
        """Price and reason of the level that the candle meets; `on_the_way`: the entry came after its open."""
        opening, worst, best, close = candle
        if self.trail and rules.trail_inside_bar and not on_the_way:
            self.peak = max(self.peak, opening)
        level = self.level()
        if not on_the_way and opening <= level:
            return opening, "stop"
        if not on_the_way and rules.target_at_open and opening >= self.goal:
            return opening, "target"
        if worst <= level:
            return level, "stop"
        missed = on_the_way and close < self.goal  # the best price came perhaps before the entry
        if best >= self.goal and not missed:
            return max(opening, self.goal) if not on_the_way else self.goal, "target"
        if self.trail and rules.trail_inside_bar:
            if best >= self.goal:
                worst = best = close
            drawn = self._drawn(best)
            met = worst <= drawn if not on_the_way else worst <= drawn < close
            if best > self.peak and met:
                return drawn, "stop"
        return None


def exit_by(rules: Rules, history: History, trade: Trade, setting: Setting) -> Exit | None:
    """How a trade that was entered so would end; None: it is still open at the end of the history."""
    stop, target, trail, _ = setting.shares()
    side, entry = trade.side, trade.side * trade.price
    position = _Position(
        side,
        entry * (1.0 - side * stop) if stop else -np.inf,
        entry * (1.0 + side * target) if target else np.inf,
        entry,
        trail,
    )
    leaves = _leaving_bar(history, trade)
    for bar in range(trade.bar, len(history)):
        candle = _seen_from(side, history, bar)
        opening, _, best, close = candle
        entering = bar == trade.bar
        on_the_way = entering and opening != entry
        if bar == leaves and rules.order_first:
            return Exit(bar, side * opening, "order")
        watched = not entering or _watches_entry(rules, history, trade, setting, position)
        if watched and (met := position.watch(candle, on_the_way, rules)):
            price, reason = met
            return Exit(bar, side * price, reason)
        if bar == leaves:
            return Exit(bar, side * opening, "order")
        if not entering or rules.trail_counts_entry_bar:
            position.peak = max(position.peak, close if on_the_way else best)
    return None


def responsible(theirs: Rules, history: History, trade: Trade, setting: Setting) -> str:
    """The rule that a difference is put down to: of theirs, turned to barstep's in order, the last that matters."""
    rules, last = theirs, ""
    before = exit_by(rules, history, trade, setting)
    for each in fields(Rules):
        rules = replace(rules, **{each.name: True})
        after = exit_by(rules, history, trade, setting)
        if not same_exit(before, after):
            last = each.name
        before = after
    return last


def _watches_entry(rules: Rules, history: History, trade: Trade, setting: Setting, position: _Position) -> bool:
    if setting.limit_pct:
        return rules.limit_entry_bar
    before = trade.side * float(history.closes[trade.bar - 1])
    gapped = not position.level() < before < position.goal
    return rules.market_entry_bar and (rules.gapped_entry_bar or not gapped)


def _leaving_bar(history: History, trade: Trade) -> int:
    """The bar at whose open the order to leave fills: the one after the first close that wishes another side."""
    other = history.wishes[trade.bar :] != trade.side
    return trade.bar + int(other.argmax()) + 1 if other.any() else len(history)


def _seen_from(side: float, history: History, bar: int) -> Candle:
    low, high = float(history.lows[bar]), float(history.highs[bar])
    worst, best = (low, high) if side > 0.0 else (-high, -low)
    return side * float(history.opens[bar]), worst, best, side * float(history.closes[bar])
