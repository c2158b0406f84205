"""Notes and incidents, through any writer."""

from __future__ import annotations

from typing import Any

import pytest
from barstep.errors import JournalError, UsageError
from barstep.replay.journal.notes import append_note, make_note


class Noted:
    """A writer that keeps what it is given, and what is committed."""

    def __init__(self, *, fails: bool = False) -> None:
        self.pending: list[dict[str, Any]] = []
        self.committed: list[dict[str, Any]] = []
        self._fails = fails

    def append_record(self, record: dict[str, Any]) -> int:
        self.pending.append(record)
        return 41 + len(self.pending)

    def commit(self) -> None:
        if self._fails:
            raise JournalError("the disk is full")
        self.committed, self.pending = self.committed + self.pending, []


def test_a_note_is_committed_before_it_is_told() -> None:
    """Its number comes back when it is durable, and not where it is not."""
    writer = Noted()
    note = make_note(message="m", by="desk", now_us=0)
    assert append_note(writer, note) == 42
    assert writer.committed == [note]
    with pytest.raises(JournalError):
        append_note(Noted(fails=True), note)


def test_kind_and_time_come_first() -> None:
    """As in every record; the category decides which kind it is."""
    note = make_note(message="m", by="desk", now_us=1, category="stage4_smoke", status="acknowledged")
    assert list(note)[:2] == ["kind", "at"]
    assert note == {
        "kind": "note", "at": "1970-01-01T00:00:00.000001Z", "category": "stage4_smoke", "message": "m",
        "status": "acknowledged", "by": "desk",
    }  # fmt: skip
    assert make_note(message="m", by="desk", now_us=1, category="incident")["kind"] == "incident"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"category": "x"}, "unknown category 'x'"),
        ({"status": "x"}, "unknown status 'x'"),
        ({"message": ""}, "is empty"),
    ],
)
def test_what_is_no_note_is_refused(change: dict[str, str], text: str) -> None:
    """With what is allowed."""
    with pytest.raises(UsageError, match=text):
        make_note(**{"message": "m", "by": "desk", "now_us": 0, **change})  # type: ignore[arg-type]
