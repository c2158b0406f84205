"""Durations and instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from barstep.config.durations import microseconds, parse_duration, parse_instant
from barstep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15m", 900.0), ("2h", 7_200.0), ("1d", 86_400.0), ("1w", 604_800.0), ("90s", 90.0), ("3600", 3_600.0),
     ("1.5h", 5_400.0), (" 30 m ", 1_800.0), ("0", 0.0)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    """A number alone is seconds; s, m, h, d and w are units."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "1:30", "-5m", "1M", "1h30m", "1e3", "inf", "nan", "٣m", "1 month"])
def test_what_is_no_duration(text: str) -> None:
    """Everything else is refused, months and clock times too."""
    with pytest.raises(UsageError, match="is no duration; allowed is seconds"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["2030-02-01T00:00:00+00:00", "2030-02-01T00:00:00Z", "2030-02-01T01:00+01:00", "2030-01-31 19:00:00-05:00",
     "20300201T000000Z"],
)  # fmt: skip
def test_instants_are_brought_to_utc(text: str) -> None:
    """ISO 8601 with a zone, in any of its forms, is one instant."""
    assert parse_instant(text) == datetime(2030, 2, 1, tzinfo=UTC)
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "why"),
    [("2030-02-01T00:00:00", "names no zone"), ("2030-02-01", "names no zone"), ("tomorrow", "is no instant"),
     ("2030-02-30T00:00:00Z", "is no instant"), ("0001-01-01T00:00:00+14:00", "is no instant"),
     ("1893456000", "is no instant")],
)  # fmt: skip
def test_what_is_no_instant(text: str, why: str) -> None:
    """A time without a zone, a day that is not in the calendar and an epoch are refused."""
    with pytest.raises(UsageError, match=why):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.000001+01:00", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_instants_in_microseconds(text: str, us: int) -> None:
    """Exact, in UTC, also where a float would round."""
    assert microseconds(parse_instant(text)) == us
