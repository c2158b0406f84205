"""A run whose event time goes with the clock, whether or not the loop is there; orders are filled late or never."""

from __future__ import annotations

import heapq
import math

import numpy as np

from ...engine.bars import Integers
from ...kernels.account import FEE, LOT, MAX_AGE_BARS, SLIPPAGE
from ..channel.messages import Fill, Hello, Order
from .draws import Fate, SoFar, fate, so_far
from .legs import Legs
from .manner import Manner
from .run import Run

_BPS = 1e-4


class PacedRun(Run):
    """Orders on hand and what is still to happen to them.

    Attributes:
        instants: int64[·], opens, closes and steps.
        moments: int64[·], these and the times of unfinished bars.
    """

    def __init__(self, hello: Hello, legs: Legs, instants: Integers, manner: Manner, now_us: int) -> None:
        """now_us: time on the clock, at which the first instant is."""
        super().__init__(hello.run, legs)
        self.instants = instants
        self.moments = _with_updates(legs, instants, manner.updates)
        self._hello, self._manner = hello, manner
        self._began_us = now_us
        self._fates: dict[str, Fate] = {}
        self._actions: list[tuple[int, int, str]] = []
        self._counted = 0

    def event_us(self, now_us: int) -> int:
        """Event time; it stands still after the last instant."""
        gone_us = max(now_us - self._began_us, 0) * self._manner.speed
        first, last = int(self.instants[0]), int(self.instants[-1])
        return last if gone_us >= last - first else first + int(gone_us)

    def is_finished(self, now_us: int) -> bool:
        """Whether the last instant has come."""
        return self.event_us(now_us) == int(self.instants[-1])

    def clock_us(self, event_us: int) -> int:
        """When the clock lets an instant come."""
        return self._began_us + math.ceil((event_us - int(self.instants[0])) / self._manner.speed)

    def action_us(self) -> int | None:
        """When the next thing happens to an order; None where nothing does."""
        return self._actions[0][0] if self._actions else None

    def advance(self, until_us: int) -> None:
        """Let happen to orders what happens up to an instant."""
        while self._actions and self._actions[0][0] <= until_us:
            at_us, _, order_id = heapq.heappop(self._actions)
            entry = self.ledger.entries[order_id]
            if not entry.is_open:
                continue
            if entry.status is None:
                self._accept(entry.order, at_us)
            else:
                self._fill(entry.order, at_us)

    def so_far(self, leg: int, at_us: int) -> tuple[int, SoFar] | None:
        """When the bar that is open at an instant opened, and what is known of it; None where there is none."""
        place = self.legs.open_at(leg, at_us)
        if place is None:
            return None
        own = self.legs.bars[leg]
        return int(own.ts_us[place]), so_far(own, place, at_us, self._manner.seed)

    def refusal(self, order: Order) -> str:
        """Why an order cannot be taken; empty where it can."""
        book, legs = self._hello.book, self._hello.legs
        known = 0 <= order.schedule < len(book.schedules) and 0 <= order.leg < book.instruments and order.lots != 0
        return "" if known and not (order.pair and legs[order.leg].pair < 0) else "invalid"

    def put(self, order: Order, at_us: int) -> None:
        """Take an order on its way: it is accepted after half of the latency."""
        manner = self._manner
        self._fates[order.order_id] = fate(
            order.order_id, order.lots, reject=manner.reject, partial=manner.partial, seed=manner.seed
        )
        self._act(at_us + manner.latency_us // 2, order)

    def take_back(self, order: Order) -> None:
        """Take an order away: what was to happen to it does not, since it has ended."""
        self._fates.pop(order.order_id, None)

    def _act(self, at_us: int, order: Order) -> None:
        self._counted += 1
        heapq.heappush(self._actions, (at_us, self._counted, order.order_id))

    def _accept(self, order: Order, at_us: int) -> None:
        if self._fates[order.order_id].is_rejected:
            self.ledger.report(order.order_id, at_us, "rejected", reason="venue")
            return
        self.ledger.report(order.order_id, at_us, "accepted", left=order.lots)
        self._act(at_us + self._manner.latency_us - self._manner.latency_us // 2, order)

    def _fill(self, order: Order, at_us: int) -> None:
        """Trade a part where all legs have a price, else wait for their next open; give it up where it is too old."""
        rules, legs = self._hello.book.rules[order.schedule], [order.leg]
        if order.pair:
            legs.append(self._hello.legs[order.leg].pair)
        if not order.never_ages and at_us // self.legs.interval_us - order.decided > rules[MAX_AGE_BARS]:
            self.ledger.report(order.order_id, at_us, "abandoned", reason="age")
            return
        prices = [found[1].close for leg in legs if (found := self.so_far(leg, at_us)) is not None]
        if len(prices) < len(legs):
            following = self._next_open_us(legs, at_us)
            if following is not None:
                self._act(following, order)
            return
        done = self.ledger.entries[order.order_id].filled_lots
        parts = self._fates[order.order_id].parts
        lots = parts[0] if done == 0 else order.lots - done
        left = order.lots - done - lots
        fills = [
            self._trade(leg, side, price, rules) for leg, side, price in zip(legs, (lots, -lots), prices, strict=False)
        ]
        self.ledger.report(order.order_id, at_us, "partial" if left else "filled", fills=fills, left=left)
        if left:
            self._act(at_us + max(self._manner.latency_us, self.legs.interval_us // 8), order)

    def _trade(self, leg: int, lots: int, reference: float, rules: list[float]) -> Fill:
        bps = self._manner.slippage_bps
        worse = rules[SLIPPAGE] if bps is None else bps * _BPS
        price = reference * (1.0 + worse if lots > 0 else 1.0 - worse)
        fee = abs(lots * rules[LOT] * price) * rules[FEE]
        return Fill(leg=leg, lots=lots, price=price, fee=fee, reference=reference)

    def _next_open_us(self, legs: list[int], after_us: int) -> int | None:
        """The next instant at which one of the legs opens a bar."""
        opens = [self.legs.bars[leg].ts_us for leg in legs]
        places = [int(np.searchsorted(own, after_us, "right")) for own in opens]
        return min((int(own[at]) for own, at in zip(opens, places, strict=True) if at < own.size), default=None)


def _with_updates(legs: Legs, instants: Integers, updates: int) -> Integers:
    """Instants, and the times inside bars at which they are told of."""
    opens = np.unique(np.concatenate([own.ts_us for own in legs.bars]))
    inside = [opens + legs.interval_us * k // (updates + 1) for k in range(1, updates + 1)]
    every: Integers = np.unique(np.concatenate([instants, *inside]))
    within: Integers = every[(every >= instants[0]) & (every <= instants[-1])]
    return within
