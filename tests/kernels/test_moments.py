"""Bars have numbers: what a rolling kernel promises of histories that begin elsewhere, and across gaps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import references
from barstep.kernels import moments, rolling, wide
from contract import assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import FIRST_NUMBER, Floats, nasty, walk
from numpy.typing import NDArray

pytestmark = pytest.mark.unit_kernel

BARS = 300
Numbers = NDArray[np.int64]
Rolling = Callable[[Floats, int, Floats, Floats, int, int], Any]

KERNELS: dict[str, Rolling] = {
    "rolling_mean": rolling.rolling_mean,
    "rolling_variance": lambda v, w, carry, out, a, b: rolling.rolling_variance(v, w, 1, carry, out, a, b),
    "rolling_std": lambda v, w, carry, out, a, b: rolling.rolling_std(v, w, 0, carry, out, a, b),
    "zscore": rolling.zscore,
    "realized_volatility": lambda v, w, carry, out, a, b: rolling.realized_volatility(v, w, 93.6, carry, out, a, b),
    "zscore_wide": lambda v, w, carry, out, a, b: wide.zscore_wide(
        v.reshape(-1, 1), w, carry.reshape(-1, 1), out.reshape(-1, 1), a, b
    ),
}
every_kernel = pytest.mark.parametrize("name", KERNELS)
windows = st.integers(2, 40)


def rolled(name: str, values: Floats, numbers: Numbers, window: int) -> Floats:
    """The kernel over a history with these bar numbers, cut where they jump, as a caller has to."""
    out, carry = np.full(values.size, 1e300), np.zeros(moments.MOMENTS_CARRY)
    jumps = np.flatnonzero(np.diff(numbers) != 1) + 1
    for start, stop in pairwise([0, *jumps.tolist(), values.size]):
        carry[moments.NUMBER] = numbers[start]
        KERNELS[name](values, window, carry, out, start, stop)
    return out


def numbers_with_gaps(seed: int) -> Numbers:
    """From `FIRST_NUMBER` on, a jump of up to fifty at one bar in thirty."""
    rng = np.random.default_rng(seed)
    return int(FIRST_NUMBER) + np.cumsum(np.where(rng.random(BARS) < 1 / 30, rng.integers(2, 50, BARS), 1))


def with_faults(seed: int) -> Floats:
    """A walk with some NaNs, an infinity and a spike."""
    values, rng = walk(BARS, seed).close.copy(), np.random.default_rng(seed)
    values[rng.integers(0, BARS, 3)] = [np.nan, np.inf, 1e9]
    return values


@every_kernel
@given(window=windows, begin=st.integers(1, 200), seed=st.integers(0, 99), faulty=st.booleans())
def test_histories_agree_after_two_windows(name: str, window: int, begin: int, seed: int, faulty: bool) -> None:
    """Wherever a history begins, across gaps too, its outputs have the same bits after two windows of bars."""
    values = with_faults(seed) if faulty else walk(BARS, seed).close
    numbers = numbers_with_gaps(seed)
    long = rolled(name, values, numbers, window)
    short = rolled(name, values[begin:].copy(), numbers[begin:], window)
    settled = 2 * window
    if faulty:  # what is missing keeps a window from being full; the count of two windows begins after it
        missing = np.flatnonzero(~np.isfinite(values[begin : begin + settled]))
        settled += int(missing[-1]) + 1 if missing.size else 0
    assert_same_bits(short[settled:], long[begin + settled :], f"from bar {begin} on, after two windows")


@every_kernel
def test_it_is_the_number_that_makes_them_agree(name: str) -> None:
    """Were bars counted by their place, a history that begins five bars later would differ in some last bits."""
    values, numbers = walk(BARS).close, np.arange(BARS)
    long = rolled(name, values, numbers, 20)
    by_number = rolled(name, values[5:].copy(), numbers[5:], 20)
    by_place = rolled(name, values[5:].copy(), numbers[:-5], 20)
    assert_same_bits(by_number[40:], long[45:], "by number")
    assert (by_place[40:] != long[45:]).any()


@every_kernel
@given(window=windows, seed=st.integers(0, 99))
def test_a_gap_changes_no_value_but_in_its_last_bits(name: str, window: int, seed: int) -> None:
    """A window is of bars, not of time: a jump in the numbers moves the anchors, and nothing else."""
    values = walk(BARS, seed).close
    with_gaps, without = numbers_with_gaps(seed), np.arange(BARS)
    assert_close(rolled(name, values, with_gaps, window), rolled(name, values, without, window), 1e-12, 1e3)


@every_kernel
@pytest.mark.parametrize("number", [0, 1, 19, 20, 21, 10**9, -7, -20])
def test_any_first_number_will_do(name: str, number: int) -> None:
    """A bar before 1970 has a negative number, and one of seconds a great one: the values are the same."""
    values, numbers = walk(BARS).close, np.arange(BARS)
    assert_close(rolled(name, values, numbers + number, 20), rolled(name, values, numbers, 20), 1e-12, 1e3)


@pytest.mark.parametrize(("number", "window", "bars"), [(0, 10, 9), (9, 10, 0), (10, 10, 9), (13, 10, 6), (-3, 10, 2)])
def test_bars_to_the_next_anchor(number: int, window: int, bars: int) -> None:
    """After bar `number` so many may slide before the next multiple of the window."""
    assert moments._to_next_anchor(float(number), window) == bars


@given(n=st.integers(0, 40), reference=st.floats(-1e6, 1e6))
def test_sums_are_those_of_longdouble(n: int, reference: float) -> None:
    """Eight lanes and a rest make the sum, and the sum of squares, to some last bits of what is added up."""
    values = walk(40).close[:n]
    far = values.astype(np.longdouble) - reference
    got = np.array([moments.sum_from(values, reference), moments.squares_from(values, reference)])
    assert_close(got, np.array([far.sum(), (far**2).sum()]), 1e-14, np.array([np.abs(far).sum(), (far**2).sum()]))


@pytest.mark.parametrize("largest", [1e150, 1e153, 1e154, 1e307, 1.7e308])
@every_kernel
def test_sums_that_overflow_do_so_wherever_it_is_cut(name: str, largest: float) -> None:
    """One bar at a time and all at once."""
    for seed in range(40):
        values = largest * np.random.default_rng(seed).uniform(-1.0, 1.0, 24)
        got, carries = np.full((2, 24), 1e300), np.zeros((2, moments.MOMENTS_CARRY))
        KERNELS[name](values, 8, carries[0], got[0], 0, 24)
        for bar in range(24):
            KERNELS[name](values, 8, carries[1], got[1], bar, bar + 1)
        assert_same_bits(*np.where(np.isnan(got), np.nan, got), name)


@pytest.mark.parametrize("spike", [1e3, 1e6, 1e9])
def test_a_spike_leaves_with_its_window(spike: float) -> None:
    """Once a price that was a thousand to a billion times too high has left, z-scores are right to 1e-12 again."""
    values, window = walk(BARS).close.copy(), 30
    values[100] *= spike
    expected = references.zscore(values, window)
    got = rolled("zscore", values, np.arange(BARS), window)
    assert_close(got[130:], expected[130:], 1e-12, 1.0)


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
@every_kernel
def test_what_is_no_number_leaves_with_its_window(name: str, missing: float) -> None:
    """The windows that hold it are NaN, those that do not are as if it had never been."""
    values, window = walk(BARS).close.copy(), 25
    whole = rolled(name, values, np.arange(BARS), window)
    values[100] = missing
    got = rolled(name, values, np.arange(BARS), window)
    assert np.flatnonzero(np.isnan(got)).tolist() == [*range(window - 1), *range(100, 125)]
    assert_close(np.delete(got, range(100, 125)), np.delete(whole, range(100, 125)), 1e-12, 1e3)


@pytest.mark.parametrize("kind", ["flat", "offset_1e8", "tiny_spread"])
def test_mean_and_moments_tell_of_the_same_window(kind: str) -> None:
    """The value less the mean of `fill_mean` is the deviation of `fill_moments`, but for the rounding of a price."""
    values = nasty()[kind].close
    mean, deviation, std = np.empty((3, values.size))
    moments.fill_mean(values, 0, values.size, 9, np.zeros(moments.MEAN_CARRY), mean)
    carry = np.zeros(moments.MOMENTS_CARRY)
    moments.fill_moments(values, 0, values.size, 9, 0, True, 1.0, carry, deviation, std)
    assert_close(values - mean, deviation, 4e-16, np.abs(values))


@given(
    fast=st.integers(1, 40),
    slow=st.integers(1, 40),
    cuts=st.lists(st.integers(0, BARS), max_size=5),
    seed=st.integers(0, 9),
    number=st.integers(-50, 50),
)
def test_two_means_in_one_loop(fast: int, slow: int, cuts: list[int], seed: int, number: int) -> None:
    """Both have the bits that `fill_mean` gives them, wherever the loop is cut."""
    values, got = with_faults(seed), np.full((2, BARS), 1e300)
    carries = np.zeros((2, moments.MEAN_CARRY))
    carries[:, moments.NUMBER] = number
    for start, stop in pairwise([0, *sorted(cuts), BARS]):
        row = got[:, start:stop]
        moments.fill_two_means(values, start, stop - start, fast, carries[0], slow, carries[1], row[0], row[1])
    for mean, window in zip(got, (fast, slow), strict=True):
        assert_same_bits(mean, rolled("rolling_mean", values, number + np.arange(BARS), window), f"window {window}")
