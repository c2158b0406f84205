"""What other times are measured by: work whose cost is the machine's own, and not barstep's.

Two of them, because a machine has two speeds. `copy` is `np.copyto` of 8 million float64, as in the comparison with
other libraries: the memory's bandwidth, which whoever else runs on the machine takes part of. `arithmetic` is a
compiled loop over what fits into the first-level cache: additions and multiplications that wait for each other, and a
division beside them. Kernels are nearer to that one.
"""

from __future__ import annotations

import numpy as np

from ..kernels._jit import kernel
from .gate_case import Run

COPIED = 8_000_000
ARITHMETIC_VALUES, ARITHMETIC_PASSES = 1_024, 16


@kernel
def mean_square_ratio(values, passes, out):  # type: ignore[no-untyped-def]
    """A recurrence and a division for each value, `passes` times over; values, out: float64[n]."""
    before = 0.0
    for _ in range(passes):
        for k in range(values.shape[0]):
            before = 0.9 * before + 0.1 * values[k]
            out[k] = values[k] / (1.0 + before * before)


def arithmetic() -> Run:
    """16,384 values."""
    values, out = np.linspace(0.5, 1.5, ARITHMETIC_VALUES), np.empty(ARITHMETIC_VALUES)
    return lambda: mean_square_ratio(values, ARITHMETIC_PASSES, out)


def copy() -> Run:
    """8 million values, 64 MB read and 64 MB written."""
    source, target = np.ones(COPIED), np.zeros(COPIED)
    return lambda: np.copyto(target, source)
