"""What a schedule measures, by the names that dashboards know."""

from __future__ import annotations

import pytest
from barstep.config.commands import SuspendSchedule, SuspendTag
from barstep.engine.policy_program import Traits
from barstep.engine.scheduler.state import SchedulerState
from barstep.engine.scheduler.telemetry import suspension_of
from barstep.engine.scheduler.transitions import initial_state, transition
from scheduler_making import at, config_of, hour

TRAITS = (Traits(schedule="a", tags=("x", "y")), Traits(schedule="b", tags=("y",)))


def state_after(*commands: SuspendSchedule | SuspendTag) -> SchedulerState:
    scheduler = config_of({"a": {}, "b": {}}).runtime.multi_strategy_schedulers["s"]
    state, _ = initial_state(scheduler, TRAITS, hour(0))
    for command in commands:
        state, _ = transition(state, command, hour(0))
    return state


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ((), {"suspended": 0.0, "suspension_tag_indicator": 0.0, "suspension_remaining_seconds": 0.0}),
        (
            (SuspendSchedule(at=at(0), schedule="a", until=at(3)),),
            {"suspended": 1.0, "suspension_tag_indicator": 0.0, "suspension_remaining_seconds": 7200.0},
        ),
        (
            (SuspendTag(at=at(0), tag="x", until=at(3)), SuspendTag(at=at(0), tag="y", until=at(5))),
            {"suspended": 1.0, "suspension_tag_indicator": 1.0, "suspension_remaining_seconds": 4 * 3600.0},
        ),
        (
            (SuspendSchedule(at=at(0), schedule="a"), SuspendTag(at=at(0), tag="y", until=at(5))),
            {"suspended": 1.0, "suspension_tag_indicator": 1.0},
        ),
        (
            (SuspendSchedule(at=at(0), schedule="b"),),
            {"suspended": 0.0, "suspension_tag_indicator": 0.0, "suspension_remaining_seconds": 0.0},
        ),
    ],
)
def test_a_suspension_is_told_until_the_last_one_ends(
    commands: tuple[SuspendSchedule | SuspendTag, ...], expected: dict[str, float]
) -> None:
    """By its name or by a tag; where one has no end, how long it still holds is not known."""
    assert suspension_of(state_after(*commands), "a", hour(1)) == expected
