"""Limits of signals and suspensions as they are written, with their reasons and how long they hold."""

from __future__ import annotations

from .fields import Count, Instant, Name, Seconds
from .section import Section


class SignalLimit(Section, kw_only=True):
    """Most signals of a run, for one strategy under one risk profile.

    Attributes:
        limit: Signals a run.
        reason: Shown wherever the limit is.
        until: When it ends; by default never. Either this or `duration_seconds`.
        duration_seconds: How long it holds, counted from the record that first applied it.
    """

    limit: Count
    reason: str = ""
    until: Instant | None = None
    duration_seconds: Seconds | None = None


SignalLimits = dict[Name, dict[Name, Count | SignalLimit]]
"""Strategy, then risk profile, then a number or a mapping."""


class Suspension(Section, kw_only=True):
    """A schedule, or all that carry a tag, held back from the first run on.

    Attributes:
        schedule: The schedule; either this or `tag`.
        tag: The tag.
        reason: Shown wherever the suspension is.
        until: When it ends; by default never. Either this or `duration_seconds`.
        duration_seconds: How long it holds, counted from the record that first applied it.
        flatten: Whether what is held is closed at the next open; by default it is kept, with its stops.
    """

    schedule: Name | None = None
    tag: Name | None = None
    reason: str = ""
    until: Instant | None = None
    duration_seconds: Seconds | None = None
    flatten: bool = False
