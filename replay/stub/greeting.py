"""What a loop's first word must say for the venue to serve it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...kernels.account import HEDGED, LOT
from ...kernels.venue import VENUE_RULES
from ..channel.messages import VERSION, Hello, Refusal
from .account import not_plain


def refusal_of(hello: Hello, *, exact: bool) -> Refusal | None:
    """Why a loop cannot be served, as far as its own words tell; None where it can."""
    return next(_problems(hello, exact=exact), None)


def _problems(hello: Hello, *, exact: bool) -> Iterator[Refusal]:
    """Each one only where there is none before it."""
    book, legs, schedules = hello.book, hello.legs, len(hello.book.schedules)
    if hello.version != VERSION:
        text = f"version {hello.version} of the protocol; this venue speaks {VERSION}."
        yield Refusal(code="version", message=text)
    if hello.interval_seconds < 1 or not 0 < book.instruments <= len(legs):
        yield Refusal(code="book", message="an interval of a second or more is needed, and a leg that is traded.")
    if not schedules or sorted(book.order) != list(range(schedules)):
        yield Refusal(code="book", message="the order must name each schedule once, and there must be one.")
    if any(leg.pair >= len(legs) for leg in legs):
        yield Refusal(code="book", message=f"a pair's second leg is one of the {len(legs)} legs, or -1.")
    if len(book.rules) != schedules or any(len(row) != VENUE_RULES for row in book.rules):
        yield Refusal(code="book", message=f"each schedule has {VENUE_RULES} rules.")
    rules = np.array(book.rules)
    if not (rules[:, LOT] == rules[0, LOT]).all() or not rules[0, LOT] > 0.0:
        yield Refusal(code="book", message="the lot must be the same for all schedules, and above 0.")
    if (rules[:, HEDGED] != 0.0).any() and not any(leg.pair >= 0 for leg in legs):
        yield Refusal(code="book", message="a schedule trades pairs, and no leg has a second one.")
    more = not_plain(rules) if exact else []
    if more:
        text = f"{', '.join(more)}: an exact venue knows market orders that fill in full at the next open."
        yield Refusal(code="rules", message=text)
