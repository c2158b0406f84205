"""Arrays at addresses."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels._jit import kernel
from barstep.kernels.book import PAGE, floats_at, ints_at

pytestmark = pytest.mark.unit_kernel


@kernel
def _double(book):
    """Double what rows 0 to 3 name, of one to four dimensions; returns the sum of the whole numbers of row 4."""
    one, two, three, four = floats_at(book, 0, 1), floats_at(book, 1, 2), floats_at(book, 2, 3), floats_at(book, 3, 4)
    for a in range(two.shape[0]):
        one[a] *= 2.0
        for b in range(two.shape[1]):
            two[a, b] *= 2.0
            for c in range(three.shape[2]):
                three[a, b, c] *= 2.0
                for d in range(four.shape[3]):
                    four[a, b, c, d] *= 2.0
    total = 0
    for number in ints_at(book, 4, 1):
        total += number
    return total


def test_a_kernel_works_on_the_arrays_that_a_book_names() -> None:
    """Every element, in its place, of every number of dimensions; none of another array."""
    arrays = [np.arange(float(np.prod(shape))).reshape(shape) for shape in [(2,), (2, 3), (2, 3, 4), (2, 3, 4, 5)]]
    whole = np.array([7, -3, 10**15])
    expected = [2.0 * array for array in arrays]
    book = np.zeros((5, PAGE), dtype=np.int64)
    for row, array in zip(book, [*arrays, whole], strict=True):
        row[0], row[1 : 1 + array.ndim] = array.__array_interface__["data"][0], array.shape
    assert _double(book) == whole.sum()
    for array, doubled in zip(arrays, expected, strict=True):
        assert array.tolist() == doubled.tolist()


def test_an_array_without_elements_has_its_shape() -> None:
    """Nothing is read where there is nothing."""
    arrays = [np.empty(shape) for shape in [(0,), (0, 3), (0, 3, 4), (0, 3, 4, 5)]]
    book = np.zeros((5, PAGE), dtype=np.int64)
    for row, array in zip(book, [*arrays, np.empty(0, dtype=np.int64)], strict=True):
        row[0], row[1 : 1 + array.ndim] = array.__array_interface__["data"][0], array.shape
    assert _double(book) == 0
