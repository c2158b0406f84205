"""The arithmetic fingerprint: what is digested, and that it is written in full."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import fingerprint
from contract import POISON, assert_close, assert_same_bits, bits

pytestmark = pytest.mark.unit_kernel


def filled() -> np.ndarray:
    out = np.full(fingerprint.FINGERPRINT_VALUES + 1, POISON)
    fingerprint.fill_fingerprint(out)
    return out


def test_it_is_logarithms_exponentials_and_roots() -> None:
    """The values are those of longdouble, to the last bit or two, and nothing is written beyond them."""
    x = np.arange(1, fingerprint.FINGERPRINT_VALUES // 3 + 1) * 0.37
    long = x.astype(np.longdouble)
    expected = np.column_stack((np.log(long), np.exp(-long), np.sqrt(long))).ravel()
    out = filled()
    assert_close(out[:-1], expected, 3e-16)
    assert bits(out)[-1] == bits(POISON)


def test_it_is_the_same_each_time() -> None:
    """One process gives one fingerprint."""
    assert_same_bits(filled(), filled(), "fingerprint")
