"""What holds in a scheduler right now, as rows for listings, exports and metrics."""

from __future__ import annotations

from typing import Any

from ...config.durations import instant_at
from .state import HeldLimit, HeldSuspension, SchedulerState


def signal_limit_snapshot(state: SchedulerState, now_us: int) -> list[dict[str, Any]]:
    """A row per limit, by source, strategy and profile.

    Each has `strategy`, `risk_profile`, `source` (`configuration` or `override`), `limit`, `reason`, `since` and
    `expires_at` (UTC; None for never), `remaining_seconds` (0 once ended, None for never) and `active`.
    """
    return [
        {
            "strategy": entry.strategy,
            "risk_profile": entry.risk_profile,
            "source": entry.source,
            "limit": entry.limit,
            **_timing(entry, now_us),
        }
        for entry in state.limits
    ]


def suspension_snapshot(state: SchedulerState, now_us: int) -> list[dict[str, Any]]:
    """A row per suspension, by source and name.

    Each has `name`, `source` (`schedule` or `tag`), `schedules` (those that it holds back, in declared order),
    `flatten`, and `reason`, `since`, `expires_at`, `remaining_seconds` and `active` as limits have.
    """
    return [
        {
            "name": entry.name,
            "source": entry.source,
            "schedules": [schedule.schedule for schedule in state.schedules if entry.concerns(schedule)],
            "flatten": entry.flatten,
            **_timing(entry, now_us),
        }
        for entry in state.suspensions
    ]


def _timing(entry: HeldSuspension | HeldLimit, now_us: int) -> dict[str, Any]:
    end_us = entry.expires_at_us
    return {
        "reason": entry.reason,
        "since": instant_at(entry.since_us),
        "expires_at": None if end_us is None else instant_at(end_us),
        "remaining_seconds": None if end_us is None else max(end_us - now_us, 0) / 1e6,
        "active": end_us is None or now_us < end_us,
    }
