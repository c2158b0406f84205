"""Fewer points keep what a line shows."""

from __future__ import annotations

import numpy as np
from barstep.report.downsample import envelopes, held_means, m4, means
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


@given(st.integers(1, 400), st.integers(1, 30), st.integers(0, 99))
def test_columns_on_one_axis_keep_the_envelope_of_each(n: int, spans: int, seed: int) -> None:
    """A band between two curves keeps, in every span, the lowest and the highest of both."""
    times, low = series(n, seed)
    both = {"low": low, "high": low + np.random.default_rng(seed).integers(0, 9, n)}
    kept, columns = envelopes(times, both, spans)
    places = np.searchsorted(times, kept)
    span = np.minimum((times - times[0]) / (float(times[-1] - times[0]) or 1.0) * spans, spans - 1).astype(int)
    for name, values in both.items():
        np.testing.assert_array_equal(columns[name], values[places])
        for each in set(span.tolist()):
            inside, drawn = values[span == each], columns[name][span[places] == each]
            assert (drawn.min(), drawn.max()) == (inside.min(), inside.max())


@given(st.integers(1, 400), st.integers(1, 30), st.integers(0, 99))
def test_means_of_spans(n: int, spans: int, seed: int) -> None:
    """Each span has the mean of its values, at the time of the first, found here by a plain loop."""
    times, values = series(n, seed)
    at, columns = means(times, {"y": values}, spans)
    if n <= spans:
        assert (at.tolist(), columns["y"].tolist()) == (times.tolist(), values.tolist())
        return
    found: dict[int, list[int]] = {}
    for place in range(n):
        share = (times[place] - times[0]) / float(times[-1] - times[0])
        found.setdefault(min(int(share * spans), spans - 1), []).append(place)
    assert at.tolist() == [times[inside[0]] for inside in found.values()]
    expected = [sum(values[place] for place in inside) / len(inside) for inside in found.values()]
    np.testing.assert_allclose(columns["y"], expected, rtol=1e-12, atol=1e-12)


def test_no_times_have_no_means() -> None:
    """Nothing is thinned to nothing."""
    times, values = series(0, 1)
    assert means(times, {"y": values}, 5)[0].size == 0


@given(st.integers(1, 200), st.integers(1, 30), st.integers(0, 99))
def test_steps_become_means_over_time(n: int, spans: int, seed: int) -> None:
    """Each span has the mean of what held in each of its instants, found here instant by instant; few steps stay."""
    times, values = series(n, seed)
    end = int(times[0]) + spans * (1 + int(times[-1] + 7 - times[0]) // spans)  # so that spans begin at instants
    at, columns = held_means(times, {"y": values}, end, spans)
    if n <= spans:
        assert (at.tolist(), columns["y"].tolist()) == (times.tolist(), values.tolist())
        return
    held = np.array([values[np.searchsorted(times, instant, "right") - 1] for instant in range(int(times[0]), end)])
    np.testing.assert_allclose(columns["y"], held.reshape(spans, -1).mean(axis=1), rtol=1e-9, atol=1e-9)
    assert at.tolist() == list(range(int(times[0]), end, held.size // spans))
