"""The shares of capital over time: areas of schedules that stand on one another, and what is left in cash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..engine.bars import Floats, Integers
from .downsample import held_means
from .sheet import Sheet
from .stack import parts

CASH = "cash"
"""What is left over; its area has a colour of its own name."""


@dataclass(frozen=True)
class Shares:
    """Steps over time.

    Attributes:
        names: Schedules, those with most capital first, perhaps the others together; then cash.
        ts_us: int64[n], when each step begins, in microseconds since the epoch.
        heights: float64[n] of each name, percent of capital.
    """

    names: list[str]
    ts_us: Integers
    heights: list[Floats]


def shares(sheet: Sheet, table: pl.DataFrame, steps: int) -> Shares:
    """The shares of capital in at most so many steps; where there were more refreshes, means over time."""
    whole = parts(table)
    first_us, last_us = int(sheet.ts_us[0]), int(sheet.ts_us[-1]) + sheet.interval_seconds * 1_000_000
    ts_us = np.clip(table["time"].to_physical().to_numpy(), first_us, last_us)  # the first may be before the bars
    changed = _changes(np.array(list(whole.values())))
    times, thinned = held_means(ts_us[changed], {name: each[changed] for name, each in whole.items()}, last_us, steps)
    given = list(thinned.values())
    left = np.maximum(100.0 - np.sum(given, axis=0), 0.0)  # weights sum to 1 at most, but for their rounding
    return Shares([*thinned, CASH], times, [*given, left])


def _changes(heights: Floats) -> Integers:
    """Places of the first refresh and of those after which a share is another. heights: float64[name, refresh]."""
    return np.flatnonzero(np.append(True, (np.diff(heights, axis=1) != 0.0).any(axis=0)))
