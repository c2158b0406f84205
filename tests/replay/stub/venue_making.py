"""Small markets, books and first words for tests of the venue."""

from __future__ import annotations

from typing import Any

import numpy as np
from barstep.engine.bars import Bars
from barstep.engine.execution import Execution
from barstep.replay.channel.messages import VERSION, Book, Hello, Leg, Order, Orders
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.session import Session
from barstep.replay.stub.venue import StubVenue

MINUTE_US = 60_000_000
FIRST_US = 1_704_067_200_000_000
RUN = "ab" * 16


def bars_of(symbol: str = "BTC", venue: str = "v", count: int = 60, missing: tuple[int, ...] = ()) -> Bars:
    """Minutes that open at 100, 101, …, and close at the next one's open."""
    kept = np.array([k for k in range(count) if k not in missing])
    opens = 100.0 + kept
    return Bars.from_arrays(
        FIRST_US + kept * MINUTE_US, opens, opens + 3.0, opens - 2.0, opens + 1.0, np.full(kept.size, 10.0),
        interval_seconds=60, symbol=symbol, venue=venue,
    )  # fmt: skip


def hello(
    legs: tuple[str, ...] = ("BTC",),
    *,
    run: str = RUN,
    done_us: int = -1,
    reports: int = 0,
    waiting: tuple[str, ...] = (),
    **rules: Any,
) -> Hello:
    """Of one schedule that trades each leg by itself."""
    execution = Execution(lot=0.01, **rules)
    row = execution.rules(hedged=False, interval_seconds=60, funded=False).tolist()
    book = Book(capital=10_000.0, schedules=["s"], order=[0], instruments=len(legs), rules=[row])
    named = [Leg(name=name, venue="v", symbol=name) for name in legs]
    return Hello(
        version=VERSION, run=run, interval_seconds=60, legs=named, book=book, done_us=done_us, reports=reports,
        waiting=list(waiting),
    )  # fmt: skip


def instant(bar: int) -> int:
    """When a bar opens."""
    return FIRST_US + bar * MINUTE_US


def order(order_id: str, at_us: int, lots: int = 100, leg: int = 0, **more: Any) -> Order:
    """A market order that was decided at an instant."""
    decided = at_us // MINUTE_US - 1
    return Order(order_id=order_id, tag="1.ff", schedule=0, leg=leg, lots=lots, decided=decided, sent_us=at_us, **more)


def venue_of(*bars: Bars, **manner: Any) -> StubVenue:
    """A venue that begins after ten bars."""
    return StubVenue(Market(bars or [bars_of()]), Manner(**{"history_bars": 10, **manner}))


def opened(venue: StubVenue, said: Hello, now_us: int = 0) -> Session:
    """A session that was not refused."""
    session = venue.connect(said, now_us)
    assert isinstance(session, Session)
    return session


def orders(at_us: int, *given: Order, cancels: tuple[str, ...] = ()) -> Orders:
    """What a loop says when an instant is done."""
    return Orders(at_us=at_us, orders=list(given), cancels=list(cancels))
