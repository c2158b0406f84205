"""`barstep halt`, `reduce`, `resume`, and `barstep scheduler reload`, where no loop runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scheduler_folder import BARS, JOURNAL, records

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("scheduler_folder")


@pytest.mark.parametrize(("command", "mode"), [("halt", "halted"), ("reduce", "reducing"), ("resume", "running")])
def test_the_mode_is_in_the_journal_for_the_next_run(barstep: Run, command: str, mode: str) -> None:
    """With its reason; the snapshot of a later command shows it."""
    assert barstep("scheduler", "run", *BARS, "--suspend-tag", "mean").code == 0
    assert barstep("halt").code == 0
    done = barstep(command, "--reason", "fire")
    assert (done.code, done.out) == (0, f"demo: {mode} (fire)\n")
    told = json.loads(barstep(command, "--json").out)
    assert told["name"] == mode
    assert records("command")[-1]["command"]["command"] == command
    assert barstep(command, "--token-file", "absent.token").code == 3


def test_a_halted_loop_refuses_its_signals(barstep: Run) -> None:
    """Run after the command, every signal is dropped for it."""
    assert barstep("scheduler", "run", *BARS, "--list-schedules").code == 0
    assert barstep("scheduler", "run", *BARS, "--suspend-tag", "mean").code == 0
    assert barstep("halt", "--reason", "fire").code == 0
    done = barstep("scheduler", "run", "--run-once", "--json")
    assert json.loads(done.out)["run"]["mode"]["reason"] == "fire"
    assert {one["status"] for one in records("decision")} <= {"dropped"}


def test_a_reload_without_a_loop_is_in_force_at_the_next_start(barstep: Run) -> None:
    """Before it, a run is refused; after it, it goes on; the same again changes nothing."""
    config = Path("config/core.yaml")
    assert barstep("scheduler", "run", *BARS, "--suspend-tag", "mean").code == 0
    config.write_text(config.read_text().replace("profile_floor: 0.1", "profile_floor: 0.2"))
    assert barstep("scheduler", "run", "--run-once").code == 5
    told = barstep("scheduler", "reload")
    assert told.code == 0, told.err
    assert "  runtime.multi_strategy_schedulers.core_multi.capital_policy.profile_floor" in told.out.splitlines()
    assert "  set capital policy done" in told.out.splitlines()
    assert "is the one in force" in barstep("scheduler", "reload").out
    assert json.loads(barstep("scheduler", "reload", "--json").out)["changed"] == []
    done = barstep("scheduler", "run", "--run-once")
    assert done.code == 0, done.err
    assert barstep("decision-log", "verify").code == 0


def test_a_session_with_a_reload_in_it_is_done_again_from_its_journal(barstep: Run) -> None:
    """By the configuration that it was begun with, which is kept beside it, whatever the file says now."""
    config = Path("config/core.yaml")
    assert barstep("scheduler", "run", *BARS, "--run-once").code == 0
    config.write_text(config.read_text().replace("profile_floor: 0.1", "profile_floor: 0.2"))
    assert barstep("scheduler", "reload").code == 0
    again = barstep("replay", "--from-journal", JOURNAL)
    assert again.code == 0 and "all the same" in again.out and "1 commands" in again.out
