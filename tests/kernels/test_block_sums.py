"""Sums, squares, losses and range of a block, against exact sums and Python's own least and greatest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from barstep.kernels import block_sums
from barstep.kernels.block_sums import WIDTH
from contract import POISON
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

lengths = st.sampled_from([0, 1, 2, 7, WIDTH, 4 * WIDTH - 1, 4 * WIDTH, 4 * WIDTH + 1, 5 * WIDTH, 8 * WIDTH + 9])
offsets = st.sampled_from([0.0, 1.0, 1e8])


def column() -> Floats:
    return np.full(WIDTH, POISON)


def noise(n: int, offset: float = 0.0, seed: int = 0) -> Floats:
    return offset + np.random.default_rng(seed).normal(size=n)


@given(n=lengths, offset=offsets, seed=st.integers(0, 50))
def test_sums_agree_with_sums_without_error(n: int, offset: float, seed: int) -> None:
    """To 1e-14 of what went into them: columns of few values lose less than one chain of all."""
    values = noise(n, offset, seed)
    got = block_sums.block_sum(values, column())
    assert abs(got - math.fsum(values)) <= 1e-14 * math.fsum(abs(values))
    squares = [(value - offset) ** 2 for value in values.tolist()]
    got = block_sums.block_squares(values, offset, column())
    assert abs(got - math.fsum(squares)) <= 1e-14 * math.fsum(squares)


@given(n=lengths, seed=st.integers(0, 50))
def test_losses_are_the_negative_values_alone(n: int, seed: int) -> None:
    """Their sum, and that of their squares."""
    values = noise(n, seed=seed)
    lost, squares = block_sums.block_losses(values, column(), column())
    assert lost == pytest.approx(math.fsum(value for value in values if value < 0.0), rel=1e-14)
    assert squares == pytest.approx(math.fsum(value * value for value in values if value < 0.0), rel=1e-14)


@given(n=lengths, place=st.floats(0.0, 0.999), seed=st.integers(0, 50))
def test_the_range_is_found_wherever_it_lies(n: int, place: float, seed: int) -> None:
    """A spike up and one down at every place, and NaN beside them."""
    values = noise(n, seed=seed)
    for spike in (-100.0, 100.0, np.nan):
        for at in {int(place * n), max(n - 1, 0)} if n else ():
            spiked = values.copy()
            spiked[at] = spike
            kept = spiked[~np.isnan(spiked)].tolist()
            got = block_sums.block_range(spiked, column(), column())
            assert got == (min(kept, default=np.inf), max(kept, default=-np.inf))
    if n == 0:
        assert block_sums.block_range(values, column(), column()) == (np.inf, -np.inf)


@pytest.mark.parametrize("n", [WIDTH, 4 * WIDTH, 5 * WIDTH + 1])
def test_a_value_that_is_no_number_is_in_the_sum(n: int) -> None:
    """At each of some places; a loss it is not."""
    for at in range(0, n, 37):
        values = noise(n)
        values[at] = np.nan
        assert math.isnan(block_sums.block_sum(values, column()))
        assert math.isnan(block_sums.block_squares(values, 0.0, column()))
        assert not math.isnan(block_sums.block_losses(values, column(), column())[0])
