"""The state of a scheduler: its order, its ends, and its way through plain values."""

from __future__ import annotations

import json
from typing import Any

import barstep as bs
import pytest
from barstep.config import commands
from barstep.engine.scheduler.arrays import NEVER_US
from barstep.engine.scheduler.state import Expired, SchedulerState, due_expiries
from governing import after, at, begin, given_commands, walk
from hypothesis import given

START, _ = begin()


def test_what_ends_next() -> None:
    """The least instant of suspensions and limits; NEVER_US where nothing ends."""
    assert START.next_expiry_us == NEVER_US
    state, _ = after(
        START,
        commands.SuspendTag(at=at(0), tag="core", until=at(9)),
        commands.SetSignalLimit(at=at(0), strategy="trend", profile="balanced", limit=1, until=at(7)),
        commands.SuspendSchedule(at=at(0), schedule="slow"),
    )
    assert state.next_expiry_us == 7


def test_what_is_due_comes_in_one_order() -> None:
    """By its instant, then limits before suspensions, schedules before tags, by name; nothing that is not due."""
    state, _ = after(
        START,
        commands.SuspendTag(at=at(0), tag="core", until=at(9)),
        commands.SuspendTag(at=at(0), tag="long", until=at(8)),
        commands.SuspendSchedule(at=at(0), schedule="slow", until=at(9)),
        commands.SuspendSchedule(at=at(0), schedule="fast", until=at(9)),
        commands.SuspendSchedule(at=at(0), schedule="core", until=at(10)),
        commands.SetSignalLimit(at=at(0), strategy="trend", profile="balanced", limit=1, until=at(9)),
    )
    assert due_expiries(state, 7) == ()
    assert due_expiries(state, 8) == (Expired(key=("suspension", "tag", "long"), at_us=8),)
    assert [(one.at_us, one.key) for one in due_expiries(state, 9)] == [
        (8, ("suspension", "tag", "long")),
        (9, ("signal_limit", "override", "trend", "balanced")),
        (9, ("suspension", "schedule", "fast")),
        (9, ("suspension", "schedule", "slow")),
        (9, ("suspension", "tag", "core")),
    ]


@given(given_commands())
def test_plain_values_and_back(script: list[Any]) -> None:
    """Also through JSON; entries stay sorted, so that equal states have equal text."""
    state, _ = walk(START, script, 30)
    plain = state.to_dict()
    assert SchedulerState.from_dict(plain) == state
    assert SchedulerState.from_dict(json.loads(json.dumps(plain))) == state
    assert list(state.held) == [
        entry.key for part in (state.suspensions, state.limits, state.disabled) for entry in part
    ]
    for part in (state.suspensions, state.limits, state.disabled):
        keys = [entry.key for entry in part]
        assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("mode", {"name": "asleep", "since_us": 0}, r"Invalid enum value 'asleep' - at `\$\.mode\.name`"),
        ("suspensions", [{"name": "slow"}], r"missing required field `source` - at `\$\.suspensions\[0\]`"),
        ("capital_policy", {"name": "equal_wieght"}, r"'equal_wieght' - at `\$\.capital_policy\.name`"),
    ],
)
def test_what_is_no_state_is_refused(key: str, value: object, says: str) -> None:
    """With the place in it."""
    with pytest.raises(bs.UsageError, match=f"^this is no state of a scheduler: .*{says}"):
        SchedulerState.from_dict({**START.to_dict(), key: value})
