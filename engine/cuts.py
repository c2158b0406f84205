"""Where an audit cuts a history: spread over all of it, and where something happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..kernels.columns import HIGH, LOW, RETURN, VOLUME
from .bars import Bars, Integers
from .tracks import Track

_DAY_US = 86_400_000_000
_OF_EACH_KIND = 4
"""Cuts at most for one kind of place; each place is cut before and after its bar."""


def cut_places(bars: Bars, tracks: Iterable[Track], count: int, first: int, rng: np.random.Generator) -> Integers:
    """int64[cut], rising: places of first bars that change, from `first` on, `count` at most.

    A third falls on places where something happens: ends of days and gaps, the greatest bars, and where outputs jump
    or change after long rest. The others are spread evenly, each somewhere in its stretch.
    """
    allowed = np.arange(max(first, 1), len(bars))
    if count >= allowed.size:
        return allowed
    special = np.unique(np.clip([*_of_bars(bars, rng), *_of_outputs(bars, tracks)], allowed[0], allowed[-1]))
    taken = rng.permutation(special)[: count // 3]
    edges = np.linspace(allowed[0], allowed[-1] + 1, count - taken.size + 1)
    spread = np.floor(rng.uniform(edges[:-1], edges[1:])).astype(np.int64)
    return np.unique(np.concatenate((taken, spread)))


def _of_bars(bars: Bars, rng: np.random.Generator) -> list[int]:
    """First bars of days and after gaps, and both sides of the greatest ones."""
    days = np.flatnonzero(np.diff(bars.ts_us // _DAY_US) != 0) + 1
    places = [*_some(days, rng), *_some(bars.segment_starts[1:], rng)]
    for row, sign in ((VOLUME, 1.0), (HIGH, 1.0), (LOW, -1.0), (RETURN, 1.0), (RETURN, -1.0)):
        values = np.nan_to_num(sign * bars.values[row], nan=-np.inf)
        places += _both_sides([int(values.argmax())])
    return places


def _of_outputs(bars: Bars, tracks: Iterable[Track]) -> list[int]:
    """Both sides of the rows at which outputs jump most."""
    places: list[int] = []
    for track in tracks:
        for values in track.columns.values():
            if values.dtype.kind not in "bif" or values.size < 2:
                continue
            jumps = np.abs(np.nan_to_num(np.diff(values.astype(np.float64)), posinf=0.0, neginf=0.0))
            largest = np.argsort(jumps)[-_OF_EACH_KIND:] + 1
            rows = largest[jumps[largest - 1] > 0.0]
            at = np.searchsorted(bars.closes_us, track.known_us[rows])
            places += _both_sides(at.tolist())
    return places


def _both_sides(places: Sequence[int]) -> list[int]:
    return [side for place in places for side in (place, place + 1)]


def _some(places: Integers, rng: np.random.Generator) -> list[int]:
    return [int(place) for place in rng.permutation(places)[:_OF_EACH_KIND]]
