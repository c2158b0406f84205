"""The orders that a venue knows of."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels.account import PENDING
from barstep.kernels.scheduler.layout import CELL, REAL, SENT_AT
from barstep.kernels.scheduler.reports import WAITING, list_waiting

pytestmark = pytest.mark.unit_kernel

UNTOUCHED = -7
INSTRUMENTS = 3


def test_orders_are_listed_as_they_are_filled() -> None:
    """By rank of their schedule, under its place; those that have ended, and are still on hand, are passed over."""
    cells = np.zeros((2, INSTRUMENTS, 2, CELL))
    order = np.array([1, 0])
    for s, i, lots, sent_us in ((1, 2, 5.0, 1_700_000_000_000_001), (0, 0, -3.0, 60), (1, 0, 0.0, 70)):
        cells[s, i, REAL, PENDING], cells[s, i, REAL, SENT_AT] = lots, sent_us
    hand = np.array([0 * INSTRUMENTS + 2, 0 * INSTRUMENTS + 0, 1 * INSTRUMENTS + 0, 1 * INSTRUMENTS + 1], dtype=float)
    waiting = np.full((4, WAITING), UNTOUCHED)
    assert list_waiting(cells, order, hand, 3, waiting) == 2
    assert waiting.tolist() == [[1, 2, 1_700_000_000_000_001], [0, 0, 60], *[[UNTOUCHED] * WAITING] * 2]
    assert list_waiting(cells, order, hand, 0, waiting) == 0
