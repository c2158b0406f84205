"""How far two outputs are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def greatest_difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Greatest |ours - theirs| over the median |ours|; infinite where the shapes or the places of NaN differ."""
    if ours.shape != theirs.shape or ours.size == 0:
        return np.inf
    gap = np.subtract(ours, theirs)
    known = ~np.isnan(gap)
    if not (known == ~np.isnan(ours)).all() or not (known == ~np.isnan(theirs)).all():
        return np.inf
    gap, ours = gap[known], ours[known]
    scale = float(np.median(np.abs(ours)))
    greatest = float(np.abs(gap).max())
    return greatest / scale if scale else greatest
