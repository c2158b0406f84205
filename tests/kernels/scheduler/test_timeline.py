"""The instants of some bars."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels.scheduler.timeline import fill_timeline
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit_kernel

RISING = st.sets(st.integers(0, 60), max_size=12).map(lambda some: np.array(sorted(some), dtype=np.int64))


def _merged(begin: int, end: int, opens: np.ndarray, closes: np.ndarray, cadences: np.ndarray) -> list[list[int]]:
    """The same by sets: every time that is anything, with the columns looked up in lists."""
    due = [time for time in range(begin, end) if any(time % cadence == 0 for cadence in cadences)]
    times = sorted({begin, *due, *(t for t in (*opens.tolist(), *closes.tolist()) if begin <= t < end)})
    return [
        [
            time,
            100 + closes.tolist().index(time) if time in closes else -1,
            200 + opens.tolist().index(time) if time in opens else -1,
        ]
        for time in times
    ]


@given(begin=st.integers(0, 30), length=st.integers(1, 40), opens=RISING, closes=RISING,
       cadences=st.sets(st.integers(1, 25), min_size=1, max_size=3))  # fmt: skip
def test_instants_are_all_opens_closes_and_due_times_once(
    begin: int, length: int, opens: np.ndarray, closes: np.ndarray, cadences: set[int]
) -> None:
    """In order, each with the columns of what opens and closes then; the beginning is one, the end is none."""
    every = np.array(sorted(cadences), dtype=np.int64)
    timeline = np.full((3, 200), -7, dtype=np.int64)
    count = fill_timeline(begin, begin + length, opens, 200, closes, 100, every, timeline)
    assert timeline[:, :count].T.tolist() == _merged(begin, begin + length, opens, closes, every)
    assert (timeline[:, count:] == -7).all()
