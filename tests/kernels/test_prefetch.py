"""A prefetch reads and changes nothing, wherever it points."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels._jit import kernel
from barstep.kernels.prefetch import prefetch
from inputs import Floats

pytestmark = pytest.mark.unit_kernel


@kernel
def _sum_with_prefetch(values, places):
    """Sum of the values, with a prefetch of each of `places` before it."""
    for place in places:
        prefetch(values, place)
    total = 0.0
    for value in values:
        total += value
    return total


@pytest.mark.parametrize("places", [[0, 2], [3, 10**12], [-1, -(10**12)]], ids=["inside", "after it", "before it"])
@pytest.mark.parametrize("values", [np.array([1.0, 2.0, 4.0]), np.empty(0)], ids=["three", "none"])
def test_a_prefetch_does_no_harm(values: Floats, places: list[int]) -> None:
    """The array is what it was, and a place beyond it, at whatever address, is no error."""
    before = values.copy()
    assert _sum_with_prefetch(values, np.array(places)) == before.sum()
    assert values.tolist() == before.tolist()
