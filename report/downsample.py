"""Fewer points: those that draw the same line (M4: Jugel, Jerzak, Hackenbroich, Markl 2014, PVLDB 7), or means."""

from __future__ import annotations

from collections.abc import Mapping

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
    bucket = _spans_of(times, buckets)
    first = np.flatnonzero(np.diff(bucket, prepend=-1))
    last = np.append(first[1:], times.size) - 1
    by_value = np.lexsort((values, bucket))  # a bucket keeps its place, so its ends are its extremes
    return np.unique(np.concatenate((first, by_value[first], by_value[last], last)))


def envelopes(times: Integers, columns: Mapping[str, Floats], spans: int) -> tuple[Integers, dict[str, Floats]]:
    """Columns thinned by `m4`, each so that its line covers what it did, on the times that any of them needs."""
    places = [m4(times, values, spans) for values in columns.values()]
    kept = places[0] if len(places) == 1 else np.unique(np.concatenate(places))
    return times[kept], {name: values[kept] for name, values in columns.items()}


def means(times: Integers, columns: Mapping[str, Floats], spans: int) -> tuple[Integers, dict[str, Floats]]:
    """The mean of each of `spans` equal spans of time, at the time of its first value; all where there are no more."""
    if times.size <= spans:
        return times, dict(columns)
    first = np.flatnonzero(np.diff(_spans_of(times, spans), prepend=-1))
    counts = np.diff(first, append=times.size)
    return times[first], {name: np.add.reduceat(values, first) / counts for name, values in columns.items()}


def held_means(
    times: Integers, columns: Mapping[str, Floats], end: int, spans: int
) -> tuple[Integers, dict[str, Floats]]:
    """Steps as they are where there are no more than `spans`; else the mean over time of each of `spans` equal spans.

    Args:
        times: int64[n], rising: when each value begins to hold.
        columns: float64[n] by name.
        end: Until when the last value holds, in the unit of `times`.
        spans: Most steps.
    """
    if times.size <= spans:
        return times, dict(columns)
    edges = np.linspace(0.0, float(end - times[0]), spans + 1)
    begins = (times - times[0]).astype(np.float64)
    lengths = np.diff(begins, append=edges[-1])
    ends = np.append(begins, edges[-1])
    areas = {name: np.append(0.0, np.cumsum(values * lengths)) for name, values in columns.items()}
    # The area under steps is a line between their ends, so that it is exact at any edge.
    found = {name: np.diff(np.interp(edges, ends, area)) / np.diff(edges) for name, area in areas.items()}
    return times[0] + edges[:-1].astype(np.int64), found


def _spans_of(times: Integers, spans: int) -> Integers:
    """The span of time, of `spans` equal ones, that each time falls into."""
    whole = float(times[-1] - times[0])
    places: Integers = np.minimum((times - times[0]) / whole * spans, spans - 1).astype(np.int64)
    return places
