"""One closed bar as a loop in event time sees it."""

from __future__ import annotations

from typing import Literal

import msgspec

FeedRole = Literal["primary", "fallback", "secondary"]


class MarketSnapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A bar of an instrument that has closed.

    Attributes:
        instrument: The instrument's name, whatever its venue calls it.
        venue: Where these prices are from.
        feed: Which of the instrument's feeds gave it. `fallback` is a bar of the instrument like those of `primary`;
            `secondary` is one of the other venue of a pair.
        interval_seconds: Length of the bar.
        number: Open time over interval, whatever the history begins with.
        ts_us: Open time, in microseconds since the epoch, UTC.
        close_us: Close time; nothing is known of the bar before it.
        open: First price, in quote currency.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Base units traded; NaN where the source has none.
    """

    instrument: str
    venue: str
    feed: FeedRole
    interval_seconds: int
    number: int
    ts_us: int
    close_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
