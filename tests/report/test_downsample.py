"""Fewer points keep what a line shows."""

from __future__ import annotations

import numpy as np
from barstep.report.downsample import m4
from hypothesis import given
from hypothesis import strategies as st


def series(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Times with gaps and values with many ties."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.choice([1, 1, 1, 50], n)), rng.integers(-5, 6, n).astype(float)


@given(st.integers(1, 400), st.integers(1, 30), st.integers(0, 99))
def test_each_span_keeps_its_ends_and_extremes(n: int, buckets: int, seed: int) -> None:
    """Of every span of time the first, last, lowest and highest value is kept, found here by a plain loop."""
    times, values = series(n, seed)
    places = m4(times, values, buckets)
    kept = set(places.tolist())
    span = float(times[-1] - times[0]) or 1.0
    spans: dict[int, list[int]] = {}
    for place in range(n):
        spans.setdefault(min(int((times[place] - times[0]) / span * buckets), buckets - 1), []).append(place)
    for inside in spans.values():
        assert {inside[0], inside[-1]} <= kept
        chosen = [values[place] for place in inside if place in kept]
        assert min(chosen) == min(values[inside])
        assert max(chosen) == max(values[inside])


@given(st.integers(0, 400), st.integers(1, 30), st.integers(0, 99))
def test_the_places_rise_and_are_few(n: int, buckets: int, seed: int) -> None:
    """There are at most four places a span, in order and none twice."""
    times, values = series(n, seed)
    places = m4(times, values, buckets)
    assert places.size <= 4 * buckets or places.size == n <= 4 * buckets
    assert (np.diff(places) > 0).all()


def test_a_short_series_is_kept_whole() -> None:
    """What already fits is not thinned."""
    times, values = series(40, 1)
    assert m4(times, values, 10).tolist() == list(range(40))
    assert m4(times[:0], values[:0], 10).size == 0


def test_the_last_of_many_bars_is_kept() -> None:
    """The greatest time belongs to the last span, not to one beyond it."""
    times, values = np.arange(100_000) * 60_000_000, np.zeros(100_000)
    places = m4(times, values, 10)
    assert (places[0], places[-1], places.size) == (0, 99_999, 20)
