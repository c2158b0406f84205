"""Fewer points that draw the same line: M4 (Jugel, Jerzak, Hackenbroich and Markl 2014, PVLDB 7)."""

from __future__ import annotations

import numpy as np

from ..engine.bars import Floats, Integers


def m4(times: Integers, values: Floats, buckets: int) -> Integers:
    """Places of the points to draw: the first, last, lowest and highest of each of `buckets` equal spans of time.

    A line through them covers the same pixels as a line through all, on a canvas of `buckets` columns.

    Args:
        times: int64[n], rising.
        values: float64[n].
        buckets: Number of spans.

    Returns:
        int64[<= 4 × buckets], rising; all places where there are not more of them than that.
    """
    if times.size <= 4 * buckets:
        return np.arange(times.size)
    span = float(times[-1] - times[0])
    bucket = np.minimum((times - times[0]) / span * buckets, buckets - 1).astype(np.int64)
    first = np.flatnonzero(np.diff(bucket, prepend=-1))
    last = np.append(first[1:], times.size) - 1
    by_value = np.lexsort((values, bucket))  # a bucket keeps its place, so its ends are its extremes
    return np.unique(np.concatenate((first, by_value[first], by_value[last], last)))
