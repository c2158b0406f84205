"""What every engine is asked, and what each gives back: a setting, a history with wishes, and trades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNITS = 3
FEE = 1e-3
TOLERANCE = 1e-9
"""Of prices and equity, as a share of them."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Distances of the levels and of the limit, in percent; 0 is none."""

    name: str
    stop_pct: float = 0.0
    target_pct: float = 0.0
    trail_pct: float = 0.0
    limit_pct: float = 0.0

    def shares(self) -> tuple[float, float, float, float]:
        """Stop, target, trailing stop and limit as shares of a price."""
        return self.stop_pct * 1e-2, self.target_pct * 1e-2, self.trail_pct * 1e-2, self.limit_pct * 1e-2


@dataclass(frozen=True, kw_only=True)
class History:
    """Candles, their open times in microseconds, and the side wished at each close: -1, 0 or 1."""

    opens: Floats
    highs: Floats
    lows: Floats
    closes: Floats
    times_us: NDArray[np.int64]
    interval_seconds: int
    wishes: Floats

    def __len__(self) -> int:
        return self.closes.size

    @property
    def cash(self) -> float:
        """What an account begins with: enough for every loss, and little, so that a wrong fee shows in its equity."""
        return 20.0 * UNITS * float(self.highs.max())

    def limit_price(self, bar: int, side: float, offset: float) -> float:
        """Where an order decided at the close of `bar` rests."""
        return float(self.closes[bar]) * (1.0 - side * offset)


@dataclass(frozen=True)
class Exit:
    """How a trade ended: its bar, price and reason (order, stop or target; None where an engine does not tell)."""

    bar: int
    price: float
    reason: str | None


@dataclass(frozen=True)
class Trade:
    """One position of `UNITS` from its entry to its exit (None: still open)."""

    side: float
    bar: int
    price: float
    exit: Exit | None


@dataclass(frozen=True)
class Run:
    """What an engine made of a history."""

    trades: list[Trade]
    final_equity: float


def equity_of(trades: list[Trade], history: History) -> float:
    """Final equity by the trades alone: each pays the fee twice, an open one once, and is marked at the last close."""
    equity = history.cash
    for trade in trades:
        last = trade.exit.price if trade.exit else float(history.closes[-1])
        fees = trade.price + (last if trade.exit else 0.0)
        equity += UNITS * (trade.side * (last - trade.price) - FEE * fees)
    return equity


def same_exit(one: Exit | None, other: Exit | None) -> bool:
    """Whether two exits are of one bar, price and reason."""
    if one is None or other is None:
        return one is other
    told = one.reason is None or other.reason is None or one.reason == other.reason
    return told and one.bar == other.bar and abs(one.price - other.price) <= TOLERANCE * one.price
