"""The table of events: one row each, from where it is."""

from __future__ import annotations

import pytest
from barstep.kernels.scheduler import events, layout
from schedules import Scheduler

pytestmark = pytest.mark.unit_kernel


def test_a_note_is_a_row() -> None:
    """Instant, kind, of whom, value and limit, after the rows that are there; the rest of the table is left alone."""
    one = Scheduler()
    events.note(layout.PROFILE_REDUCES, 2, 7_000, 0.25, 0.2, one.account, one.events)
    events.note(layout.GOVERNOR_SCALES, 1, 8_000, 0.5, 1.0, one.account, one.events)
    assert one.noted == [
        (7_000, layout.PROFILE_REDUCES, 2, 0.25, 0.2), (8_000, layout.GOVERNOR_SCALES, 1, 0.5, 1.0),
    ]  # fmt: skip
