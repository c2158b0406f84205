"""What a run answers, by verb."""

from __future__ import annotations

import json
from typing import Any

import pytest
from barstep.errors import ConfigError, UsageError
from barstep.replay.control.verbs import COMMANDS, READING
from control_making import small_desk, small_run
from journal_making import records
from replays import FILES
from scheduler_making import at
from simulated_disk import SimulatedDisk

ASKED: dict[str, dict[str, Any]] = {
    "suspend_schedule": {"schedule": "fast", "reason": "news", "duration_seconds": "30m"},
    "suspend_tag": {"tag": "calm"},
    "resume_schedule": {"schedule": "fast"},
    "resume_tag": {"tag": "calm"},
    "set_signal_limit": {"strategy": "hare", "profile": "p", "limit": 1},
    "clear_signal_limit": {"strategy": "hare", "profile": "p"},
    "disable_strategy": {"strategy": "hare"},
    "enable_strategy": {"strategy": "hare"},
    "rebalance_capital": {},
    "set_capital_policy": {"policy": "equal_weight", "rebalance": False},
    "replace_capital_policy": {"policy": {"name": "fixed_weight", "weights": {"fast": 1.0}}},
    "set_allocation_rebalance_seconds": {"seconds": 90},
    "halt": {"reason": "fire"},
    "reduce": {},
    "resume": {},
}


def test_every_command_is_given_and_journalled_under_its_token() -> None:
    """All of the table, with the fields that a file of commands has for it."""
    disk = SimulatedDisk()
    run = small_run(disk)
    desk = small_desk(run)
    run.scheduler.run_until(at(5))
    for verb in COMMANDS:
        assert desk.answer(verb, ASKED[verb], "ann")["command"] == verb
    written = [record for _, record in records(disk, FILES) if record["kind"] == "command"]
    assert [(record["command"]["command"], record["by"]) for record in written] == [(verb, "ann") for verb in COMMANDS]


def test_every_reading_verb_answers_with_plain_values() -> None:
    """JSON can hold all of it, before the first instant and after some."""
    run = small_run()
    desk = small_desk(run)
    for hours in (0, 7):
        run.scheduler.run_until(at(hours))
        for verb in READING:
            json.dumps(desk.answer(verb, {}, "bob"), allow_nan=False)
    status = desk.answer("status", {}, "bob")
    assert (status["scheduler"], status["environment"], status["mode"]["name"]) == ("s", "e", "running")
    assert [row["schedule"] for row in status["schedules"]] == ["fast", "slow"]
    assert status["bars_done"] < status["bars"] == 48 and status["journal_seq"] is None


def test_commands_are_checked_without_being_given() -> None:
    """One that would be refused refuses all, and nothing is in the journal."""
    disk = SimulatedDisk()
    desk = small_desk(small_run(disk))
    good = ["suspend_schedule", {"schedule": "fast"}]
    assert desk.answer("check", {"commands": [good]}, "ann") == 1
    with pytest.raises(ConfigError, match="Did you mean 'slow'"):
        desk.answer("check", {"commands": [good, ["resume_schedule", {"schedule": "slwo"}]]}, "ann")
    with pytest.raises(UsageError, match="unknown command 'reload'"):
        desk.answer("check", {"commands": [["reload", {}]]}, "ann")
    with pytest.raises(UsageError, match="a list of pairs"):
        desk.answer("check", {"commands": ["halt"]}, "ann")
    assert not [record for _, record in records(disk, FILES) if record["kind"] == "command"]


@pytest.mark.parametrize("name", ["by", "at", "command", "name", "self"])
def test_a_caller_cannot_say_who_it_is_or_when(name: str) -> None:
    """These come from the token and from the loop."""
    desk = small_desk(small_run())
    with pytest.raises(UsageError, match=f"'{name}' is not for a caller to say"):
        desk.answer("halt", {name: "eve"}, "ann")


@pytest.mark.parametrize(
    ("verb", "fields", "told"),
    [
        ("halt", {"resaon": "x"}, "resaon"),
        ("mode", {"reason": "x"}, "mode takes no fields"),
        ("note", {"text": "x"}, "note takes message, category, status"),
        ("stop", {}, "unknown verb 'stop'"),
    ],
)
def test_what_a_verb_does_not_take_is_refused(verb: str, fields: dict[str, Any], told: str) -> None:
    """With what it does take."""
    with pytest.raises(UsageError, match=told):
        small_desk(small_run(SimulatedDisk())).answer(verb, fields, "ann")


def test_a_note_is_written_under_the_token() -> None:
    """With its number; a text that is none, and a run without a journal, are refused."""
    disk = SimulatedDisk()
    desk = small_desk(small_run(disk))
    told = desk.answer("note", {"message": "fire", "category": "incident"}, "ann")
    (seq, record) = next((place.seq, one) for place, one in records(disk, FILES) if one["kind"] == "incident")
    assert (told["seq"], record["message"], record["by"]) == (seq, "fire", "ann")
    with pytest.raises(UsageError, match="are texts"):
        desk.answer("note", {"message": 3}, "ann")
    with pytest.raises(UsageError, match="--no-journal"):
        small_desk(small_run()).answer("note", {"message": "x"}, "ann")
