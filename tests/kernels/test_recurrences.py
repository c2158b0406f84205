"""Averages without end: what holds beside the contract."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import recurrences
from contract import assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel

CLOSE = walk(100).close
shares = st.floats(1e-4, 1.0)


def ema(values: Floats, share: float) -> Floats:
    out = np.full(values.size, 1e300)
    recurrences.ema(values, share, np.zeros(recurrences.SMOOTHED_CARRY), out, 0, values.size)
    return out


def wilder(values: Floats, window: int) -> Floats:
    out = np.full(values.size, 1e300)
    recurrences.wilder(values, window, np.zeros(recurrences.SMOOTHED_CARRY), out, 0, values.size)
    return out


def test_known_values_of_the_exponential_average() -> None:
    """With half the weight on the newest value, the average goes half the way at each bar."""
    assert ema(np.array([1.0, 3.0, 5.0, 1.0]), 0.5).tolist() == [1.0, 2.0, 3.5, 2.25]


def test_known_values_of_wilders_average() -> None:
    """It begins with the mean of the window and goes a window's share of the way from there."""
    got = wilder(np.array([1.0, 2.0, 3.0, 8.0, 4.0]), 2)
    assert np.isnan(got[0])
    assert got[1:].tolist() == [1.5, 2.25, 5.125, 4.5625]


@given(share=shares)
def test_an_impulse_decays_by_the_same_share(share: float) -> None:
    """The weight of a value k bars ago is share · (1 - share)^k."""
    values = np.zeros(60)
    values[1] = 1.0
    assert_close(ema(values, share)[1:], share * (1.0 - share) ** np.arange(59), 1e-13)


@given(share=shares, missing=st.sets(st.integers(0, 99), max_size=40), value=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_missing_value_changes_nothing_that_follows(share: float, missing: set[int], value: float) -> None:
    """The averages of the other bars are, to the bit, those of a series without the missing ones."""
    at = np.array(sorted(missing), dtype=int)
    values = CLOSE.copy()
    values[at] = value
    for average in (lambda x: ema(x, share), lambda x: wilder(x, 9)):
        assert np.isnan(average(values)[at]).all()
        assert_same_bits(np.delete(average(values), at), average(np.delete(CLOSE, at)), "without the missing bars")


@given(share=shares)
def test_a_flat_series_stays_flat(share: float) -> None:
    """The average of one price is that price, but for its last bits over the share."""
    assert_close(ema(np.full(100, 123.45), share), np.full(100, 123.45), 2.3e-16 * (2.0 + 1.0 / share))


@given(share=shares)
def test_the_average_stays_within_the_values(share: float) -> None:
    """An average never leaves the range of what it averages."""
    got = ema(CLOSE, share)
    assert (got >= CLOSE.min() * (1 - 1e-12)).all()
    assert (got <= CLOSE.max() * (1 + 1e-12)).all()


@given(count=st.integers(0, 40), share=shares)
def test_a_row_may_be_averaged_in_place(count: int, share: float) -> None:
    """Input and output may be the same array, which saves a fused kernel a row."""
    row = CLOSE[:count].copy()
    recurrences.fill_smoothed(row, share, 1.0, np.zeros(recurrences.SMOOTHED_CARRY), row)
    assert_same_bits(row, ema(CLOSE[:count], share), "in place")
