"""Intervals are read and written as people write them."""

from __future__ import annotations

import pytest
from barstep.data.durations import format_interval, format_span, parse_interval
from barstep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1m", 60),
        ("5min", 300),
        ("1h", 3600),
        ("4H", 14400),
        ("1d", 86400),
        ("1w", 604800),
        ("60", 60),
        (60, 60),
        ("90s", 90),
    ],
)
def test_an_interval_is_whole_seconds(text: str | int, seconds: int) -> None:
    """Every usual way to write an interval gives its seconds."""
    assert parse_interval(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "0m", "-1h", "1.5h", "1 fortnight", 0])
def test_no_interval_is_refused(text: str | int) -> None:
    """What is no whole length of time above zero is refused with the allowed forms."""
    with pytest.raises(UsageError, match="Allowed"):
        parse_interval(text)


@pytest.mark.parametrize("seconds", [1, 60, 90, 300, 3600, 5400, 14400, 86400, 604800])
def test_format_and_parse_are_inverse(seconds: int) -> None:
    """A formatted interval reads back as itself."""
    assert parse_interval(format_interval(seconds)) == seconds


def test_a_span_names_its_two_largest_units() -> None:
    """A span for people says no more than two units."""
    assert format_span(2 * 86400 + 3600 + 60) == "2d 1h"
    assert format_span(0) == "0s"
