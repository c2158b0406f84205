"""A journal counted, listed and followed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from barstep.errors import DataError
from barstep.replay.clock import SimulatedClock
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.summary import follow, last_records, summarize
from plain_journal import PlainJournal, fill


@pytest.fixture
def journal(tmp_path: Path) -> PlainJournal:
    """Three segments of random records."""
    return fill(PlainJournal(tmp_path / "logs", bytes(32)), 10, 3, np.random.default_rng(3))


@pytest.fixture
def files(journal: PlainJournal) -> JournalFiles:
    """Where it is."""
    return JournalFiles(folder=journal.folder, environment="demo")


def anything(_: object) -> bool:
    return True


class WaitingClock(SimulatedClock):
    """Does something each time that somebody waits."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = list(steps)

    def sleep_us(self, duration_us: int) -> None:
        super().sleep_us(duration_us)
        self._steps.pop(0)()


def test_counts_add_up(files: JournalFiles, journal: PlainJournal) -> None:
    """Each record is counted once by its kind, whatever else it says; what is empty is not counted."""
    journal.write("run", status="", reason=None, schedule=7)
    journal.save()
    counted = summarize(files)
    assert (counted.records, counted.segments, counted.unreadable) == (journal.seq + 1, 3, 0)
    assert sum(counted.by["kind"].values()) == counted.records
    assert counted.by["status"] == {}
    assert list(counted.by["kind"].values()) == sorted(counted.by["kind"].values(), reverse=True)


def test_the_last_records_go_over_segments(files: JournalFiles, journal: PlainJournal) -> None:
    """Oldest first, as many as are wanted or as there are, with the number of the very last."""
    for count in (0, 1, 11, 12, 25, 1_000):
        records, last = last_records(files, count, anything)
        assert [one["seq"] for one in records] == list(range(journal.seq + 1))[
            journal.seq + 1 - min(count, journal.seq + 1) :
        ]
        assert last == journal.seq
    records, last = last_records(files, 3, lambda one: one["kind"] == "sealed")
    assert ([one["kind"] for one in records], last) == (["sealed", "sealed"], journal.seq)


def test_a_follower_sees_each_record_once(files: JournalFiles, journal: PlainJournal) -> None:
    """Written in pieces, over a seal, and over an open segment that a restart has written anew."""
    began = journal.seq

    def write_part() -> None:
        journal.write("note", message="in two pieces")
        data = b"".join(journal.lines)
        files.open_segment.write_bytes(data[:-50])

    def seal() -> None:
        first = journal.first
        journal.seal()
        sealed = files.sealed(first)
        files.open_segment.write_bytes(sealed.read_bytes())
        files.open_segment.rename(sealed)

    def mend() -> None:
        copy = files.open_segment.with_name("copy")
        copy.touch(mode=0o600)
        copy.write_bytes(files.open_segment.read_bytes())
        copy.rename(files.open_segment)
        journal.write("note", message="last")
        with files.open_segment.open("ab") as file:
            file.write(journal.lines[-1])

    clock = WaitingClock(write_part, journal.save, seal, journal.save, mend)
    seen = [one["seq"] for one in islice(follow(files, began, anything, clock), 4)]
    assert seen == [began + 1, began + 2, began + 3, began + 4]


def test_following_what_is_not_there_is_refused(files: JournalFiles) -> None:
    """There is nothing to wait for."""
    files.open_segment.unlink()
    with pytest.raises(DataError, match="no such segment"):
        next(follow(files, -1, anything, SimulatedClock()))
