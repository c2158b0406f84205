"""What a paced venue draws: of one seed, the same for a bar or an order whenever it is asked."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import numpy as np

from ...engine.bars import Bars
from ...kernels.columns import CLOSE, HIGH, LOW, OPEN, VOLUME


def generator(seed: int, *what: object) -> np.random.Generator:
    """A generator for one thing."""
    digest = sha256(repr((seed, *what)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


class SoFar(NamedTuple):
    """What is known of a bar that has not closed: prices in quote currency, volume in base units."""

    open: float
    high: float
    low: float
    close: float
    volume: float


def so_far(bars: Bars, place: int, at_us: int, seed: int) -> SoFar:
    """A bar as it stands at an instant: on a straight way over its high and its low, in an order that is drawn."""
    column = bars.values[:, place]
    opening, high, low, close = (float(column[row]) for row in (OPEN, HIGH, LOW, CLOSE))
    done = (at_us - int(bars.ts_us[place])) / (bars.interval_seconds * 1_000_000)
    rng = generator(seed, bars.venue, bars.symbol, int(bars.ts_us[place]))
    turns = np.sort(rng.uniform(0.0, 1.0, 2))
    extremes = (high, low) if rng.random() < 0.5 else (low, high)
    times, prices = [0.0, *turns.tolist(), 1.0], [opening, *extremes, close]
    last = float(np.interp(done, times, prices))
    seen = [last, *(price for time, price in zip(times, prices, strict=True) if time <= done)]
    return SoFar(opening, max(seen), min(seen), last, float(column[VOLUME]) * done)


class Fate(NamedTuple):
    """What becomes of an order at a paced venue: rejected, or filled in these parts."""

    is_rejected: bool
    parts: tuple[int, ...]


def fate(order_id: str, lots: int, *, reject: float, partial: float, seed: int) -> Fate:
    """Draw what becomes of an order."""
    rng = generator(seed, order_id)
    rejected, in_parts, share = rng.random(), rng.random(), rng.uniform(0.1, 0.9)
    if rejected < reject:
        return Fate(is_rejected=True, parts=())
    first = max(int(abs(lots) * share), 1) * (1 if lots > 0 else -1)
    if in_parts < partial and first != lots:
        return Fate(is_rejected=False, parts=(first, lots - first))
    return Fate(is_rejected=False, parts=(lots,))
