"""Lengths of time and instants as people write them, in the configuration and on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ..errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_PATTERN = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([smhdw]?)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of a duration written as `15m`, `2h`, `1d`, `90s` or `3600`.

    Raises:
        UsageError: The text is no duration.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no duration; allowed is seconds (3600), or a number with s, m, h, d or w (15m)")
    return float(match.group(1)) * _SECONDS[match.group(2)]


def parse_instant(text: str) -> datetime:
    """An instant in UTC, from ISO 8601 with a zone.

    Raises:
        UsageError: The text is no instant, or names no zone.
    """
    allowed = "allowed is ISO 8601 with a zone (2030-02-01T00:00:00Z or 2030-02-01T01:00:00+01:00)"
    try:
        instant = datetime.fromisoformat(text.strip())
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no instant; {allowed}") from None
    raise UsageError(f"{text!r} names no zone; {allowed}")


def instant_at(us: int) -> datetime:
    """The instant of whole microseconds since the epoch, UTC."""
    return _EPOCH + timedelta(microseconds=us)


def microseconds(instant: datetime) -> int:
    """An instant with a zone as whole microseconds since the epoch, UTC."""
    return (instant - _EPOCH) // timedelta(microseconds=1)
