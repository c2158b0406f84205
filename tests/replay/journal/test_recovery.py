"""What start-up makes of a journal that was cut off, and what it refuses. `SEEDS` says how many cuts are tried."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
from barstep.errors import JournalError
from barstep.replay.keys import EpochKey
from journal_making import FILES, FOLDER, OTHER_ROOT, DiskKeys, note, open_journal, records, written
from simulated_disk import SimulatedDisk

SEEDS = int(os.environ.get("SEEDS", "1"))


class Recording:
    """A segment in groups of four, and the head that each group left.

    Attributes:
        data: Its bytes.
        ends: Where each line ends.
        heads: The head's bytes by where its group ends.
    """

    def __init__(self, groups: int) -> None:
        disk = SimulatedDisk()
        journal = open_journal(disk)
        self.heads: dict[int, bytes] = {}
        for group in range(groups):
            for number in range(4):
                journal.append(note(group * 4 + number))
            journal.commit()
            self.data, head = (disk.read(path).read() for path in (FILES.open_segment, FILES.head))
            self.heads[len(self.data)] = head
        self.ends = [at + 1 for at, byte in enumerate(self.data) if byte == ord("\n")]

    def cut(self, at: int, head: bytes) -> SimulatedDisk:
        disk = SimulatedDisk()
        DiskKeys(disk)
        disk.put(FILES.open_segment, self.data[:at])
        disk.put(FILES.head, head)
        return disk


def assert_recovers(recording: Recording, at: int) -> None:
    """A cut behind the last group that was acknowledged: whole records stay, the rest is set aside, both are told."""
    acknowledged = max(end for end in recording.heads if end <= at)
    whole = max(end for end in recording.ends if end <= at)
    kept = sum(acknowledged < end <= whole for end in recording.ends)
    disk = recording.cut(at, recording.heads[acknowledged])
    open_journal(disk).close()
    data = disk.read(FILES.open_segment).read()
    count = recording.ends.index(whole) + 1
    told = {"torn": f"demo.torn-{count}" if at > whole else None, "kept": kept}
    assert data[:whole] == recording.data[:whole]
    if whole == at == acknowledged:
        assert len(data) == whole
        return
    place, fields = records(disk)[count]
    assert len(records(disk)) == count + 1 and place.kind == "recovered"
    assert {name: fields[name] for name in told} == told
    if at > whole:
        assert disk.read(FOLDER / f"demo.torn-{count}").read() == recording.data[whole:at]
    open_journal(disk).close()
    assert disk.read(FILES.open_segment).read() == data, "a second start has nothing to mend"


def test_a_segment_cut_anywhere_keeps_what_was_acknowledged() -> None:
    """At every byte of 40 records (a few of them, and all around the ends of lines, in a short run)."""
    recording = Recording(10)
    first = min(recording.heads)
    step = max(1, 40 // SEEDS)
    near = {end + shift for end in recording.ends for shift in (-108, -2, -1, 0, 1)}
    cuts = [at for at in range(first, len(recording.data) + 1) if at % step == 0 or at in near]
    for at in cuts:
        assert_recovers(recording, at)


def test_a_long_segment_cut_anywhere_keeps_what_was_acknowledged() -> None:
    """At random bytes of 1,000 records."""
    recording = Recording(250)
    rng = np.random.default_rng(SEEDS)
    for at in rng.integers(min(recording.heads), len(recording.data) + 1, 12 * SEEDS).tolist():
        assert_recovers(recording, at)


def test_a_cut_below_the_head_is_refused_and_nothing_is_changed() -> None:
    """Wherever it is: records that somebody was told of are missing."""
    recording = Recording(3)
    head = recording.heads[len(recording.data)]
    step = max(1, 20 // SEEDS)
    for at in {*range(0, len(recording.data) - 1, step), len(recording.data) - 1, *recording.ends[:-1]}:
        disk = recording.cut(at, head)
        with pytest.raises(JournalError, match=r"records are missing|holds no whole record"):
            open_journal(disk)
        assert disk.read(FILES.open_segment).read() == recording.data[:at]
        assert [name for name in disk.names(FOLDER) if "torn" in name] == []


def test_every_torn_line_at_one_place_is_kept() -> None:
    """A start that lost power before it said so set one aside; the next one's goes beside it."""
    recording = Recording(1)
    head = recording.heads[len(recording.data)]
    disk = recording.cut(len(recording.data), head)
    for number, torn in enumerate((b"first", b"second")):
        disk.put(FILES.open_segment, recording.data + torn)
        disk.put(FILES.head, head)
        open_journal(disk).close()
        assert disk.read(FILES.torn(5, number)).read() == torn
    assert records(disk)[-1][1]["torn"] == "demo.torn-5-1"


def _edit(disk: SimulatedDisk) -> None:
    data = disk.read(FILES.open_segment).read()
    disk.put(FILES.open_segment, data.replace(b'"value":0.0', b'"value":9.0'))


def _drop_a_line(disk: SimulatedDisk) -> None:
    lines = disk.read(FILES.open_segment).read().splitlines(keepends=True)
    disk.put(FILES.open_segment, b"".join(lines[:2] + lines[3:]))


def _other_key(disk: SimulatedDisk) -> None:
    DiskKeys(disk).advance(EpochKey.first(OTHER_ROOT))


def _older_journal(disk: SimulatedDisk) -> None:
    disk.put(FILES.open_segment, written(1, 2)[0].read(FILES.open_segment).read())


def _other_record(disk: SimulatedDisk) -> None:
    head = disk.read(FILES.head).read()
    disk.put(FILES.head, head[:-99] + b"0" * 96 + head[-3:])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_edit, "record 1: is not signed by the key at hand"),
        (_drop_a_line, "line 3: record 3 does not follow record 1"),
        (_other_key, "record 0: is not signed by the key at hand"),
        (_older_journal, "says record 4 .* ends with record 2 .* records are missing"),
        (_other_record, "says another record 4"),
        (lambda disk: disk.put(FILES.head, b""), "is not the head of a journal"),
        (lambda disk: disk.remove(FILES.head), "head.json: is missing"),
        (lambda disk: disk.remove(FILES.open_segment), "demo.jsonl: is missing"),
        (lambda disk: disk.put(FILES.open_segment, b""), "holds no whole record"),
        (lambda disk: disk.put(FILES.open_segment, b"{}\n"), "line 1: is no whole record"),
    ],
)
def test_what_no_crash_leaves_is_refused(damage: Callable[[SimulatedDisk], None], message: str) -> None:
    """It is told what is wrong and where, every file stays as it was, and the lock is free again."""
    disk, journal = written(1, 4)
    journal.close()
    damage(disk)
    before = {name: disk.read(FOLDER / name).read() for name in disk.names(FOLDER)}
    for _ in range(2):
        with pytest.raises(JournalError, match=message):
            open_journal(disk)
    assert {name: disk.read(FOLDER / name).read() for name in disk.names(FOLDER)} == before
