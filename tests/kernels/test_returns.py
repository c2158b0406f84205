"""Returns: what holds beside the contract."""

from __future__ import annotations

import math

import numpy as np
import pytest
from barstep.kernels import returns
from contract import assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, long_log_ratio, walk

pytestmark = pytest.mark.unit_kernel

prices = st.floats(1e-6, 1e9)
SERIES_ENDS = 0.0598
"""Up to a log return of this size the series is used; beyond, the ratio is rounded before its logarithm is taken."""


def log_returns(close: Floats) -> Floats:
    out = np.full(close.size, 1e300)
    returns.log_returns(close, out, 0, close.size)
    return out


def momentum(close: Floats, window: int) -> Floats:
    out = np.full(close.size, 1e300)
    returns.momentum(close, window, out, 0, close.size)
    return out


def test_known_values() -> None:
    """A doubling is log 2 and 100 %; a price that stays has no return."""
    close = np.array([1.0, 2.0, 2.0, 1.0])
    assert log_returns(close)[1:].tolist() == [math.log(2.0), 0.0, -math.log(2.0)]
    assert momentum(close, 1)[1:].tolist() == [1.0, 0.0, -0.5]
    assert momentum(close, 2)[2:].tolist() == [1.0, -0.5]


def assert_is_the_logarithm(before: float, after: float) -> None:
    """Three last bits of the return itself, and beyond the series the rounding of a ratio near 1."""
    expected = long_log_ratio(np.array([before]), np.array([after]))
    size = np.abs(expected) + 0.2 * (np.abs(expected) > SERIES_ENDS)
    assert_close(np.array([returns.log_ratio(before, after)]), expected, 7e-16, size)


@given(before=prices, after=prices)
def test_log_ratio_is_the_logarithm(before: float, after: float) -> None:
    """For any two prices it is the logarithm in extended precision, to some last bits."""
    assert_is_the_logarithm(before, after)


@given(before=prices, change=st.floats(-0.2, 0.2))
def test_log_ratio_of_ordinary_moves(before: float, change: float) -> None:
    """Through the end of the series, at a move of 6 %, it stays as close."""
    assert_is_the_logarithm(before, before * (1.0 + change))


@given(before=prices, after=prices)
def test_there_and_back_is_nothing(before: float, after: float) -> None:
    """The return of the way back is minus that of the way there: exactly, in the series."""
    there, back = returns.log_ratio(before, after), returns.log_ratio(after, before)
    assert abs(there + back) <= (4e-16 * abs(there) + 3e-16 if abs(there) > SERIES_ENDS else 0.0)


def test_simple_returns_are_momentum_over_one_bar() -> None:
    """One formula serves both."""
    close, out = walk(50).close, np.empty(50)
    returns.simple_returns(close, out, 0, 50)
    assert_same_bits(out, momentum(close, 1), "simple")


@pytest.mark.parametrize("value", [0.0, -0.0, -5.0, np.nan, np.inf, -np.inf])
def test_a_price_that_is_none_gives_no_return(value: float) -> None:
    """Neither its bar nor the next has a return, and nothing bridges the gap."""
    close = walk(9).close
    close[4] = value
    assert np.flatnonzero(np.isnan(log_returns(close))).tolist() == [0, 4, 5]
    assert np.flatnonzero(np.isnan(momentum(close, 3))).tolist() == [0, 1, 2, 4, 7]


def test_prices_beyond_the_range_of_floats_give_no_return() -> None:
    """Where the sum of two closes is not a float the return is NaN, never a zero that looks like one."""
    assert np.isnan(log_returns(np.array([1.0e308, 1.1e308]))).all()


def test_one_jump_does_not_disturb_its_neighbours() -> None:
    """The returns around a jump are, to the bit, those of a series without it."""
    close = walk(90).close
    jumped = close.copy()
    jumped[40:] *= 2.0
    kept = np.arange(90) != 40
    assert_same_bits(log_returns(jumped)[kept], log_returns(close)[kept], "around the jump")
