"""A file of commands: what is taken, and what is refused with which words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import barstep as bs
import msgspec
import msgspec.inspect as kinds
import pytest
from barstep.config import commands, policies
from barstep.config.command_reading import ReadCommands, make_command, read_commands

NOON = datetime(2023, 8, 17, 12, tzinfo=UTC)
AT = "at: 2023-08-17T12:00:00Z"
SHAPES = {kind.tag: kind for kind in kinds.type_info(commands.AnyCommand).types}  # type: ignore[attr-defined]
EVERY = {
    "suspend_schedule": "schedule: trend_schedule, reason: night, until: 2023-08-18T06:00:00+02:00, flatten: true",
    "suspend_tag": "tag: trend, duration_seconds: 8h",
    "resume_schedule": "schedule: trend_schedule",
    "resume_tag": "tag: trend",
    "set_signal_limit": "strategy: trend_engine, profile: balanced, limit: 0, reason: thin, duration_seconds: 90",
    "clear_signal_limit": "strategy: trend_engine, profile: balanced",
    "disable_strategy": "strategy: trend_engine, reason: audit, flatten: true",
    "enable_strategy": "strategy: trend_engine, reason: audited",
    "rebalance_capital": "",
    "set_capital_policy": "policy: equal_weight, apply_policy_interval: true, rebalance: false",
    "replace_capital_policy": "policy: {name: composite, components: [{policy: risk_parity}]}",
    "set_allocation_rebalance_seconds": "seconds: 1h",
    "halt": "reason: fire",
    "reduce": "reason: smoke",
    "resume": "reason: rain",
    "use_feed": "feed: fallback, instrument: BTC/USDT",
}


def read(text: str, folder: Path) -> ReadCommands:
    """What is read from this text."""
    path = folder / "commands.yaml"
    path.write_text(text, encoding="utf-8")
    return read_commands(path)


def one(text: str, folder: Path) -> ReadCommands:
    """What is read from a file with one command, at noon."""
    return read(f"commands:\n  - {{{AT}, {text}}}\n", folder)


def told(found: ReadCommands) -> list[str]:
    """The problems as lines, without the folder."""
    return [str(problem).partition("commands.yaml:")[2] for problem in found.problems]


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_read(name: str, tmp_path: Path) -> None:
    """The Struct of its name, the same that msgspec's own conversion gives."""
    found = one(f"command: {name}, {EVERY[name]}", tmp_path)
    assert told(found) == []
    (command,) = found.commands
    assert type(command) is SHAPES[name].cls
    assert command.at == NOON
    assert msgspec.convert(msgspec.to_builtins(command), commands.AnyCommand) == command


def test_every_command_has_an_example() -> None:
    """None is left out above."""
    assert set(EVERY) == set(SHAPES)


@pytest.mark.parametrize("name", EVERY)
def test_every_key_is_known_or_refused(name: str, tmp_path: Path) -> None:
    """A mistyped key is told with the near name."""
    (line,) = told(one(f"comand: x, command: {name}, {EVERY[name]}", tmp_path))
    assert "commands[0].comand: unknown key 'comand'. Did you mean 'command'? Allowed: " in line


@pytest.mark.parametrize(
    "policy", [kind.tag for kind in kinds.type_info(policies.Policy).types if hasattr(kind, "tag")]
)  # type: ignore[attr-defined]
def test_every_policy_may_be_set(policy: str, tmp_path: Path) -> None:
    """In whatever way the configuration may write it."""
    needed = {
        "metric_weighted": "metrics: {signals: {weight: 1}}",
        "smoothed": "base: equal_weight",
        "risk_profile": "profiles: {balanced: 1}",
        "blended": "components: [{policy: equal_weight}]",
        "tag_quota": "tags: {trend: 1}",
    }
    for command in ("set_capital_policy", "replace_capital_policy"):
        found = one(f"command: {command}, policy: {{name: {policy}, {needed.get(policy, '')}}}", tmp_path)
        assert told(found) == []
        (read,) = found.commands
        assert isinstance(read, commands.SetCapitalPolicy | commands.ReplaceCapitalPolicy)
        assert not isinstance(read.policy, str)
        assert read.policy.__struct_config__.tag == policy
        if policy not in needed:
            assert one(f"command: {command}, policy: {policy}", tmp_path).commands == found.commands


def test_they_come_in_the_order_of_their_instants(tmp_path: Path) -> None:
    """Whatever zone the instants are written in; of one instant, as they stand in the file."""
    text = """
    commands:
      - {at: 2023-08-17T14:00:00Z, command: halt, reason: c}
      - {at: 2023-08-17T13:00:00Z, command: resume, reason: a}
      - {at: 2023-08-17T15:00:00+02:00, command: halt, reason: b}
      - {at: 2023-08-17T14:00:00Z, command: resume, reason: d}
    """
    assert [command.reason for command in read(text, tmp_path).commands] == ["a", "b", "c", "d"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "command: suspend_shedule, schedule: a",
            "2:32: commands[0].command: unknown command 'suspend_shedule'. Did you mean 'suspend_schedule'? Allowed: "
            "clear_signal_limit, ",
        ),
        ("comand: halt", "2:32: commands[0].comand: unknown key 'comand'. Did you mean 'command'? Allowed: command."),
        ("reason: x", "2:5: commands[0]: has no 'command', which is required: suspend_schedule, "),
        ("command: 3", "2:32: commands[0].command: is 3."),
        ("command: suspend_tag", "2:5: commands[0]: has no 'tag', which is required: letters, digits, _ and -."),
        ("command: suspend_tag, tag: [a]", "2:54: commands[0].tag: is a list; allowed is letters, digits, _ and -."),
        ("command: suspend_tag, tag: 12", "commands[0].tag: is 12; allowed is letters, digits, _ and -. Put it in qu"),
        ("command: suspend_tag, tag: a, tag: b", "commands[0].tag: stands twice; it is in line 2 already."),
        ("command: suspend_tag, tag: a, flatten: yes", "commands[0].flatten: is 'yes'; allowed is true or false."),
        (
            "command: suspend_tag, tag: a, duration_seconds: soon",
            "commands[0].duration_seconds: 'soon' is no duration; allowed is seconds (3600), or a number with s, m, h",
        ),
        ("command: suspend_tag, tag: a, duration_seconds: 0", "commands[0].duration_seconds: is 0; allowed is seconds"),
        ("command: suspend_tag, tag: a, until: tomorrow", "commands[0].until: is 'tomorrow'; allowed is an instant"),
        (
            "command: suspend_tag, tag: a, until: 2023-08-18T00:00:00Z, duration_seconds: 1h",
            "2:5: commands[0]: has both 'until' and 'duration_seconds'; one of them says when it ends.",
        ),
        (
            "command: suspend_tag, tag: a, until: 2023-08-17T14:00:00+02:00",
            "commands[0].until: is 2023-08-17T12:00:00+00:00; it must be after 'at', which is "
            "2023-08-17T12:00:00+00:00.",
        ),
        ("command: set_signal_limit, strategy: a, profile: b, limit: -1", "commands[0].limit: is -1; allowed is a who"),
        ("command: set_signal_limit, strategy: a, profile: b, limit: 1.5", "commands[0].limit: is 1.5; allowed is a w"),
        ("command: set_allocation_rebalance_seconds, seconds: 0", "commands[0].seconds: is 0; allowed is seconds, or"),
        (
            "command: set_capital_policy, policy: equal_wieght",
            "commands[0].policy.name: unknown name 'equal_wieght'. Did you mean 'equal_weight'?",
        ),
        (
            "command: set_capital_policy, policy: {name: smoothed, base: {name: drawdown_guard, panic_pct: 8}}",
            "commands[0].policy.base.warning_pct: is 8; it must be less than panic_pct, which is 8.",
        ),
        ("command: rebalance_capital, reason: x", "commands[0].reason: unknown key 'reason'. Allowed: at, command."),
    ],
)
def test_what_cannot_be_is_refused(text: str, says: str, tmp_path: Path) -> None:
    """Line, column, path, the value, what is allowed, and the near name."""
    (line,) = told(one(text, tmp_path))
    assert says in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1:1: is empty; allowed is a mapping."),
        ("- halt\n", "1:1: is a list; allowed is a mapping."),
        ("command: []\n", "1:1: command: unknown key 'command'. Did you mean 'commands'? Allowed: commands."),
        ("commands: halt\n", "1:1: commands: is 'halt'; allowed is a list."),
        ("commands: [halt]\n", "1:12: commands[0]: has no 'at', which is required: an instant, ISO 8601 with a zone"),
        ("commands: [3]\n", "1:12: commands[0]: is 3; allowed is a mapping with a command."),
        ("commands: [{at: 2023-08-17, command: halt}]\n", "commands[0].at: is '2023-08-17'; allowed is an instant"),
        ("commands: [\n", "is no YAML: "),
    ],
)
def test_a_file_that_is_no_list_of_commands(text: str, says: str, tmp_path: Path) -> None:
    """It is one problem at its place."""
    (line,) = told(read(text, tmp_path))
    assert says in line


def test_no_commands_are_a_file_too(tmp_path: Path) -> None:
    """An empty list is read."""
    found = read("commands: []", tmp_path)
    assert (found.problems, found.commands) == ((), ())


def test_all_errors_are_told_in_one_go(tmp_path: Path) -> None:
    """Each at its own place, also behind a command that could not be read."""
    text = """\
commands:
  - {at: 2023-08-17T12:00:00Z, command: hault}
  - {at: noon, command: halt}
  - {at: 2023-08-17T12:00:00Z, command: suspend_tag, tag: a, until: 2023-08-16T00:00:00Z}
"""
    found = read(text, tmp_path)
    assert [line.partition(": ")[0] for line in told(found)] == ["2:32", "3:6", "4:62"]
    assert len(found.commands) == 1


def test_there_is_no_such_file(tmp_path: Path) -> None:
    """It is refused by its name."""
    with pytest.raises(bs.ConfigError, match=r"absent\.yaml: no such file\."):
        read_commands(tmp_path / "absent.yaml")


def test_a_command_made_by_hand_is_held_to_the_same_as_one_in_a_file() -> None:
    """Durations and instants as people write them; None is as good as left out; all that is wrong is told."""
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    made = make_command(
        {"command": "suspend_schedule", "at": noon, "schedule": "a", "duration_seconds": "15m", "until": None}
    )
    assert made == commands.SuspendSchedule(at=noon, schedule="a", duration_seconds=900.0)
    smoothed = {"name": "smoothed", "base": "equal_weight"}
    policy = make_command({"command": "set_capital_policy", "at": noon, "policy": smoothed})
    assert isinstance(policy, commands.SetCapitalPolicy)
    with pytest.raises(bs.UsageError, match=r"until: .*must be after 'at'"):
        make_command({"command": "suspend_schedule", "at": noon, "schedule": "a", "until": noon})
    with pytest.raises(bs.UsageError) as told:
        make_command({"command": "suspend_schedule", "at": noon, "scedule": "a", "duration_seconds": -1})
    assert "schedule" in str(told.value)
    assert "duration_seconds" in str(told.value)
