"""What a schedule measures in a run, and over its window, by the names that policies and dashboards know."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ...kernels.scheduler import layout, telemetry
from ..bars import MICROSECONDS
from .machine import SchedulerMachine
from .state import SchedulerState
from .wishes import NOT_GIVEN

_OF_WINDOW = {
    "avg_realized_volatility": telemetry.VOLATILITY,
    "realized_vs_target_vol_pct": telemetry.VOLATILITY_VS_TARGET,
    "pnl_drawdown_pct": telemetry.DRAWDOWN,
}
"""Measures of a schedule's unit account over its window."""


class ScheduleTelemetry:
    """Reads the telemetry of an observed machine's schedules. What was not measured is left out."""

    def __init__(self, machine: SchedulerMachine) -> None:
        self._machine = machine
        self._names = [
            [
                (m, full)
                for m, measure in enumerate(machine.measures)
                if measure.row(one.strategy.engine) != NOT_GIVEN
                for full in ((measure.full_name,) if measure.of_size else (measure.full_name, measure.name))
            ]
            for one in machine.setup.resolved
        ]

    def of_run(self, schedule: int, means: Sequence[float]) -> dict[str, float]:
        """What its engine measured in its last run: by `avg_…` and `avg_abs_…` of instruments, and the bare name."""
        named = ((name, means[m]) for m, name in self._names[schedule])
        return {name: value for name, value in named if not math.isnan(value) and name != "confidence"}

    def of_window(self, schedule: int) -> dict[str, float]:
        """What its unit account did over its last runs."""
        arrays = self._machine.arrays
        row = arrays.schedules[:, schedule]
        greatest = arrays.profiles[int(row[layout.PROFILE]), layout.MAX_FALL]
        root, target = row[layout.RUNS_ROOT], row[layout.TARGET_VOLATILITY]
        window = (schedule, arrays.rests, arrays.since, arrays.stretch)
        found = {
            name: float(telemetry.metric(kind, 0, *window, root, target, greatest, np.nan))
            for name, kind in _OF_WINDOW.items()
        }
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def of_allocation(self, schedule: int, shares: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Its shares of capital: before smoothing, after, and that of its risk profile. shares: `Allocation.state`."""
        one = self._machine.setup.resolved[schedule]
        return {
            "allocator_raw_weight": shares["raw"][one.name],
            "allocator_smoothed_weight": shares["smoothed"][one.name],
            "allocator_profile_weight": shares["profile"][one.risk_profile],
        }

    def of_suspension(self, schedule: int, now_us: int) -> dict[str, float]:
        """Whether it is held back, for how long still (left out: for no stated time), and whether by a tag."""
        return suspension_of(self._machine.state, self._machine.setup.schedules[schedule], now_us)


def suspension_of(state: SchedulerState, schedule: str, now_us: int) -> dict[str, float]:
    """`suspended`, `suspension_tag_indicator`, and `suspension_remaining_seconds` where its end is known."""
    traits = next(one for one in state.schedules if one.schedule == schedule)
    holding = [one for one in state.suspensions if one.concerns(traits)]
    ends = [one.expires_at_us for one in holding if one.expires_at_us is not None]
    found = {
        "suspended": float(bool(holding)),
        "suspension_tag_indicator": float(any(one.source == "tag" for one in holding)),
    }
    if len(ends) == len(holding):
        found["suspension_remaining_seconds"] = max((end - now_us for end in ends), default=0) / MICROSECONDS
    return found
