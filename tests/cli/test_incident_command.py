"""`barstep incident`: a file and a record of the journal, under a token, or neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_folder import written

Run = Callable[..., Any]
JOURNAL = Path("audit/decision_logs/demo.jsonl")
OPEN = ("incident", "open", "--alert-type", "feed", "--severity", "critical", "--message", "feed down")


@pytest.fixture(autouse=True)
def journal(scheduler_folder: Path) -> None:
    written()


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in JOURNAL.read_text().splitlines()]


def test_an_incident_is_opened_listed_and_closed(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time a signed record of category incident; the second of a day has a name of its own."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "a secret of the operator")
    ran = barstep(*OPEN)
    assert ran.code == 0 and "open, by scheduler-local; journal of demo, record 9" in ran.out
    (path,) = Path("logs/incidents").iterdir()
    assert "not known: there is no ops/oncall_rotation.yaml here" in path.read_text()
    last = records()[-1]
    assert (last["kind"], last["category"], last["status"], last["by"]) == (
        "incident",
        "incident",
        None,
        "scheduler-local",
    )
    assert last["message"] == f"incident {path.stem} opened: feed, critical, L1: feed down"
    second = json.loads(barstep(*OPEN, "--json").out)
    assert second["file"] == f"logs/incidents/{path.stem}-2.md"
    several = barstep("incident", "close", "--message", "x")
    assert several.code == 2 and "several are open" in several.err
    closed = barstep("incident", "close", "--file", path, "--message", "fallback feed", "--status", "acknowledged")
    assert closed.code == 0
    assert (records()[-1]["status"], records()[-1]["category"]) == ("acknowledged", "incident")
    assert records()[-1]["message"] == f"incident {path.stem} closed: fallback feed"
    assert barstep("incident", "close", "--message", "back").code == 0
    assert records()[-1]["status"] == "restored"
    listed = json.loads(barstep("incident", "list", "--json").out)["incidents"]
    assert sorted(one["status"] for one in listed) == ["acknowledged", "restored"]
    assert barstep("incident", "list", "--open").out == "0 incidents are open in logs/incidents\n"
    assert "critical  feed" in barstep("incident", "list").out
    assert barstep("decision-log", "verify").code == 0


def test_without_a_token_there_is_neither_file_nor_record(barstep: Run) -> None:
    """Exit 4, and nothing is left behind; nor is an incident closed."""
    before = JOURNAL.read_bytes()
    ran = barstep(*OPEN)
    assert ran.code == 4 and "CORE_SCHEDULER_TOKEN" in ran.err
    assert not list(Path("logs/incidents").iterdir())
    assert JOURNAL.read_bytes() == before


def test_a_journal_that_failed_does_not_keep_it_from_being_written_down(
    barstep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is gone, that is told; with --without-journal the file is written, and says so."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "a secret of the operator")
    gone = barstep(*OPEN, "--journal-folder", "elsewhere")
    assert gone.code == 3 and not list(Path("logs/incidents").iterdir())
    ran = barstep(*OPEN, "--without-journal")
    assert ran.code == 0 and "not in the journal" in ran.out
    (path,) = Path("logs/incidents").iterdir()
    assert "(not in the journal)" in path.read_text()
    wrong = barstep("incident", "open", "--alert-type", "fed", "--message", "x")
    assert wrong.code == 2 and "Did you mean 'feed'" in wrong.err
