"""Two venues side by side: a secondary venue's bars laid onto the primary's times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..kernels.columns import BAR_COLUMNS, CLOSE, OPEN, PAIR_COLUMNS, SECONDARY_CLOSE, SECONDARY_DELAY_MS
from .bars import Bars

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A primary's bars with the secondary's.

    Attributes:
        values: float64[PAIR_COLUMNS, bar]: the primary's columns, then the close of the secondary bar last closed at
            or before the primary's close and its age in ms (both NaN before the first).
        secondary_open: float64[bar]: open of the secondary bar that opens with the primary's, NaN where there is none.
        marks: float64[bar]: primary close less secondary close, what one unit held long and short is worth.
    """

    values: Floats
    secondary_open: Floats
    marks: Floats


def pair(primary: Bars, secondary: Bars) -> Pair:
    """Lay `secondary` onto the times of `primary`.

    Raises:
        DataError: The two have no time in common.
    """
    values = pair_values(primary, secondary, 0, len(primary))
    known = ~np.isnan(values[SECONDARY_CLOSE])
    if not known.any() or primary.ts_us[0] > secondary.ts_us[-1]:
        raise DataError(f"{primary!r} and {secondary!r} have no time in common; an arbitrage needs both venues at once")
    same = np.minimum(np.searchsorted(secondary.ts_us, primary.ts_us), len(secondary) - 1)
    opens_too = secondary.ts_us[same] == primary.ts_us
    secondary_open = np.where(opens_too, secondary.values[OPEN, same], np.nan)
    marks = np.where(known, values[CLOSE] - values[SECONDARY_CLOSE], 0.0)
    return Pair(values, secondary_open, marks)


def pair_values(primary: Bars, secondary: Bars, start: int, stop: int) -> Floats:
    """float64[PAIR_COLUMNS, stop - start]: `Pair.values` of the primary's bars start..stop."""
    closes = primary.closes_us[start:stop]
    last = np.searchsorted(secondary.closes_us, closes, side="right") - 1
    known = last >= 0
    values = np.full((PAIR_COLUMNS, stop - start), np.nan)
    values[:BAR_COLUMNS] = primary.values[:, start:stop]
    values[SECONDARY_CLOSE, known] = secondary.close[last[known]]
    values[SECONDARY_DELAY_MS, known] = (closes[known] - secondary.closes_us[last[known]]) / 1000.0
    return values
