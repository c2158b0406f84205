"""What holds right now, as rows."""

from __future__ import annotations

from barstep.config import commands
from barstep.config.limits import SignalLimit
from barstep.engine.scheduler.snapshots import signal_limit_snapshot, suspension_snapshot
from governing import after, at, begin


def test_limits() -> None:
    """What the configuration says and the override, with their reasons and ends."""
    state, _ = begin(
        signal_limits={"trend": {"balanced": 3}},
        initial_signal_limits={"trend": {"balanced": SignalLimit(limit=1, reason="boot", duration_seconds=90.0)}},
    )
    configured, override = signal_limit_snapshot(state, 30_000_000)
    assert configured == {
        "strategy": "trend", "risk_profile": "balanced", "source": "configuration", "limit": 3,
        "reason": "", "since": at(0), "expires_at": None, "remaining_seconds": None, "active": True,
    }  # fmt: skip
    assert override == {
        "strategy": "trend", "risk_profile": "balanced", "source": "override", "limit": 1,
        "reason": "boot", "since": at(0), "expires_at": at(90_000_000), "remaining_seconds": 60.0, "active": True,
    }  # fmt: skip


def test_suspensions() -> None:
    """With the schedules that each holds back."""
    state, _ = after(
        begin()[0],
        commands.SuspendTag(at=at(0), tag="long", reason="night", until=at(8_000_000), flatten=True),
        commands.SuspendSchedule(at=at(0), schedule="core"),
    )
    schedule, tag = suspension_snapshot(state, 1)
    assert (schedule["name"], schedule["source"], schedule["schedules"]) == ("core", "schedule", ["core"])
    assert tag == {
        "name": "long", "source": "tag", "schedules": ["slow", "fast"], "flatten": True,
        "reason": "night", "since": at(0), "expires_at": at(8_000_000), "remaining_seconds": 7.999999, "active": True,
    }  # fmt: skip


def test_an_end_that_has_come_is_not_active() -> None:
    """At its instant nothing remains, although nobody has taken it out yet; right before, it holds."""
    state, _ = after(begin()[0], commands.SuspendTag(at=at(0), tag="long", until=at(5)))
    seen = [suspension_snapshot(state, now_us)[0] for now_us in (4, 5, 6)]
    assert [(row["active"], row["remaining_seconds"]) for row in seen] == [(True, 1e-6), (False, 0.0), (False, 0.0)]
