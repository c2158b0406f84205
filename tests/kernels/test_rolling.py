"""Rolling mean, deviation and z-score: what holds beside the contract."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import rolling
from barstep.kernels.moments import MEAN_CARRY, MOMENTS_CARRY
from contract import POISON, assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel

VALUES = np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
CLOSE = walk(200).close


def mean(values: Floats, window: int) -> Floats:
    out = np.full(values.size, POISON)
    rolling.rolling_mean(values, window, np.zeros(MEAN_CARRY), out, 0, values.size)
    return out


def std(values: Floats, window: int, ddof: int = 0) -> Floats:
    out = np.full(values.size, POISON)
    rolling.rolling_std(values, window, ddof, np.zeros(MOMENTS_CARRY), out, 0, values.size)
    return out


def zscore(values: Floats, window: int) -> Floats:
    out = np.full(values.size, POISON)
    rolling.zscore(values, window, np.zeros(MOMENTS_CARRY), out, 0, values.size)
    return out


def test_known_values() -> None:
    """The textbook's eight numbers have the mean 5 and the deviation 2, so that 9 is two deviations off."""
    assert mean(VALUES, 8)[7] == 5.0
    assert std(VALUES, 8)[7] == 2.0
    assert zscore(VALUES, 8)[7] == 2.0
    assert mean(VALUES, 2).tolist()[1:] == [3.0, 4.0, 4.0, 4.5, 5.0, 6.0, 8.0]
    assert std(VALUES, 8, ddof=1)[7] == pytest.approx(np.sqrt(32 / 7), abs=1e-15)


def test_a_window_of_one() -> None:
    """One value is its own mean and has no deviation, so no z-score."""
    assert_same_bits(mean(CLOSE, 1), CLOSE, "mean of one")
    assert (std(CLOSE, 1) == 0.0).all()
    assert np.isnan(zscore(CLOSE, 1)).all()


@pytest.mark.parametrize("window", [200, 201, 10_000])
def test_a_window_longer_than_the_data(window: int) -> None:
    """Only a window that has filled gives a value, at the last bar if it is just as long."""
    for measure in (mean, std, zscore):
        assert np.isnan(measure(CLOSE, window)).sum() == (199 if window == 200 else 200)


@pytest.mark.parametrize("price", [0.0, 100.0, 50_000.01, 1e8 + 0.1, 1e-7])
def test_a_flat_window_has_no_spread(price: float) -> None:
    """Its deviation is exactly zero and its z-score NaN, also where a walk came before."""
    values = np.concatenate((CLOSE, np.full(60, price)))
    assert (std(values, 17)[216:] == 0.0).all()
    assert np.isnan(zscore(values, 17)[216:]).all()
    assert (mean(values, 17)[216 + 17 :] == price).all()


@given(window=st.integers(2, 60), factor=st.sampled_from([2.0**k for k in (-20, -1, 1, 20)]))
def test_a_zscore_has_no_unit(window: int, factor: float) -> None:
    """In another unit (a power of two, which rounds nothing) every z-score has the same bits."""
    assert_same_bits(zscore(CLOSE * factor, window), zscore(CLOSE, window), f"times {factor}")


@given(window=st.integers(2, 60))
def test_a_mirrored_price_has_the_mirrored_zscore(window: int) -> None:
    """Minus the price has minus the z-score, to the bit: rounding knows no side."""
    assert np.array_equal(zscore(-CLOSE, window), -zscore(CLOSE, window), equal_nan=True)


@given(window=st.integers(2, 60))
def test_a_zscore_cannot_be_greater_than_its_window_allows(window: int) -> None:
    """|z| is at most the root of the window less one (Samuelson 1968)."""
    spiked = np.where(np.arange(200) % 61 == 60, 1e7, CLOSE)
    got = zscore(spiked, window)
    assert (np.abs(got[window - 1 :]) <= np.sqrt(window - 1.0) * (1.0 + 1e-12)).all()
    assert np.abs(got[60:120]).max() == pytest.approx(np.sqrt(window - 1.0), rel=1e-6)


@given(window=st.integers(2, 60), ddof=st.integers(0, 1))
def test_the_variance_is_the_square_of_the_deviation(window: int, ddof: int) -> None:
    """Both kernels tell of one spread."""
    out = np.full(200, POISON)
    rolling.rolling_variance(CLOSE, window, ddof, np.zeros(MOMENTS_CARRY), out, 0, 200)
    assert_close(std(CLOSE, window, ddof) ** 2, out, 4e-16)


@pytest.mark.parametrize("length", [1, 2, 7, 100, 5000])
def test_the_scratch_may_have_any_length(length: int) -> None:
    """A fused kernel's scratch row, whatever its length, gives the same bits."""
    values, got = walk(3000).close, np.full((3, 3000), POISON)
    expected = np.full((3, 3000), POISON)
    for rows, size in ((got, length), (expected, 3000)):
        scratch = np.empty(size)
        rolling.fill_zscore(values, 0, 3000, 31, np.zeros(MOMENTS_CARRY), rows[0], scratch)
        rolling.fill_std(values, 0, 3000, 31, 1, 2.5, np.zeros(MOMENTS_CARRY), rows[1], scratch)
        rolling.fill_variance(values, 0, 3000, 31, 1, np.zeros(MOMENTS_CARRY), rows[2], scratch)
    assert_same_bits(got, expected, f"scratch of {length}")
