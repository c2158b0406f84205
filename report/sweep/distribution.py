"""How the metric is distributed over all rows, so that one sees whether the best is one of many or stands alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ...engine.bars import Floats
from ...engine.metrics import is_less_better
from ..texts import NOTHING, decimals, metric, unit
from .sheet import SweepSheet

MOST_BINS = 60
_EULER = 0.5772156649015329


@dataclass(frozen=True, eq=False)
class Distribution:
    """A metric over all rows that have a finite value of it.

    Attributes:
        counts: float64[bin].
        edges: float64[bin + 1].
        median: Of the values; NaN where there are none.
        best: Likewise.
        known: How many rows have a value.
        missing: How many have none.
        deviations: How many standard deviations the best lies beyond the mean; NaN where they do not differ.
    """

    counts: Floats
    edges: Floats
    median: float
    best: float
    known: int
    missing: int
    deviations: float


def distribution(sheet: SweepSheet) -> Distribution:
    """That of the report's metric."""
    values = sheet.values[np.isfinite(sheet.values)]
    missing = sheet.table.height - values.size
    if not values.size:
        return Distribution(np.zeros(0), np.zeros(1), math.nan, math.nan, 0, missing, math.nan)
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # all alike: a bar in the middle
        room = max(abs(high) * 0.01, 0.5)
        low, high = low - room, high + room
    counts, edges = np.histogram(values, bins=bins_of(values.size), range=(low, high))
    best = float(values.min() if is_less_better(sheet.by) else values.max())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    deviations = abs(best - float(values.mean())) / spread if spread > 0.0 else math.nan
    return Distribution(
        counts.astype(np.float64), edges, float(np.median(values)), best, values.size, missing, deviations
    )


def bins_of(count: int) -> int:
    """Twice the cube root of the number of values (Rice's rule)."""
    return min(MOST_BINS, math.ceil(2.0 * math.cbrt(count)))


def greatest_of(count: int) -> float:
    """How many standard deviations over its mean the greatest of independent normal draws is expected.

    Bailey and López de Prado 2014, J. Portfolio Management 40(5), the approximation of the false strategy theorem.
    """
    normal = NormalDist()
    return (1.0 - _EULER) * normal.inv_cdf(1.0 - 1.0 / count) + _EULER * normal.inv_cdf(1.0 - 1.0 / (count * math.e))


def words(sheet: SweepSheet, found: Distribution) -> str:
    """Where the best stands among all."""
    if not found.known:
        return "No row has a value of it."
    told = [f"Median {metric(sheet.by, found.median)}, best {metric(sheet.by, found.best)}."]
    values = sheet.values[np.isfinite(sheet.values)]
    if found.known > 1:
        low, high = np.quantile(values, (0.25, 0.75))
        told.append(f"Half of the rows lie between {decimals(low, 2)} and {decimals(high, 2)}{unit(sheet.by)}.")
    if np.isfinite(found.deviations):
        told.append(
            f"The best lies {decimals(found.deviations, 1)} standard deviations from the mean; of "
            f"{found.known:,} independent normal draws the furthest to one side is expected at "
            f"{decimals(greatest_of(found.known), 1)}."
        )
    if found.missing:
        told.append(f"{found.missing:,} of {sheet.table.height:,} rows have no value ({NOTHING}) and are not counted.")
    return " ".join(told)
