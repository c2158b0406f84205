"""Instants as people write them on the command line and in calls."""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import UsageError


def read_instant(name: str, text: str) -> datetime:
    """An instant in UTC, from ISO 8601; a date is its midnight, and what names no zone is in UTC.

    Args:
        name: What it is for, as errors say it.
        text: The instant.

    Raises:
        UsageError: The text is no instant.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
        return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{name} {text!r} is no time. Allowed: 2024-01-31 or 2024-01-31T12:00:00Z.") from None
