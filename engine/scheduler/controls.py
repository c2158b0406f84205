"""The state of a scheduler as the numbers that kernels read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ...config.schedulers import Schedule
from ...errors import UsageError, unknown_name
from ...kernels import decisions, modes
from ..bars import Floats
from ..policy_program import Traits
from .state import SchedulerState

WITHOUT = ("suspensions", "limits", "governor")
"""What a backtest may leave out, to see what it was worth."""

_MODES = {"running": modes.RUNNING, "reducing": modes.REDUCING, "halted": modes.HALTED}


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What a scheduler's state says of each schedule until the next event.

    Attributes:
        refusal: float64[schedule]: 0, or `DISABLED` or `SUSPENDED` of `kernels.decisions`, the first one that holds.
        limit: float64[schedule]: most signals of a run; infinite where nothing limits them.
        mode: What the loop may do, of `kernels.modes`.
    """

    refusal: Floats
    limit: Floats
    mode: float


def controls(state: SchedulerState, schedules: Mapping[str, Schedule], without: Collection[str] = ()) -> Controls:
    """What kernels read of a state from which all that is due has been ended.

    Args:
        state: The state; its entries hold, whatever the time.
        schedules: Schedules of that state by name, in the order of the arrays.
        without: What is left out, of `WITHOUT`. A mode that an operator set counts as a suspension. The governor is
            a kernel's, so that leaving it out changes nothing here.

    Raises:
        UsageError: There is nothing of that name to leave out, or the state does not know a schedule.
    """
    for name in without:
        if name not in WITHOUT:
            raise UsageError(unknown_name("part of the governance", name, WITHOUT))
    traits = {one.schedule: one for one in state.schedules}
    for name in schedules:
        if name not in traits:
            raise UsageError(unknown_name("schedule", name, traits))
    free, unlimited = "suspensions" in without, "limits" in without
    return Controls(
        refusal=np.array([0.0 if free else _refusal(state, traits[name]) for name in schedules], dtype=np.float64),
        limit=np.array(
            [np.inf if unlimited else _limit(state, traits[name], one) for name, one in schedules.items()],
            dtype=np.float64,
        ),
        mode=float(modes.RUNNING if free and state.mode.source != "governor" else _MODES[state.mode.name]),
    )


def _refusal(state: SchedulerState, schedule: Traits) -> float:
    if any(entry.concerns(schedule) for entry in state.disabled):
        return float(decisions.DISABLED)
    return float(decisions.SUSPENDED) if any(entry.concerns(schedule) for entry in state.suspensions) else 0.0


def _limit(state: SchedulerState, traits: Traits, schedule: Schedule) -> float:
    held = [float(entry.limit) for entry in state.limits if entry.concerns(traits)]
    own = [] if schedule.max_signals is None else [float(schedule.max_signals)]
    return min([*held, *own], default=np.inf)
