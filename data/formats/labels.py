"""Whether times mark the start or the end of a bar, told from where trading sessions begin and end.

Sessions open and close on the half hour. With start labels the first bar after a break carries the half hour and the
last bar before it lies one interval short of one; with end labels it is the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..durations import MICROSECONDS, MINUTE
from .table import Label

_MARK_US = 30 * MINUTE * MICROSECONDS
_FEWEST_BREAKS = 3
_CLEAR_MAJORITY = 5


@dataclass(frozen=True)
class LabelEvidence:
    """How many breaks between sessions speak for each label, and the verdict; None where they are too few."""

    breaks: int
    for_start: int
    for_end: int
    label: Label | None


def weigh_labels(times_us: NDArray[np.int64], interval_seconds: int) -> LabelEvidence:
    """Weigh the breaks of half an hour and more in sorted times.

    Bars of half an hour and longer lie on the mark either way, and give no evidence.
    """
    interval_us = interval_seconds * MICROSECONDS
    if interval_us * 2 > _MARK_US or times_us.size < 2:
        return LabelEvidence(0, 0, 0, None)
    at = np.flatnonzero(np.diff(times_us) >= _MARK_US)
    before, after = times_us[at], times_us[at + 1]
    for_start = int(np.count_nonzero(((before + interval_us) % _MARK_US == 0) & (after % _MARK_US == 0)))
    for_end = int(np.count_nonzero((before % _MARK_US == 0) & ((after - interval_us) % _MARK_US == 0)))
    label: Label | None = None
    if for_start >= _FEWEST_BREAKS and for_start >= _CLEAR_MAJORITY * for_end:
        label = "start"
    elif for_end >= _FEWEST_BREAKS and for_end >= _CLEAR_MAJORITY * for_start:
        label = "end"
    return LabelEvidence(int(at.size), for_start, for_end, label)
