"""Instants as people write them: a date, a time, with a zone or without."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from barstep.data.instants import read_instant
from barstep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2023-06-01", datetime(2023, 6, 1, tzinfo=UTC)),
        ("2023-06-01T12:30", datetime(2023, 6, 1, 12, 30, tzinfo=UTC)),
        (" 2023-06-01 12:30:00Z ", datetime(2023, 6, 1, 12, 30, tzinfo=UTC)),
        ("2023-06-01T12:30:00+02:00", datetime(2023, 6, 1, 10, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_brought_to_utc(text: str, instant: datetime) -> None:
    """A date is its midnight; what names no zone is in UTC already."""
    read = read_instant("--start", text)
    assert (read, read.tzinfo) == (instant, UTC)


@pytest.mark.parametrize("text", ["June", "", "2023-13-01", "2023-06-31", "1685577600", "0001-01-01T00:00+14:00"])
def test_what_is_no_instant(text: str) -> None:
    """What it is for, what stands there, and what may."""
    with pytest.raises(UsageError) as refused:
        read_instant("--start", text)
    assert str(refused.value) == f"--start {text!r} is no time. Allowed: 2024-01-31 or 2024-01-31T12:00:00Z."
