"""How one segment follows another."""

from __future__ import annotations

from itertools import pairwise

import pytest
from barstep.errors import JournalError
from barstep.replay.journal.files import read_head
from journal_making import FILES, FOLDER, DiskKeys, kinds, open_journal, payload, records, written


def test_a_next_segment_that_nothing_decided_for_is_not_taken() -> None:
    """One that was staged, and one that is torn: the open segment goes on, and the next seal writes over it."""
    disk, journal = written(1, 2)
    other, sealing = written(1, 2)
    other.stops_at = len(other.calls) + 4  # staged, and nothing else
    with pytest.raises(Exception, match="power lost"):
        sealing.seal(payload("checkpoint"))
    staged = other.read(FILES.next_segment).read()
    journal.close()
    for data in (staged, staged[:-9], staged + staged, b""):
        disk.put(FILES.next_segment, data)
        open_journal(disk).close()
        assert kinds(disk) == ["genesis", "note", "note"]
    with open_journal(disk) as journal:
        journal.seal(payload("checkpoint"))
    assert kinds(disk)[-2:] == ["sealed", "checkpoint"] and FILES.next_segment.name not in disk.names(FOLDER)


def test_a_second_journal_does_not_begin_with_keys_that_sign_another() -> None:
    """It is refused, with what to do, and writes no record; the journal that the keys sign goes on."""
    disk, journal = written(1, 2)
    journal.close(payload("checkpoint"))
    with pytest.raises(JournalError, match=r"^/other: .* at epoch 1, .* keys init --environment demo --keys-folder"):
        open_journal(disk, DiskKeys(disk), folder=FOLDER.with_name("other"))
    assert disk.names(FOLDER.with_name("other")) == ["demo.lock"]
    open_journal(disk).close()


def test_a_file_under_the_sealed_name_is_not_written_over() -> None:
    """The seal fails, and once that file is moved away the next start finishes it."""
    disk, journal = written(1, 2)
    disk.put(FILES.sealed(0), b"somebody's")
    with pytest.raises(JournalError, match=r"demo\.000000000000\.jsonl: is there already"):
        journal.seal(payload("checkpoint"))
    journal.close()
    assert disk.read(FILES.sealed(0)).read() == b"somebody's"
    disk.remove(FILES.sealed(0))
    open_journal(disk).close()
    assert kinds(disk) == ["genesis", "note", "note", "sealed", "checkpoint", "recovered"]
    assert all(later.seq == earlier.seq + 1 for (earlier, _), (later, _) in pairwise(records(disk)))
    head = read_head(disk, FILES.head)
    assert head is not None and head.seq == 5
