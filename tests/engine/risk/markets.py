"""A small recorded market of two instruments, one of them on three venues, one with a gap."""

from __future__ import annotations

import numpy as np
from barstep.engine.bars import Bars
from barstep.engine.feeds import FeedSources

HOUR_US = 3_600_000_000


def bars_of(seed: int, count: int, *, symbol: str, venue: str = "first", first: int = 0) -> Bars:
    """Hours of a walk."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.cumprod(1.0 + 0.01 * random.standard_normal(count))
    opened = close * (1.0 + 0.002 * random.standard_normal(count))
    high, low = np.maximum(opened, close) * 1.003, np.minimum(opened, close) * 0.997
    times = (first + np.arange(count)) * HOUR_US
    volume = random.uniform(1.0, 2.0, count)
    return Bars.from_arrays(times, opened, high, low, close, volume, interval_seconds=3_600, symbol=symbol, venue=venue)


def sources(count: int = 200) -> FeedSources:
    """ONE with a second venue and a fallback, TWO with five bars missing."""
    one, two = bars_of(1, count, symbol="ONE"), bars_of(2, count, symbol="TWO")
    away = np.delete(np.arange(count), np.arange(50, 55))
    return FeedSources(
        base_interval_seconds=3_600,
        primary={"ONE": one, "TWO": two.take(away)},
        secondary={"ONE": near(one, 3, "second")},
        fallback={"ONE": near(one, 4, "third")},
    )


def near(bars: Bars, seed: int, venue: str) -> Bars:
    """The same instrument elsewhere, some basis points away."""
    basis = 1.0 + 0.001 * np.random.default_rng(seed).standard_normal(len(bars))
    opened, high, low, close = (bars.values[row] * basis for row in range(4))
    return Bars.from_arrays(
        bars.ts_us, opened, high, low, close, bars.values[4], interval_seconds=3_600, symbol=bars.symbol, venue=venue
    )
