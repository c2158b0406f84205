"""What the configuration allows, as metrics: rules of alerts hold none of its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.scheduler.setup import SchedulerSetup
from .catalog import no_signal_alert_seconds
from .readings import Measured


def configured_limits(setup: SchedulerSetup) -> Iterator[Measured]:
    """Limits of the profiles that schedules trade under, bounds of their telemetry, and of the time without signals."""
    run = (setup.environment, setup.name)
    for one in setup.resolved:
        labels = (*run, one.name, one.strategy.name, one.risk_profile)
        seconds = no_signal_alert_seconds(float(one.schedule.interval), one.schedule.cadence_seconds)
        yield "no_signal_alert_seconds", labels, seconds
    for name in sorted({one.risk_profile for one in setup.resolved}):
        profile = setup.profiles[name]
        for limit in ("daily_risk_budget_pct", "max_drawdown_pct"):
            if (value := getattr(profile, limit)) is not None:
                yield limit, (*run, name), value
        for metric, bounds in profile.telemetry_bounds.items():
            yield "telemetry_bound", (*run, name, metric, "warn"), bounds.warn
            yield "telemetry_bound", (*run, name, metric, "fail"), bounds.fail
