"""backtesting.py, asked for what barstep does as far as its strategy may ask for it.

- Levels stand off the price of the fill. Those of a market order are given with the order, so that its own bar is
  watched; the strategy is told the next open for that. Where the order would be refused with them, and for a limit
  order, they are set at the close of the entry's bar.
- A position is left, or turned, by `position.close()`, which goes to the head of the queue; an order to the other side
  alone would be behind the stop.
- A level that has closed a position is not followed by a new order until the wish changes.
- The trailing stop is `trade.sl`, drawn after each close. Limit orders are cancelled when the wish changes.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import pandas as pd
from backtesting import Backtest, Strategy, backtesting
from rules import Rules
from trades import FEE, UNITS, Exit, History, Run, Setting, Trade

RULES = Rules(gapped_entry_bar=False, limit_entry_bar=False, target_at_open=False, trail_inside_bar=False)

backtesting._tqdm = lambda bars, **_: bars  # a bar of progress for each of a thousand runs


class Follower(Strategy):
    """Follows the wishes."""

    history: History | None = None  # a parameter must be there before `run` gives it
    setting: Setting | None = None

    def init(self) -> None:
        self.followed = 0.0
        self.peak = 0.0
        self.ordered_out: dict[int, int] = {}
        """Bar of the entry → bar at whose close the order to leave was given."""

    def next(self) -> None:
        bar = len(self.data) - 1
        wish = float(self.history.wishes[bar])
        if wish == self.followed:
            self._draw(bar)
            return
        self.followed = wish
        for order in self.orders:
            if not order.is_contingent:
                order.cancel()
        for trade in self.trades:
            self.ordered_out[trade.entry_bar] = bar
            trade.close()
        if wish and bar + 1 < len(self.history):
            self._enter(bar, wish)

    def _enter(self, bar: int, side: float) -> None:
        offset = self.setting.shares()[3]
        order = partial(self.buy if side > 0.0 else self.sell, size=UNITS)
        if offset:
            order(limit=self.history.limit_price(bar, side, offset))
            return
        price = float(self.history.opens[bar + 1])
        stop, goal = self._levels(side, price, price)
        try:
            order(sl=stop, tp=goal)
        except ValueError:  # seen from the last close, a level lies on the wrong side
            order()

    def _levels(self, side: float, entry: float, peak: float) -> tuple[float | None, float | None]:
        """The nearer of stop and trailing stop, and the target."""
        stop, target, trail, _ = self.setting.shares()
        stops = [price * (1.0 - side * share) for price, share in ((entry, stop), (peak, trail)) if share]
        nearest = max(stops, key=lambda level: side * level, default=None)
        return nearest, entry * (1.0 + side * target) if target else None

    def _draw(self, bar: int) -> None:
        """Set the levels of the position on hand, the trailing one after the best price so far."""
        for trade in self.trades:
            side = 1.0 if trade.is_long else -1.0
            best = self.data.High[-1] if side > 0.0 else self.data.Low[-1]
            if trade.entry_bar == bar:
                self.peak = trade.entry_price
                if trade.entry_price != self.data.Open[-1]:
                    best = self.data.Close[-1]  # the limit was met on the way, the best price perhaps before it
            self.peak = side * max(side * self.peak, side * best)
            stop, goal = self._levels(side, trade.entry_price, self.peak)
            if trade.sl != stop:
                trade.sl = stop
            if trade.tp != goal:
                trade.tp = goal


def run(history: History, setting: Setting) -> Run:
    frame = pd.DataFrame(
        {"Open": history.opens, "High": history.highs, "Low": history.lows, "Close": history.closes},
        pd.to_datetime(history.times_us, unit="us"),
    )
    test = Backtest(frame, Follower, cash=history.cash, commission=FEE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas' future, and of what is compared here
        warnings.filterwarnings("error", message=r".*Broker canceled")
        stats = test.run(history=history, setting=setting)
    ended = stats["_strategy"].ordered_out
    trades = [_closed(row, ended) for row in stats["_trades"].to_dict("records")]
    trades += [Trade(_side(t.size), t.entry_bar, t.entry_price, None) for t in stats["_strategy"].trades]
    return Run(sorted(trades, key=lambda trade: trade.bar), float(stats["Equity Final [$]"]))


def _side(size: float) -> float:
    return 1.0 if size > 0 else -1.0


def _closed(row: dict[str, Any], ordered_out: dict[int, int]) -> Trade:
    side, bar, price = _side(row["Size"]), row["ExitBar"], row["ExitPrice"]
    if ordered_out.get(row["EntryBar"]) == bar - 1:
        reason = "order"
    else:
        reason = "stop" if row["SL"] is not None and side * (price - row["SL"]) <= 0.0 else "target"
    return Trade(side, row["EntryBar"], row["EntryPrice"], Exit(bar, price, reason))
