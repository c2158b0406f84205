"""What a loop says first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...engine.bars import Bars
from ...engine.scheduler.live_setup import LivePlan, set_up_live
from ..channel.messages import VERSION, Book, Hello, Leg


def legs_of(plan: LivePlan) -> list[Leg]:
    """What is watched and traded: the instruments, the second legs of pairs, and the fallbacks of instruments."""
    primary, secondary = list(plan.primary), list(plan.secondary)
    first = [
        Leg(
            name=name,
            venue=feed.venue,
            symbol=feed.symbol or name,
            pair=len(primary) + secondary.index(name) if name in secondary else -1,
        )
        for name, feed in plan.primary.items()
    ]
    second = [
        Leg(name=f"{feed.venue}:{name}", venue=feed.venue, symbol=feed.symbol or name)
        for name, feed in plan.secondary.items()
    ]
    fallbacks = [
        Leg(name=f"fallback:{name}", venue=feed.venue, symbol=feed.symbol or name)
        for name, feed in plan.fallback.items()
    ]
    return first + second + fallbacks


def hello_of(
    plan: LivePlan,
    run: str,
    options: Mapping[str, Any],
    *,
    done_us: int = -1,
    reports: int = 0,
    waiting: Iterable[str] = (),
) -> Hello:
    """The first message of a loop, of a run that is new or goes on.

    Args:
        plan: What it trades.
        run: The id of its journal.
        options: Fields of `Execution`.
        done_us: The last instant that is done; -1: none.
        reports: How many reports it has.
        waiting: Ids of the orders that it waits for.
    """
    legs = legs_of(plan)
    empty = [_no_bars(leg, plan.interval_seconds) for leg in legs]
    setup = set_up_live(plan, empty[: len(plan.names)], 0, 0, **options)
    book = Book(
        capital=setup.execution.capital,
        schedules=list(setup.schedules),
        order=setup.order.tolist(),
        instruments=len(setup.instruments),
        rules=setup.rules[:, 0].tolist(),
    )
    return Hello(
        version=VERSION,
        run=run,
        interval_seconds=plan.interval_seconds,
        legs=legs,
        book=book,
        done_us=done_us,
        reports=reports,
        waiting=list(waiting),
    )


def _no_bars(leg: Leg, interval_seconds: int) -> Bars:
    return Bars.from_arrays([], [], [], [], [], interval_seconds=interval_seconds, symbol=leg.name, venue=leg.venue)
