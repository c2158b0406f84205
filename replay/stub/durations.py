"""Lengths of time as the stub venue is told them: to the millisecond."""

from __future__ import annotations

from ...config.durations import parse_duration
from ...errors import UsageError


def duration_us(text: str) -> int:
    """Microseconds of a duration written as `250ms`, `30s`, `15m`, `2h` or `1d`.

    Raises:
        UsageError: The text is no duration.
    """
    number = text.strip().removesuffix("ms")
    try:
        seconds = parse_duration(number if number != text.strip() else text)
    except UsageError:
        raise UsageError(
            f"{text!r} is no duration; allowed is a number with ms, s, m, h, d or w (250ms, 30s)"
        ) from None
    return round(seconds * (1_000 if number != text.strip() else 1_000_000))
