"""Bar intervals as people write them, and as the rest of the code needs them: whole seconds."""

from __future__ import annotations

import re

from ..errors import UsageError

MINUTE = 60
HOUR = 3_600
DAY = 86_400
WEEK = 604_800
MICROSECONDS = 1_000_000

_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_PATTERN = re.compile(r"^(\d+)\s*(s|m|min|h|hr|d|w)?$", re.IGNORECASE)


def parse_interval(value: str | int) -> int:
    """Seconds of an interval written as `1m`, `5min`, `1h`, `1d`, `1w`, `60` or `60s`.

    Args:
        value: The interval; a bare number is seconds.

    Raises:
        UsageError: The text is no interval, or the interval is zero.
    """
    match = _PATTERN.match(str(value).strip())
    if match is None or int(match.group(1)) == 0:
        raise UsageError(
            f"interval {value!r} is not a length of time. Allowed: a whole number with s, m, h, d or w "
            "(1m, 5m, 1h, 1d), or seconds (60)."
        )
    unit = (match.group(2) or "s")[0].lower()
    return int(match.group(1)) * _UNITS[unit]


def format_interval(seconds: int) -> str:
    """The shortest exact way to write an interval: 60 is `1m`, 5400 is `90m`, 604800 is `1w`."""
    for unit in ("w", "d", "h", "m"):
        if seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def format_span(seconds: float) -> str:
    """A length of time for people, in its two largest units: `2d 1h`, `5h 30m`, `40s`."""
    left = round(seconds)
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
