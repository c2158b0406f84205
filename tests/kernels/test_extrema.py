"""Rolling extrema: what holds beside the contract."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import extrema
from contract import assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel

CLOSE = walk(120).close
windows = st.integers(1, 130)


def rolling(values: Floats, window: int, sign: float = 1.0) -> Floats:
    out = np.full(values.size, 1e300)
    kernel = extrema.rolling_max if sign > 0.0 else extrema.rolling_min
    kernel(values, window, out, 0, values.size)
    return out


def test_known_values() -> None:
    """The maximum and minimum of three are those that are seen at a glance."""
    values = np.array([3.0, 1.0, 2.0, 5.0, 4.0, 4.0, -1.0])
    assert rolling(values, 3)[2:].tolist() == [3.0, 5.0, 5.0, 5.0, 4.0]
    assert rolling(values, 3, -1.0)[2:].tolist() == [1.0, 1.0, 2.0, 4.0, -1.0]
    assert np.isnan(rolling(values, 3)[:2]).all()


@given(window=windows)
def test_both_methods_give_the_same_bits(window: int) -> None:
    """Doubling and van Herk's blocks do not differ in one bit, and neither do they from a scan of each window."""
    row = CLOSE.size - window + 1
    doubled, in_blocks = np.empty(max(row, 0)), np.empty(max(row, 0))
    extrema._fill_by_doubling(CLOSE, window - 1, window, 1.0, doubled)
    extrema._fill_by_blocks(CLOSE, window - 1, window, 1.0, in_blocks)
    scanned = np.array([CLOSE[bar : bar + window].max() for bar in range(row)])
    assert_same_bits(doubled, in_blocks, "doubled, in blocks")
    assert_same_bits(doubled, scanned, "doubled, scanned")


@given(window=windows, at=st.integers(0, 119))
def test_a_nan_leaves_with_its_window(window: int, at: int) -> None:
    """A NaN makes NaN of the windows that hold it and of no others."""
    values = CLOSE.copy()
    values[at] = np.nan
    expected = rolling(CLOSE, window)
    expected[at : at + window] = np.nan
    got = rolling(values, window)
    assert (np.isnan(got) == np.isnan(expected)).all()
    outside = np.ones(CLOSE.size, dtype=bool)
    outside[max(0, at - window + 1) : at + window] = False
    assert_same_bits(got[outside], expected[outside], "away from the NaN")


@given(window=windows)
def test_the_minimum_mirrors_the_maximum(window: int) -> None:
    """The minimum is minus the maximum of minus the values."""
    assert np.array_equal(rolling(CLOSE, window, -1.0), -rolling(-CLOSE, window), equal_nan=True)


@pytest.mark.parametrize("values", [[0.0, -0.0], [-0.0, 0.0], [-0.0, -0.0]])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_zero_has_no_sign(values: list[float], sign: float) -> None:
    """Of two zeros of either sign the extreme is 0.0, so that no cut can tell which came first."""
    assert_same_bits(rolling(np.array(values * 20), 2, sign)[1:], np.zeros(39), "zero")


def test_infinities_are_values() -> None:
    """An infinity is the maximum while it is in the window, and no longer."""
    values = np.array([1.0, np.inf, 2.0, 3.0, -np.inf, -np.inf])
    assert rolling(values, 2)[1:].tolist() == [np.inf, np.inf, 3.0, 3.0, -np.inf]
    assert rolling(values, 2, -1.0)[1:].tolist() == [1.0, 2.0, 2.0, -np.inf, -np.inf]


@given(window=windows, start=st.integers(0, 120), sign=st.sampled_from([1.0, -1.0]))
def test_the_prior_extreme_is_that_of_the_bar_before(window: int, start: int, sign: float) -> None:
    """What a bar compares itself with is the extreme as it stood one bar earlier."""
    prior = np.full(CLOSE.size - start, 1e300)
    extrema.fill_prior_extreme(CLOSE, start, prior.size, window, sign, prior)
    expected = np.append(np.nan, rolling(CLOSE, window, sign))[start : CLOSE.size]
    assert_same_bits(prior, expected, "prior")
