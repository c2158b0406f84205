"""What kernels read of a scheduler's state."""

from __future__ import annotations

from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.config import commands
from barstep.config.schedulers import Schedule
from barstep.engine.scheduler.controls import controls
from barstep.engine.scheduler.transitions import GovernorHalted
from barstep.kernels import modes
from barstep.kernels.decisions import DISABLED, SUSPENDED
from governing import SCHEDULES, after, at, begin

START, _ = begin(signal_limits={"trend": {"balanced": 3}, "mean": {"balanced": 2}})


def refusals(*events: Any, without: tuple[str, ...] = ()) -> list[float]:
    """Why each schedule is refused after these commands."""
    return controls(after(START, *events)[0], SCHEDULES, without).refusal.tolist()


def limits(*events: Any, without: tuple[str, ...] = ()) -> list[float]:
    """Most signals of each schedule after these commands."""
    return controls(after(START, *events)[0], SCHEDULES, without).limit.tolist()


LONG = commands.SuspendTag(at=at(0), tag="long")
CORE = commands.SuspendSchedule(at=at(0), schedule="core")
NO_TREND = commands.DisableStrategy(at=at(0), strategy="trend")


def test_nothing_is_refused_at_first() -> None:
    """float64 arrays over the schedules."""
    found = controls(START, SCHEDULES)
    assert found.refusal.dtype == found.limit.dtype == np.float64
    assert (found.refusal.tolist(), found.mode) == ([0.0] * 4, modes.RUNNING)


def test_suspensions_find_schedules_and_tags() -> None:
    """A tag holds back all that carry it; a schedule of the same name as a tag is not one of them."""
    assert refusals(LONG) == [SUSPENDED, SUSPENDED, 0, 0]
    assert refusals(CORE) == [0, 0, 0, SUSPENDED]
    assert refusals(commands.SuspendTag(at=at(0), tag="core")) == [SUSPENDED, SUSPENDED, SUSPENDED, 0]


def test_disabled_goes_before_suspended() -> None:
    """Where both hold, that is the reason."""
    assert refusals(NO_TREND, LONG, CORE) == [DISABLED, DISABLED, 0, SUSPENDED]
    assert refusals(LONG, NO_TREND, CORE) == [DISABLED, DISABLED, 0, SUSPENDED]


def test_the_least_limit_holds() -> None:
    """Of `max_signals`, what the configuration says, and the override; by strategy and profile."""
    assert limits() == [3, np.inf, 1, np.inf]
    for limit, expected in ((1, 1), (3, 3), (5, 3), (0, 0)):
        override = commands.SetSignalLimit(at=at(0), strategy="trend", profile="balanced", limit=limit)
        assert limits(override) == [expected, np.inf, 1, np.inf]
    override = commands.SetSignalLimit(at=at(0), strategy="trend", profile="aggressive", limit=2)
    assert limits(override) == [3, 2, 1, np.inf]
    assert controls(begin()[0], SCHEDULES).limit.tolist() == [4, np.inf, 1, np.inf]


@pytest.mark.parametrize(
    ("event", "mode"),
    [
        (commands.Reduce(at=at(0)), modes.REDUCING),
        (commands.Halt(at=at(0)), modes.HALTED),
        (GovernorHalted(reason="drawdown"), modes.HALTED),
    ],
)
def test_modes(event: Any, mode: int) -> None:
    """The mode is the loop's; one that an operator set counts as a suspension where these are left out."""
    state, _ = after(START, event)
    assert controls(state, SCHEDULES).mode == mode
    assert controls(state, SCHEDULES).refusal.tolist() == [0.0] * 4
    left = mode if isinstance(event, GovernorHalted) else modes.RUNNING
    assert controls(state, SCHEDULES, ["suspensions"]).mode == left
    assert controls(state, SCHEDULES, ["limits", "governor"]).mode == mode


def test_what_is_left_out() -> None:
    """Suspensions with disabled strategies, or all limits with `max_signals`; each leaves the other."""
    assert refusals(NO_TREND, CORE, without=("suspensions",)) == [0.0] * 4
    assert limits(without=("suspensions",)) == limits()
    assert limits(without=("limits",)) == [np.inf] * 4
    assert refusals(NO_TREND, CORE, without=("limits", "governor")) == refusals(NO_TREND, CORE)


def test_the_order_is_the_one_that_is_given() -> None:
    """Not that of the state."""
    state, _ = after(START, CORE)
    turned = dict(reversed(SCHEDULES.items()))
    assert controls(state, turned).refusal.tolist() == [SUSPENDED, 0, 0, 0]
    assert controls(state, turned).limit.tolist() == [np.inf, 1, np.inf, 3]


def test_unknown_names_are_refused() -> None:
    """With the near one."""
    with pytest.raises(bs.UsageError, match=r"unknown part of the governance 'limit'. Did you mean 'limits'\?"):
        controls(START, SCHEDULES, ["limit"])
    other = {"slwo": Schedule(strategy="trend", cadence_seconds=60.0)}
    with pytest.raises(bs.UsageError, match=r"unknown schedule 'slwo'. Did you mean 'slow'\?"):
        controls(START, other)
