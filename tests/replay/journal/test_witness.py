"""A witness goes on and never back."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from barstep.errors import DataError, JournalError
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.witness import default_witness, export_head, head_of, read_witness
from plain_journal import PlainJournal, fill


@pytest.fixture
def journal(tmp_path: Path) -> PlainJournal:
    """One segment."""
    return fill(PlainJournal(tmp_path / "logs", bytes(32)), 5, 1, np.random.default_rng(0))


def files_of(journal: PlainJournal) -> JournalFiles:
    return JournalFiles(folder=journal.folder, environment="demo")


def test_a_witness_is_a_copy_of_the_head(journal: PlainJournal, tmp_path: Path) -> None:
    """0600, in folders that are made, and it follows the journal."""
    path = tmp_path / "var" / "witness.json"
    assert export_head(files_of(journal), path) == read_witness(path) == head_of(files_of(journal))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == journal.head()
    journal.write("note")
    journal.save()
    export_head(files_of(journal), path)
    assert read_witness(path).seq == journal.seq
    assert [one.name for one in path.parent.iterdir()] == ["witness.json"]
    assert default_witness("demo") == Path("var/audit/witness/demo.json")


def test_a_witness_that_has_seen_more_is_kept(journal: PlainJournal, tmp_path: Path) -> None:
    """Also one that has seen another record, another journal, or that is no witness."""
    path, before = tmp_path / "witness.json", journal.head()
    journal.write("note")
    ahead = journal.head()
    for data, kind, text in (
        (ahead, JournalError, "was rolled back"),
        (before.replace(b'"mac":"', b'"mac":"0')[:-4] + b'"}\n', JournalError, "was rolled back"),
        (before.replace(journal.log.encode(), b"f" * 32), JournalError, "has seen journal ffff"),
        (b"something else", DataError, "is no witness"),
    ):
        path.write_bytes(data)
        with pytest.raises(kind, match=text):
            export_head(files_of(journal), path)
        assert path.read_bytes() == data


def test_without_a_journal_there_is_no_head(tmp_path: Path) -> None:
    """It is said where one was looked for."""
    with pytest.raises(DataError, match=r"demo\.head\.json: no such head"):
        head_of(JournalFiles(folder=tmp_path, environment="demo"))
