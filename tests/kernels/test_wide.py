"""The z-score of many columns at once: each column has the bits that it has alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from barstep.kernels import rolling, wide
from barstep.kernels.moments import MOMENTS_CARRY, NUMBER
from contract import POISON, assert_same_bits, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import FIRST_NUMBER, Floats, nan_at_each_position, nasty

pytestmark = pytest.mark.unit_kernel


def together(values: Floats, window: int, number: float = FIRST_NUMBER) -> Floats:
    out, carry = np.full_like(values, POISON), np.zeros((wide.WIDE_CARRY, values.shape[1]))
    carry[NUMBER, 0] = number
    wide.zscore_wide(values, window, carry, out, 0, values.shape[0])
    assert not (bits(out) == bits(POISON)).any()
    return out


def alone(values: Floats, window: int, number: float = FIRST_NUMBER) -> Floats:
    """Each column by itself, put side by side."""
    columns = []
    for column in values.T:
        out, carry = np.full(column.size, POISON), np.zeros(MOMENTS_CARRY)
        carry[NUMBER] = number
        rolling.zscore(np.ascontiguousarray(column), window, carry, out, 0, column.size)
        columns.append(out)
    return np.column_stack(columns)


def assert_same_numbers(got: Floats, expected: Floats) -> None:
    """The same bits; the sign of a NaN, which is no number, aside."""
    assert_same_bits(
        np.where(np.isnan(got), np.nan, got), np.where(np.isnan(expected), np.nan, expected), "side by side"
    )


def table(inputs: dict[str, object], rows: int) -> Floats:
    """All nasty inputs of that many bars as columns of one table."""
    columns = [bars.close for bars in inputs.values() if len(bars) == rows]
    assert len(columns) > 8
    return np.ascontiguousarray(np.column_stack(columns))


@given(window=st.integers(1, 100), number=st.integers(-100, 200))
def test_a_column_has_the_bits_that_it_has_alone(window: int, number: int) -> None:
    """All nasty inputs side by side give, column by column, what `zscore` gives."""
    values = table(nasty(), 90)
    assert_same_numbers(together(values, window, number), alone(values, window, number))


@given(window=st.integers(1, 12))
def test_a_missing_value_in_each_place_is_its_columns_own_affair(window: int) -> None:
    """Columns with a NaN at another bar each do not disturb one another."""
    values = table(nan_at_each_position(), 11)
    assert_same_numbers(together(values, window), alone(values, window))


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8, 9, 31])
def test_any_number_of_columns(columns: int) -> None:
    """One column or many, whether they fill the vector registers or not."""
    rng = np.random.default_rng(columns)
    values = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((300, columns)), axis=0))
    values[rng.random(values.shape) < 0.01] = np.nan
    assert_same_numbers(together(values, 20), alone(values, 20))


@given(window=st.integers(1, 24), seed=st.integers(0, 99))
def test_a_gap_is_the_same_for_one_column_and_for_many(window: int, seed: int) -> None:
    """Bars that follow a gap go on with the window before it, up to the next anchor."""
    rng = np.random.default_rng(seed)
    values = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((90, 3)), axis=0))
    numbers = np.cumsum(np.where(rng.random(90) < 0.1, rng.integers(2, 9, 90), 1))
    many, carry = np.empty_like(values), np.zeros((wide.WIDE_CARRY, 3))
    one, carries = np.empty((3, 90)), np.zeros((3, MOMENTS_CARRY))
    for start, stop in pairwise([0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), 90]):
        carry[NUMBER, 0] = carries[:, NUMBER] = numbers[start]
        wide.zscore_wide(values, window, carry, many, start, stop)
        for column, own, out in zip(values.T, carries, one, strict=True):
            rolling.zscore(np.ascontiguousarray(column), window, own, out, start, stop)
    assert_same_numbers(many, np.ascontiguousarray(one.T))


def test_columns_may_change_places() -> None:
    """A column's outputs do not depend on its neighbours or its place."""
    values = table(nasty(), 90)
    order = np.random.default_rng(0).permutation(values.shape[1])
    shuffled = together(np.ascontiguousarray(values[:, order]), 14)
    assert_same_numbers(shuffled, together(values, 14)[:, order])


def test_no_columns_make_no_output() -> None:
    """A table without columns or without bars is left as it is."""
    assert together(np.empty((0, 3)), 5).shape == (0, 3)
