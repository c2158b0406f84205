"""Reading a journal to fold it."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.errors import JournalError
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from journal_making import FILES, payload, records, written


def test_records_come_back_as_they_were_given() -> None:
    """Text and numbers, bit for bit, in order, whether given as members or as fields."""
    disk, journal = written(2, 3)
    journal.append_record({"kind": "note", "at": "2024-01-01T00:00:00.000000Z", "value": 0.1 + 0.2})
    journal.commit()
    read = [fields for _, fields in records(disk)]
    assert [one.get("message") for one in read[1:-1]] == [f"zażółć {number}" for number in range(6)]
    assert [one["value"] for one in read[1:]] == [*(number / 7 for number in range(6)), 0.1 + 0.2]
    assert list(read[1]) == ["kind", "at", "message", "value"]


def test_reading_says_where_no_journal_is_and_where_one_is_broken() -> None:
    """A gap between two segments is one too; a last line that is still being written is left out."""
    disk, journal = written(1, 2)
    with pytest.raises(JournalError, match=r"nowhere/demo\.jsonl: there is no open journal of environment 'demo'"):
        next(read_payloads(JournalFiles(folder=Path("nowhere"), environment="demo")))
    journal.close(payload("checkpoint"))
    whole = disk.read(FILES.sealed(0)).read()
    disk.put(FILES.open_segment, disk.read(FILES.open_segment).read() + b'{"v":1')
    assert len(records(disk)) == 5
    disk.put(FILES.sealed(0), whole[: whole[:-1].rindex(b"\n") + 1])
    with pytest.raises(JournalError, match=r"demo\.jsonl, line 1: record 4 does not follow record 2"):
        records(disk)
    disk.put(FILES.sealed(0), whole[:-1])
    with pytest.raises(JournalError, match=r"demo\.0{12}\.jsonl, line 4: is no whole record"):
        records(disk)
