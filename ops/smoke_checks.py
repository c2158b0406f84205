"""What can be wrong with the cycles of a smoke test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..config.risk import Bounds
from ..engine.bars import MICROSECONDS
from ..engine.scheduler.setup import SchedulerSetup
from ..replay.bounds import OF_ACCOUNT, bound_status
from ..replay.journal.record import at_text
from .smoke_cycles import Cycles
from .smoke_watching import CycleRun, CycleWatcher

Severity = Literal["warn", "fail"]

MEASURED = {
    "confidence": "avg_confidence",
    "zscore": "avg_abs_zscore",
    "allocation_error_pct": "avg_allocation_error_pct",
    "secondary_delay_ms": "avg_secondary_delay_ms",
}
"""What engines give at every bar once they are warm, with its name in the telemetry of a run."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        severity: `fail` fails the test.
        schedule: Whose it is; empty where it is the account's.
        cycle: In which cycle; None where it is of none alone.
        text: What.
    """

    severity: Severity
    schedule: str
    cycle: int | None
    text: str


def find_wrong(
    setup: SchedulerSetup, cycles: Cycles, watcher: CycleWatcher, equity: float, fall_pct: float
) -> list[Finding]:
    """Everything that is wrong, schedule by schedule in declared order, then what is wrong with the account.

    equity: at the end; fall_pct: how far it is below its highest, in percent.
    """
    found: list[Finding] = []
    for s in setup.order.tolist():
        if s in cycles.due_us:
            for run, due_us in zip(watcher.runs[s], cycles.due_us[s], strict=True):
                found += _wrong_with_run(setup, s, run, due_us)
            found += _beyond_bounds(setup, s, watcher)
    found += _account_beyond_bounds(setup, cycles, fall_pct)
    if not 0.0 < equity < math.inf:
        found.append(Finding(severity="fail", schedule="", cycle=None, text=f"equity at the end is {equity!r}"))
    return found


def _wrong_with_run(setup: SchedulerSetup, s: int, run: CycleRun, due_us: int) -> Iterator[Finding]:
    one = setup.resolved[s]

    def told(text: str, severity: Severity = "fail") -> Finding:
        return Finding(severity=severity, schedule=one.name, cycle=run.cycle, text=f"{text} at {run.due_time}")

    if run.status == "missing":
        yield told("did not run")
        return
    if run.status != "executed":
        yield told(f"the run was {run.status} ({run.reason})")
        return
    if run.reason:
        yield told(f"all signals were refused ({run.reason})", "warn")
    for measured in ("confidence", *one.strategy.engine.diagnostics):
        name = MEASURED.get(measured)
        if name is not None and name not in run.telemetry:
            yield told(f"{name} has no number")
    if not math.isfinite(run.weight):
        yield told(f"the weight is {run.weight!r}")
    for instrument, last_us in _stale(setup, s, due_us):
        yield told(f"bars of {instrument} are stale: the last one closed at {last_us}; the run was")


def _stale(setup: SchedulerSetup, s: int, due_us: int) -> Iterator[tuple[str, str]]:
    """The legs of which no bar has closed since the due time before, each with the last close."""
    one = setup.resolved[s]
    bars = setup.schedule_bars[int(one.schedule.interval)]
    span_us = round(max(one.schedule.cadence_seconds, one.schedule.interval) * MICROSECONDS)
    for name in one.instruments:
        i = setup.instruments.index(name)
        for leg in (i, int(setup.others[i])) if one.strategy.engine.needs_secondary else (i,):
            closes = bars[leg].closes_us
            seen = int(np.searchsorted(closes, due_us, side="right"))
            last_us = int(closes[seen - 1]) if seen else None
            if last_us is None or last_us <= due_us - span_us:
                yield setup.history.names[leg], "no time" if last_us is None else at_text(last_us)


def _beyond_bounds(setup: SchedulerSetup, s: int, watcher: CycleWatcher) -> Iterator[Finding]:
    one = setup.resolved[s]
    for metric, bounds in setup.profiles[one.risk_profile].telemetry_bounds.items():
        value = watcher.metrics[s].get(metric)
        if value is not None and metric != OF_ACCOUNT:
            yield from _beyond(one.name, one.risk_profile, metric, value, bounds)


def _account_beyond_bounds(setup: SchedulerSetup, cycles: Cycles, fall_pct: float) -> Iterator[Finding]:
    for profile in sorted({setup.resolved[s].risk_profile for s in cycles.due_us}):
        bounds = setup.profiles[profile].telemetry_bounds.get(OF_ACCOUNT)
        if bounds is not None:
            yield from _beyond("", profile, OF_ACCOUNT, fall_pct, bounds)


def _beyond(schedule: str, profile: str, metric: str, value: float, bounds: Bounds) -> Iterator[Finding]:
    severity = reached(value, bounds)
    if severity is not None:
        text = f"{metric} is {value:g}; profile {profile} says {severity} from {getattr(bounds, severity):g} on"
        yield Finding(severity=severity, schedule=schedule, cycle=None, text=text)


def reached(value: float, bounds: Bounds) -> Severity | None:
    """Which bound a metric has reached; None where it is inside both."""
    status = bound_status(value, bounds)
    return None if status == "ok" else status
