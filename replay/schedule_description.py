"""What there is to say of a running scheduler's schedules: configuration, limits, weights, suspensions, last runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..engine.bars import MICROSECONDS
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.snapshots import signal_limit_snapshot, suspension_snapshot
from ..engine.scheduler.wishes import FAILURES
from ..kernels.scheduler import layout
from .announcer import LastRun
from .journal.record import at_text


def describe_schedules(
    machine: SchedulerMachine, now_us: int, last_runs: Mapping[str, LastRun]
) -> list[dict[str, Any]]:
    """A row per schedule, in declared order. docs/runtime.md lists the fields.

    Args:
        machine: The scheduler.
        now_us: The event time, in microseconds since the epoch.
        last_runs: By schedule its last run; of others only its due time is known.
    """
    suspensions = suspension_snapshot(machine.state, now_us)
    limits = signal_limit_snapshot(machine.state, now_us)
    shares = machine.allocation.state()
    rows = []
    for s in machine.arrays.order.tolist():
        one = machine.setup.resolved[s]
        key = (one.strategy.name, one.risk_profile)
        limit = float(machine.arrays.control[layout.LIMIT, s])
        rows.append(
            {
                "schedule": one.name,
                "strategy": one.strategy.name,
                "engine": one.strategy.engine.name,
                "parameters": dict(one.strategy.parameters),
                "tags": list(one.strategy.tags),
                "risk_profile": one.risk_profile,
                "instruments": list(one.instruments),
                "cadence_seconds": one.schedule.cadence_seconds,
                "max_drift_seconds": one.schedule.max_drift_seconds,
                "warmup_bars": one.schedule.warmup_bars,
                "interval": one.schedule.interval,
                "max_signals": one.schedule.max_signals,
                "signal_limit": None if math.isinf(limit) else int(limit),
                "signal_limits": [each for each in limits if (each["strategy"], each["risk_profile"]) == key],
                "weight": shares["weights"][one.name],
                "raw_weight": shares["raw"][one.name],
                "smoothed_weight": shares["smoothed"][one.name],
                "disabled": any(each.strategy == one.strategy.name for each in machine.state.disabled),
                "suspensions": [each for each in suspensions if one.name in each["schedules"]],
                "failures": int(machine.wishes.health[FAILURES, s]),
                "next_due": at_text(int(machine.arrays.schedules[layout.NEXT_DUE, s])),
                "last_run": last_runs.get(one.name, _known_of_last_run(machine, s)),
            }
        )
    return rows


def _known_of_last_run(machine: SchedulerMachine, s: int) -> LastRun | None:
    """What the state tells of a run from before this process began."""
    row = machine.arrays.schedules[:, s]
    due_us = int(row[layout.RUN]) * round(machine.setup.resolved[s].schedule.cadence_seconds * MICROSECONDS)
    return {"due_time": at_text(due_us)} if due_us >= machine.setup.start_us else None
