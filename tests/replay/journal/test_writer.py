"""The journal's writer, on a disk that works and on one that fails."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from barstep.errors import JournalError, UsageError
from barstep.replay.journal.disk import RealDisk
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import read_chained, sign
from barstep.replay.journal.writer import SEGMENT_RECORDS, TradingDecisionJournal
from barstep.replay.keys import EpochKey
from journal_making import (
    FILES,
    FOLDER,
    LOG,
    OTHER_ROOT,
    ROOT,
    DiskKeys,
    kinds,
    note,
    open_journal,
    payload,
    records,
    written,
)
from simulated_disk import SimulatedDisk

CHECKPOINT = payload("checkpoint", 99, state={"equity": 0.1})


def contents(disk: SimulatedDisk, path: Path) -> bytes:
    with disk.read(path) as file:
        return file.read()


def test_a_new_journal_begins_with_its_genesis_record() -> None:
    """It is signed with the first key, says the id that was given, and the head says it too."""
    disk = SimulatedDisk()
    journal = open_journal(disk)
    read = read_chained(contents(disk, FILES.open_segment)[:-1])
    assert read is not None
    place, body = read
    assert (place.log, place.seq, place.epoch, place.prev, place.kind) == (LOG, 0, 0, "0" * 96, "genesis")
    assert place.mac == journal.mac == sign(body, LOG, EpochKey.first(ROOT).key)
    assert json.loads(contents(disk, FILES.head)) == {"log": LOG, "seq": 0, "mac": place.mac}
    assert (journal.found.torn, journal.found.kept, journal.failed) == (None, 0, None)


def test_nothing_is_on_the_disk_before_the_commit() -> None:
    """A group of three is one write, one fdatasync and the head; a commit of nothing is no call."""
    disk, journal = written(0, 0)
    before, calls = contents(disk, FILES.open_segment), len(disk.calls)
    assert [journal.append(note(number)) for number in range(3)] == [1, 2, 3]
    assert contents(disk, FILES.open_segment) == before and len(disk.calls) == calls
    journal.commit()
    journal.commit()
    assert disk.calls[calls:] == ["write", "fdatasync", "overwrite"]
    assert json.loads(contents(disk, FILES.head)) == {"log": LOG, "seq": 3, "mac": journal.mac}


def test_groups_that_waited_are_made_durable_one_after_the_other() -> None:
    """Each has its write, its fdatasync and its head; an end without a record is no group."""
    disk, journal = written(0, 0)
    calls = len(disk.calls)
    for size in (2, 0, 1):
        for number in range(size):
            journal.append(note(number))
        journal.end_group()
    journal.append(note(9))
    assert len(disk.calls) == calls
    journal.commit()
    assert disk.calls[calls:] == ["write", "fdatasync", "overwrite"] * 3
    assert json.loads(contents(disk, FILES.head))["seq"] == journal.seq == 4
    assert len(records(disk)) == 5


@pytest.mark.parametrize("calls_done", range(1, 10))
def test_after_a_call_that_fails_no_later_group_is_written(calls_done: int) -> None:
    """Of three groups those before the failure are there, whole, and the journal writes nothing more."""
    disk, journal = written(0, 0)
    disk.fails_at = len(disk.calls) + calls_done
    for number in range(3):
        journal.append(note(number))
        journal.end_group()
    with pytest.raises(JournalError, match="a group of records was not written"):
        journal.commit()
    begun, durable = 1 + (calls_done - 1) // 3, calls_done // 3
    assert durable <= [place.seq for place, _ in records(disk.after_power_loss(names_kept=True))][-1] <= begun
    assert len(contents(disk, FILES.open_segment).splitlines()) <= 1 + begun
    for tried in (journal.commit, journal.end_group):
        with pytest.raises(JournalError, match="nothing more"):
            tried()


def test_an_interruption_while_a_group_ends_writes_nothing_twice() -> None:
    """Ctrl-C at any line of it: the journal has failed, or the group is written once."""
    for place in range(1, 8):
        disk, journal = written(0, 0)
        journal.append(note(0))
        lines = iter(range(1, 100))

        def interrupt(frame: FrameType, event: str, _: object, place: int = place, lines: Any = lines) -> Any:
            if frame.f_code is not TradingDecisionJournal.end_group.__code__:
                return None
            if event == "line" and next(lines) == place:
                raise KeyboardInterrupt
            return interrupt

        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            with suppress(KeyboardInterrupt):
                journal.end_group()
        finally:
            sys.settrace(before)
        with suppress(JournalError):
            journal.append(note(1))
            journal.commit()
        journal.close()
        assert [place.seq for place, _ in records(disk)] in ([0], [0, 1], [0, 1, 2])
        open_journal(disk).close()


def test_a_writer_goes_on_where_the_last_one_stopped() -> None:
    """Numbers and chain go through; the new id and genesis record are not used; what was not committed is gone."""
    disk, journal = written(1, 2)
    journal.append(note(7))
    journal.close()
    with open_journal(disk, log_id="cd" * 16) as again:
        assert (again.log_id, again.seq) == (LOG, 2)
        again.append(note(8))
        again.commit()
    assert [place.seq for place, _ in records(disk)] == [0, 1, 2, 3]
    assert kinds(disk) == ["genesis", "note", "note", "note"]


def test_a_sealed_segment_ends_with_sealed_and_the_next_opens_with_a_checkpoint_under_the_next_key() -> None:
    """The group that was waiting is in the sealed one; the store has the evolved key; the head follows."""
    disk, journal = written(1, 2)
    journal.append(note(2))
    journal.seal(CHECKPOINT)
    assert json.loads(contents(disk.after_power_loss(), FILES.head))["seq"] == 5
    journal.append(note(3))
    journal.commit()
    assert [path.name for path in FILES.sealed_segments(disk)] == ["demo.000000000000.jsonl"]
    read = records(disk)
    assert [place.kind for place, _ in read] == ["genesis", "note", "note", "note", "sealed", "checkpoint", "note"]
    assert [place.epoch for place, _ in read] == [0, 0, 0, 0, 0, 1, 1]
    assert read[4][1] == {"kind": "sealed", "at": "2024-01-01T00:01:39.000000Z", "reason": "full"}
    assert DiskKeys(disk).current() == EpochKey.first(ROOT).evolved()
    assert journal.segment_seq == 5 and json.loads(contents(disk, FILES.head))["seq"] == 6
    assert read[5][1]["state"] == {"equity": 0.1}


def test_a_rotation_seals_under_the_old_root_and_opens_under_the_new() -> None:
    """Epochs count from 0 again, under another `kid`; the same root is refused before anything is written."""
    disk, journal = written(1, 1)
    with pytest.raises(UsageError, match="signs this journal already"):
        journal.seal(CHECKPOINT, reason="rotated", key=EpochKey.first(ROOT))
    new = EpochKey.first(OTHER_ROOT)
    journal.seal(CHECKPOINT, reason="rotated", key=new)
    journal.close()
    places = [place for place, _ in records(disk)]
    assert [(place.kid, place.epoch) for place in places[-2:]] == [(EpochKey.first(ROOT).kid, 0), (new.kid, 0)]
    open_journal(disk).close()


def test_a_loop_that_ends_in_order_seals() -> None:
    """The next start stands behind a checkpoint, and has nothing to recover."""
    disk, journal = written(1, 1)
    journal.append(note(1))
    journal.close(CHECKPOINT)
    assert [fields.get("reason") for _, fields in records(disk)][-2] == "ended"
    with open_journal(disk) as again:
        assert (again.segment_seq, again.found.last.kind, again.found.kept) == (4, "checkpoint", 0)


def test_a_segment_wants_sealing_when_it_is_long() -> None:
    """At 65,536 records, and not any more when it has been sealed."""
    disk, journal = written(1, SEGMENT_RECORDS - 2)
    assert not journal.is_full
    journal.append(note(0))
    assert journal.is_full
    journal.seal(CHECKPOINT)
    assert not journal.is_full and len(FILES.sealed_segments(disk)) == 1


@pytest.mark.parametrize("call", ["write", "fdatasync", "overwrite"])
def test_a_call_that_fails_is_not_believed(call: str) -> None:
    """The commit raises, so does everything after it, and nothing more gets to the disk though the disk works again."""
    disk, journal = written(1, 2)
    calls = ["write", "fdatasync", "overwrite"]
    disk.fails_at = len(disk.calls) + 1 + calls.index(call)
    journal.append(note(2))
    with pytest.raises(JournalError, match=f"a group of records was not written: OSError.*{call}"):
        journal.commit()
    left = contents(disk, FILES.open_segment)
    for use in (lambda: journal.append(note(3)), journal.commit, lambda: journal.seal(CHECKPOINT)):
        with pytest.raises(JournalError, match="writes nothing more"):
            use()
    journal.close()
    assert contents(disk, FILES.open_segment) == left and journal.failed is not None


def test_any_call_of_a_seal_that_fails_ends_the_journal_and_no_record_is_lost() -> None:
    """Whichever it is, the seal raises, and the next start has all that was acknowledged."""
    disk, journal = written(1, 2)
    before = len(disk.calls)
    journal.seal(CHECKPOINT)
    after = len(disk.calls)
    assert after - before > 10
    for failing in range(before + 1, after + 1):
        disk, journal = written(1, 2)
        disk.fails_at = failing
        with pytest.raises(JournalError, match="a segment was not sealed"):
            journal.seal(CHECKPOINT)
        assert journal.failed is not None
        journal.close()
        with open_journal(disk) as again:
            again.append(note(2))
            again.commit()
        assert kinds(disk)[:3] == ["genesis", "note", "note"] and kinds(disk)[-1] == "note"


def test_any_call_of_a_start_that_fails_is_told_and_the_next_start_works() -> None:
    """No start believes a disk that failed, and none leaves the lock held."""
    total = len(written(0, 0)[0].calls)
    disk = SimulatedDisk()
    DiskKeys(disk)
    for failing in range(len(disk.calls) + 1, total + 1):
        disk = SimulatedDisk()
        DiskKeys(disk)
        disk.fails_at = failing
        try:
            open_journal(disk)
        except JournalError:
            open_journal(disk).close()
        else:
            pytest.fail(f"call {failing}, {disk.calls[failing - 1]}, failed unseen")


@pytest.mark.parametrize(
    "members",
    [b'"at":"2024-01-01T00:00:00.000000Z","kind":"note"', b'"kind":"note","at":"2024-01-01"', b"",
     note(1) + b"\n", note(1) + "ż".encode(), b'"kind":"Note","at":"2024-01-01T00:00:00.000000Z"'],
)  # fmt: skip
def test_what_would_be_no_record_is_refused(members: bytes) -> None:
    """And the journal goes on without it."""
    disk, journal = written(0, 0)
    with pytest.raises(UsageError, match="begin with kind and at"):
        journal.append(members)
    journal.append(note(1))
    journal.commit()
    assert kinds(disk) == ["genesis", "note"]


def test_what_a_journal_begins_with_is_checked_first() -> None:
    """An id that is none, a first record of another kind, an environment's name that is a path: nothing is made."""
    disk = SimulatedDisk()
    keys = DiskKeys(disk)
    given = {"log_id": LOG, "genesis": payload("genesis"), "now_us": 0, "disk": disk}
    for environment, wrong, message in (
        ("demo", {"log_id": "AB"}, "32 hexadecimal"),
        ("demo", {"genesis": note(1)}, "allowed is 'genesis'"),
        ("../demo", {}, "letters, digits"),
    ):
        with pytest.raises(UsageError, match=message):
            TradingDecisionJournal.open(FOLDER, environment, keys, **{**given, **wrong})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="allowed is 'checkpoint'"):
        open_journal(disk).seal(note(1))
    assert disk.names(FOLDER) == ["demo.head.json", "demo.jsonl", "demo.lock"]


HOLDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from barstep.replay.journal.disk import RealDisk
from journal_making import DiskKeys, note, open_journal
from barstep.errors import BarstepError
folder = Path(sys.argv[2])
try:
    with open_journal(RealDisk(), DiskKeys(RealDisk(), folder / "epoch.key"), folder=folder) as journal:
        print("held", flush=True)
        sys.stdin.read()
except BarstepError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
"""


def test_a_second_process_is_refused_at_once_and_writes_nothing(tmp_path: Path) -> None:
    """It exits with 6 while the first holds the journal, and gets it when the first is killed."""
    folder = tmp_path / "logs"
    RealDisk().make_folder(folder)
    command = [sys.executable, "-c", HOLDER, str(Path(__file__).parents[1]), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        before = {path: path.read_bytes() for path in folder.iterdir()}
        second = subprocess.run(command, input="", capture_output=True, text=True, check=False)
        assert second.returncode == 6, second.stderr
        assert "another process writes the journal of environment 'demo'" in second.stdout
        assert {path: path.read_bytes() for path in folder.iterdir()} == before
        first.kill()
    assert subprocess.run(command, input="", capture_output=True, text=True, check=True).stdout == "held\n"


def test_on_the_real_disk_a_torn_line_is_set_aside(tmp_path: Path) -> None:
    """As on the one in memory: the whole records stay, and the rest has a file of its own."""
    disk, folder = RealDisk(), tmp_path / "logs"
    disk.make_folder(folder)
    keys = DiskKeys(disk, tmp_path / "epoch.key")
    with open_journal(disk, keys, folder=folder) as journal:
        for number in range(300):
            journal.append(note(number))
        journal.commit()
    whole = (folder / "demo.jsonl").read_bytes()
    with (folder / "demo.jsonl").open("ab") as file:
        file.write(whole[-400:-1])
    with open_journal(disk, keys, folder=folder) as journal:
        assert (journal.found.torn, journal.found.kept, journal.seq) == ("demo.torn-301", 0, 301)
    assert (folder / "demo.torn-301").read_bytes() == whole[-400:-1]
    assert (folder / "demo.jsonl").read_bytes()[: len(whole)] == whole
    assert [place.kind for place, _ in read_payloads(JournalFiles(folder=folder, environment="demo"))][-2:] == [
        "note",
        "recovered",
    ]


def test_on_the_real_disk_files_are_private(tmp_path: Path) -> None:
    """All that a journal makes, sealed segments included, and one that others may read is refused at the next start."""
    disk, folder = RealDisk(), tmp_path / "logs"
    disk.make_folder(folder)
    keys = DiskKeys(disk, tmp_path / "epoch.key")
    with open_journal(disk, keys, folder=folder) as journal:
        journal.seal(CHECKPOINT)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "demo.jsonl").chmod(0o644)
    with pytest.raises(JournalError, match=r"demo\.jsonl: has mode 0644"):
        open_journal(disk, keys, folder=folder)
    (folder / "demo.jsonl").chmod(0o600)
    open_journal(disk, keys, folder=folder).close()
