"""Session breaks tell whether times mark the start or the end of bars."""

from __future__ import annotations

import numpy as np
from barstep.data.formats.labels import weigh_labels

MINUTE_US = 60_000_000


def sessions(shift_minutes: int, days: int = 5) -> np.ndarray:
    """Minutes of sessions from 9:30 to 16:00, labelled by their start and then shifted."""
    minutes = np.concatenate([np.arange(570, 960) + 1440 * day for day in range(days)])
    return (minutes + shift_minutes) * MINUTE_US


def test_start_and_end_labels_are_told_apart() -> None:
    """Sessions that open on the half hour give a start label, the same one interval later an end label."""
    assert weigh_labels(sessions(0), 60).label == "start"
    assert weigh_labels(sessions(1), 60).label == "end"


def test_too_little_evidence_gives_no_verdict() -> None:
    """Few breaks, breaks anywhere, long bars, or one bar say nothing."""
    assert weigh_labels(sessions(1, days=3), 60).label is None
    assert weigh_labels(sessions(7), 60).label is None
    assert weigh_labels(np.arange(10) * 3_600_000_000, 3600).label is None
    assert weigh_labels(np.array([0]), 60).label is None
