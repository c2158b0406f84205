"""Stretches of time, and how they are told and drawn."""

from __future__ import annotations

from typing import Any

import pytest
from barstep.report.stretches import Stretch, merged

MINUTE_US = 60_000_000
BEGIN_US = 1_704_067_200_000_000


def stretch(begin: int, end: int | None, **more: Any) -> Stretch:
    """One from minute to minute after the year's beginning."""
    held = {"kind": "limit", "what": "w", "told": "1", "reason": "r", "source": "override", **more}
    end_us = None if end is None else BEGIN_US + end * MINUTE_US
    return Stretch(begin_us=BEGIN_US + begin * MINUTE_US, end_us=end_us, **held)


def test_both_ends_in_words() -> None:
    """A minute in UTC, or that it still held."""
    assert (stretch(1, 61).since, stretch(1, 61).until) == ("2024-01-01 00:01", "2024-01-01 01:01")
    assert stretch(1, None).until == "still held"


def test_those_too_close_to_be_told_apart_are_one() -> None:
    """By hand: gaps of 1 and 2 minutes are closed where 3 can be seen, one of 3 is not."""
    found = merged([stretch(0, 10), stretch(11, 12), stretch(14, 20), stretch(23, None)], 3 * MINUTE_US)
    assert [(each.begin_us, each.end_us) for each in found] == [
        (stretch(0, 20).begin_us, stretch(0, 20).end_us), (stretch(23, None).begin_us, None),
    ]  # fmt: skip
    assert [each.told for each in found] == ["3 times, close together", "1"]
    assert merged([], 1.0) == []


@pytest.mark.parametrize(("reasons", "told"), [(["x", "x"], "x"), (["x", "y"], "2 different ones"), (["", ""], "")])
def test_the_reason_of_several(reasons: list[str], told: str) -> None:
    """The one that all have, or how many there are."""
    both = [stretch(0, 1, reason=reasons[0]), stretch(1, 2, reason=reasons[1])]
    assert [each.reason for each in merged(both, 1.0)] == [told]


@pytest.mark.parametrize(
    ("source", "end", "is_left_out", "is_drawn"),
    [
        ("override", None, False, True),
        ("override", None, True, False),
        ("configuration", None, False, False),
        ("configuration", 5, False, True),
    ],
)
def test_what_is_drawn(source: str, end: int | None, is_left_out: bool, is_drawn: bool) -> None:
    """A limit of the configuration that holds all the time is not, nor is what had no effect."""
    assert stretch(0, end, source=source, is_left_out=is_left_out).is_drawn == is_drawn
