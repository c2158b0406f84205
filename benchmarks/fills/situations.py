"""What random histories cannot ask, because the rules differ there altogether: few bars each, expected by hand.

Bar 0 is only there because backtesting.py does not ask its strategy at it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose
from typing import Any

import barstep as bs
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from trades import TOLERANCE

Candle = float | tuple[float, float, float, float]
"""One price, or open, high, low and close."""
Row = tuple[int, float, float, int | None, float | None]
"""Bar and price of an entry, units (negative: short), bar and price of the exit (None: still open)."""
Orders = Callable[[Strategy, int], object]
"""What a strategy of backtesting.py does at the close of a bar."""

MINUTE_US = 60_000_000


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The same bars with barstep's options and wishes by bar, and with a strategy of backtesting.py and its options."""

    words: str
    candles: Sequence[Candle]
    wishes: Mapping[int, float]
    options: Mapping[str, Any] = field(default_factory=dict)
    ours: Sequence[Row]
    orders: Orders
    broker: Mapping[str, Any] = field(default_factory=dict)
    theirs: Sequence[Row]

    def differences(self) -> list[str]:
        """What did not come out as expected, one line each."""
        found = {"barstep": (self._run_ours(), self.ours), "backtesting.py": (self._run_theirs(), self.theirs)}
        return [
            f"{self.words}: {name} gave {got}; expected was {list(expected)}"
            for name, (got, expected) in found.items()
            if not _same(got, expected)
        ]

    def _rows(self) -> np.ndarray:
        return np.array([c if isinstance(c, tuple) else (c,) * 4 for c in self.candles], dtype=float).T

    def _run_ours(self) -> list[Row]:
        times = np.arange(len(self.candles), dtype=np.int64) * MINUTE_US
        bars = bs.Bars.from_arrays(times, *self._rows(), interval_seconds=60)
        wishes = np.zeros(times.size)
        for bar, wish in self.wishes.items():
            wishes[bar:] = wish
        options = {"capital": 1_000.0, "fee_bps": 0.0, "lot": 1.0, "units": 5.0, **self.options}
        rows = []
        for trade in bs.backtest(bars, wishes, **options).trades.to_dicts():
            entry, leave = (int(trade[name].timestamp()) // 60 for name in ("entry_time", "exit_time"))
            units = trade["quantity"] * (1.0 if trade["side"] == "long" else -1.0)
            left = (None, None) if trade["is_open"] else (leave, trade["exit_price"])
            rows.append((entry, trade["entry_price"], units, *left))
        return rows

    def _run_theirs(self) -> list[Row]:
        orders = self.orders

        class Follower(Strategy):
            def init(self) -> None:
                pass

            def next(self) -> None:
                orders(self, len(self.data) - 1)

        frame = pd.DataFrame(dict(zip(("Open", "High", "Low", "Close"), self._rows(), strict=True)))
        frame.index = pd.date_range("2020-01-01", periods=len(frame), freq="min")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of much of what is asked here
            stats = Backtest(frame, Follower, **{"cash": 1_000.0, **self.broker}).run()
        columns = ["EntryBar", "EntryPrice", "Size", "ExitBar", "ExitPrice"]
        rows = [tuple(row) for row in stats["_trades"][columns].to_numpy().tolist()]
        still = [(t.entry_bar, t.entry_price, t.size, None, None) for t in stats["_strategy"].trades]
        return sorted(rows + still, key=lambda row: row[0])


def _same(got: Sequence[Row], expected: Sequence[Row]) -> bool:
    return len(got) == len(expected) and all(
        one is other if None in (one, other) else isclose(one, other, rel_tol=TOLERANCE)
        for pair in zip(got, expected, strict=True)
        for one, other in zip(*pair, strict=True)
    )


def _at(bar: int, order: Callable[[Strategy], object]) -> Orders:
    return lambda strategy, now: order(strategy) if now == bar else None


def _in_turn(orders: Mapping[int, Callable[[Strategy], object]]) -> Orders:
    return lambda strategy, now: orders[now](strategy) if now in orders else None


def _buy_while_flat(strategy: Strategy, _: int) -> None:
    if not strategy.position:
        strategy.buy(size=5, sl=0.98 * strategy.data.Close[-1])


SITUATIONS = (
    Situation(
        words="a wish at the first bar: barstep trades it at the second, backtesting.py asks at the second",
        candles=[100, 101, 102],
        wishes={0: 1},
        ours=[(1, 101, 5, None, None)],
        orders=lambda strategy, _: None if strategy.position else strategy.buy(size=5),
        theirs=[(2, 102, 5, None, None)],
    ),
    Situation(
        words="a stop of 2 %: barstep's is off the fill at 101, one that a strategy can know is off the close at 100",
        candles=[100, 100, 101, (101, 101, 97, 97)],
        wishes={1: 1},
        options={"stop_loss_pct": 2},
        ours=[(2, 101, 5, 3, 98.98)],
        orders=_at(1, lambda strategy: strategy.buy(size=5, sl=98)),
        theirs=[(2, 101, 5, 3, 98)],
    ),
    Situation(
        words="after a stop the wish stands: barstep stays flat, a strategy that asks for its position buys again",
        candles=[100, 100, (100, 100, 97, 98), 98, 98],
        wishes={1: 1},
        options={"stop_loss_pct": 2},
        ours=[(2, 100, 5, 2, 98)],
        orders=_buy_while_flat,
        theirs=[(2, 100, 5, 2, 98), (3, 98, 5, None, None)],
    ),
    Situation(
        words="an order to the other side: barstep turns at the open, backtesting.py meets the stop of the bar first",
        candles=[100, 100, 100, (99, 99, 97, 98)],
        wishes={1: 1, 2: -1},
        options={"stop_loss_pct": 2},
        ours=[(2, 100, 5, 3, 99), (3, 99, -5, None, None)],
        orders=_in_turn({1: lambda s: s.buy(size=5, sl=98), 2: lambda s: s.sell(size=5)}),
        theirs=[(2, 100, 5, 3, 98), (3, 99, -5, None, None)],
    ),
    Situation(
        words="an order that adds: one position of 10 at 105 with one stop at 102.9, or two trades with a stop each",
        candles=[100, 100, 100, 110, (110, 110, 97, 97)],
        wishes={1: 1, 2: 2},
        options={"stop_loss_pct": 2, "capital": 10_000.0},
        ours=[(2, 105, 10, 4, 102.9)],
        orders=_in_turn({1: lambda s: s.buy(size=5, sl=98), 2: lambda s: s.buy(size=5, sl=98)}),
        broker={"cash": 10_000.0},
        theirs=[(2, 100, 5, 4, 98), (3, 110, 5, 4, 98)],
    ),
    Situation(
        words="a limit 1 % under the close that is not met for 3 bars: asked anew off the close of the fourth, or kept",
        candles=[100, 100, 110, 110, 110, 110, (110, 110, 108, 108), (99, 99, 98, 98)],
        wishes={1: 1},
        options={"limit_offset_bps": 100},
        ours=[(6, 108.9, 5, None, None)],
        orders=_at(1, lambda strategy: strategy.buy(size=5, limit=99)),
        theirs=[(7, 99, 5, None, None)],
    ),
    Situation(
        words="all of 1,000 at a close of 100 and an open of 90: 10 units, or as many as the open allows",
        candles=[100, 100, 90],
        wishes={1: 1},
        options={"units": None},
        ours=[(2, 90, 10, None, None)],
        orders=_at(1, lambda strategy: strategy.buy()),
        theirs=[(2, 90, 11, None, None)],
    ),
    Situation(
        words="11 units at 100 for 1,000: cut to 10, or no order at all",
        candles=[100, 100, 100],
        wishes={1: 1},
        options={"units": 11},
        ours=[(2, 100, 10, None, None)],
        orders=_at(1, lambda strategy: strategy.buy(size=11)),
        theirs=[],
    ),
    Situation(
        words="1 % worse: barstep's slippage on both market orders, backtesting.py's spread on the entry alone",
        candles=[100, 100, 100, 100],
        wishes={1: 1, 2: 0},
        options={"slippage_bps": 100},
        ours=[(2, 101, 5, 3, 99)],
        orders=_in_turn({1: lambda s: s.buy(size=5), 2: lambda s: s.position.close()}),
        broker={"spread": 0.01},
        theirs=[(2, 101, 5, 3, 100)],
    ),
    Situation(
        words="a limit at 99: barstep's slippage does not touch it, backtesting.py's spread makes it 99.99",
        candles=[100, 100, (100, 100, 98, 98)],
        wishes={1: 1},
        options={"limit_offset_bps": 100, "slippage_bps": 100},
        ours=[(2, 99, 5, None, None)],
        orders=_at(1, lambda strategy: strategy.buy(size=5, limit=99)),
        broker={"spread": 0.01},
        theirs=[(2, 99.99, 5, None, None)],
    ),
    Situation(
        words="trade_on_close fills a market order at the close that decided it; barstep never does",
        candles=[100, 100, 105],
        wishes={1: 1},
        ours=[(2, 105, 5, None, None)],
        orders=_at(1, lambda strategy: strategy.buy(size=5)),
        broker={"trade_on_close": True},
        theirs=[(1, 100, 5, None, None)],
    ),
    Situation(
        words="leverage 10, 12 % down: liquidated at 90 inside the bar, or closed where its close finds no equity",
        candles=[100, 100, 100, (100, 100, 85, 88)],
        wishes={1: 1},
        options={"leverage": 10, "units": 100},
        ours=[(2, 100, 100, 3, 90)],
        orders=_at(1, lambda strategy: strategy.buy(size=100)),
        broker={"margin": 0.1},
        theirs=[(2, 100, 100, 3, 88)],
    ),
)
