"""Verification: no false alarm on what a writer, a crash or a rotation leaves; the keys and the witness it takes."""

from __future__ import annotations

import gc
import json
import os
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from barstep.errors import DataError, JournalError, UsageError
from barstep.replay.journal.faults import Fault, Verdict
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.verification import Verification, verify
from barstep.replay.key_files import KeyRing
from barstep.replay.keys import EpochKey
from plain_journal import PlainJournal, epoch_key, fill, head_line, root_id

SEEDS = int(os.environ.get("SEEDS", "1"))
ROOT, SECOND_ROOT = bytes(range(32)), bytes(range(32, 64))


def machine_key(journal: PlainJournal) -> EpochKey:
    """What `epoch.key` of the open segment holds."""
    return EpochKey(kid=root_id(journal.root), epoch=journal.epoch, key=epoch_key(journal.root, journal.epoch))


def look(folder: Path, *keys: EpochKey, witness: Path | None = None) -> Verification:
    return verify(JournalFiles(folder=folder, environment="demo"), KeyRing(*keys), witness=witness)


def verdicts(found: Verification) -> list[str]:
    return [fault.verdict.value for fault in found.faults]


@pytest.fixture
def journal(tmp_path: Path) -> PlainJournal:
    """Three segments, 27 records."""
    return fill(PlainJournal(tmp_path / "logs", ROOT), 7, 3, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(40 * SEEDS))
def test_an_untouched_journal_raises_no_alarm(seed: int, tmp_path: Path) -> None:
    """Of any length, rotated or not, with records past the head or a recovered tear, in each state of sealing."""
    rng = np.random.default_rng(seed)
    journal = PlainJournal(tmp_path / "logs", ROOT, log=rng.bytes(16).hex())
    journal.write("genesis", environment="demo")
    head = journal.head()
    for _ in range(int(rng.integers(0, 40))):
        step = rng.random()
        if step < 0.1:
            journal.seal()
        elif step < 0.15 and journal.root == ROOT:
            journal.seal(SECOND_ROOT)
        elif step < 0.25:
            journal.write("recovered", torn="demo.torn-3", kept=1)
        else:
            journal.write(
                "note", message='{"v":1,"log":"' * int(rng.integers(3)), inner={"v": 1, "log": "x", "mac": "y"}
            )
        if rng.random() < 0.8:
            head = journal.head()
    key = machine_key(journal)
    journal.save()
    if journal.first and rng.random() < 0.3:  # between the two renames
        (journal.folder / "demo.jsonl").rename(journal.folder / "demo.next")
        head = _head_of(sorted(journal.folder.glob("demo.0*.jsonl"))[-1])
    (journal.folder / "demo.head.json").write_bytes(head)
    witness = tmp_path / "witness"
    witness.write_bytes(head)
    for ring in ((EpochKey.first(ROOT), EpochKey.first(SECOND_ROOT)), (key,), (key, EpochKey.first(ROOT)), ()):
        found = look(journal.folder, *ring, witness=witness)
        assert found.is_good(strict=False), list(map(str, found.faults))
        assert set(verdicts(found)) <= {"UNVERIFIED"}
    assert verdicts(look(journal.folder, EpochKey.first(ROOT), EpochKey.first(SECOND_ROOT))) == ["UNWITNESSED"]


def _head_of(segment: Path) -> bytes:
    last = json.loads(segment.read_bytes().split(b"\n")[-2])
    return head_line(last)


def test_a_next_segment_counts_from_the_moment_that_the_open_one_is_sealed(journal: PlainJournal) -> None:
    """A crash between sealing and renaming leaves it under its first name, with its key on the machine already."""
    name = f"demo.{journal.first:012}.jsonl"
    journal.seal()
    journal.folder.joinpath(name).rename(journal.folder / "demo.jsonl")
    staged = journal.folder / "demo.next"
    staged.touch(mode=0o600)
    staged.write_bytes(b"".join(journal.lines))
    found = look(journal.folder, machine_key(journal))
    assert (found.last_seq, verdicts(found)) == (journal.seq, ["UNVERIFIED"] * 3 + ["UNWITNESSED"])
    lines = (journal.folder / "demo.jsonl").read_bytes().split(b"\n")
    (journal.folder / "demo.jsonl").write_bytes(b"\n".join(lines[:-2]) + b"\n")
    found = look(journal.folder, EpochKey.first(ROOT))
    assert (found.last_seq, verdicts(found)) == (journal.seq - 2, ["UNWITNESSED"])


def test_it_says_how_much_it_checked(journal: PlainJournal) -> None:
    """Records, good signatures, segments, and how far journal and head go; as JSON too."""
    found = look(journal.folder, EpochKey.first(ROOT))
    assert (found.records, found.signed, found.segments) == (27 - 1, 26, 3)
    assert (found.last_seq, found.head_seq, found.witness_seq, found.log) == (25, 25, None, journal.log)
    document = json.loads(json.dumps(found.as_json(strict=True)))
    assert (document["ok"], document["faults"][0]["verdict"]) == (False, "UNWITNESSED")
    assert found.as_json(strict=False)["ok"]


def test_the_machines_key_checks_the_open_segment_alone(journal: PlainJournal) -> None:
    """Its past is UNVERIFIED, which strictness makes a fault; a key that lags behind by a crash does as well."""
    found = look(journal.folder, machine_key(journal))
    assert verdicts(found) == ["UNVERIFIED", "UNVERIFIED", "UNWITNESSED"]
    assert found.signed == 8 and found.is_good(strict=False) and not found.is_good(strict=True)
    behind = EpochKey(kid=root_id(ROOT), epoch=1, key=epoch_key(ROOT, 1))
    assert verdicts(look(journal.folder, behind)) == ["UNVERIFIED", "UNWITNESSED"]


def test_a_rotation_takes_both_roots(journal: PlainJournal) -> None:
    """Each root verifies its own segments; the newest one without its key is WRONG KEY where there are other keys."""
    journal.seal(SECOND_ROOT)
    journal.write("note", message="after")
    journal.save()
    first, second = EpochKey.first(ROOT), EpochKey.first(SECOND_ROOT)
    assert verdicts(look(journal.folder, first, second)) == ["UNWITNESSED"]
    assert verdicts(look(journal.folder, second)) == ["UNVERIFIED"] * 3 + ["UNWITNESSED"]
    assert verdicts(look(journal.folder, first)) == ["WRONG KEY", "UNWITNESSED"]
    assert verdicts(look(journal.folder)) == ["UNVERIFIED"] * 4 + ["UNWITNESSED"]


def test_a_key_of_the_right_name_that_signed_nothing_is_a_wrong_key(journal: PlainJournal) -> None:
    """Not thirty edited records: one finding over the whole segment."""
    found = look(journal.folder, EpochKey(kid=root_id(ROOT), epoch=2, key=b"x" * 48))
    assert verdicts(found) == ["UNVERIFIED", "UNVERIFIED", "WRONG KEY", "UNWITNESSED"]
    assert (found.faults[2].file, found.faults[2].line, found.faults[2].records) == ("demo.jsonl", 1, 8)


def test_a_witness_has_seen_no_more_than_there_is(journal: PlainJournal, tmp_path: Path) -> None:
    """An older head of the same journal is a good witness; one that is ahead, or of another record, is not."""
    witness = tmp_path / "witness.json"
    lines = b"".join(path.read_bytes() for path in sorted(journal.folder.glob("demo.*jsonl"))).split(b"\n")[:-1]
    older = json.loads(lines[3])
    for change in ({}, {"mac": "0" * 96}, {"seq": 99}, {"log": "0" * 32}):
        witness.write_bytes(head_line({**older, **change}))
        assert verdicts(look(journal.folder, EpochKey.first(ROOT), witness=witness)) == ["ROLLED BACK"] * len(change)
    for text in ("", "{}", '{"log":"x","seq":-1,"mac":""}'):
        witness.write_text(text)
        with pytest.raises(DataError, match="is no witness"):
            look(journal.folder, witness=witness)
    with pytest.raises(DataError, match="no such witness"):
        look(journal.folder, witness=tmp_path / "nothing")


def test_every_fault_is_told_with_its_place_in_the_order_of_the_files(journal: PlainJournal) -> None:
    """Three kinds of tampering in three files are three findings, the first one first."""
    names = ["demo.000000000000.jsonl", "demo.000000000009.jsonl", "demo.jsonl"]
    lines = [(journal.folder / name).read_bytes().split(b"\n") for name in names]
    lines[0][4] = lines[0][4].replace(b'"kind":"', b'"kind":"x')
    del lines[1][5:7]
    lines[2][3:3] = [lines[2][2]]
    for name, content in zip(names, lines, strict=True):
        (journal.folder / name).write_bytes(b"\n".join(content))
    found = look(journal.folder, EpochKey.first(ROOT))
    assert [(one.verdict.value, one.file, one.line, one.seq, one.records) for one in found.faults[:3]] == [
        ("EDITED", names[0], 5, 4, 1),
        ("GAP", names[1], 6, 14, 2),
        ("DUPLICATE", names[2], 4, 20, 1),
    ]
    assert (
        str(found.faults[1]) == f"GAP {names[1]}:6, seq 14, 2 records: records 14 to 15 are missing before this line."
    )


def test_a_head_is_there_before_the_first_record_is(tmp_path: Path) -> None:
    """So that its absence is TRUNCATED, from the genesis record on."""
    journal = PlainJournal(tmp_path / "logs", ROOT)
    journal.write("genesis")
    journal.save()
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["UNWITNESSED"]
    (journal.folder / "demo.head.json").unlink()
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["TRUNCATED", "UNWITNESSED"]


def test_nobody_goes_on_with_a_root_of_his_own(journal: PlainJournal) -> None:
    """Who has the machine's key may seal and rotate: with the root at hand it is told, in a file of its own or not."""
    journal.seal(SECOND_ROOT)
    for _ in range(3):
        journal.write("note")
    journal.save()
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["WRONG KEY", "UNWITNESSED"]
    sealed = sorted(journal.folder.glob("demo.0*.jsonl"))[-1]
    data = sealed.read_bytes() + journal.folder.joinpath("demo.jsonl").read_bytes()
    sealed.unlink()
    journal.folder.joinpath("demo.jsonl").write_bytes(data)
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["WRONG KEY", "UNWITNESSED"]


def test_a_root_that_was_left_does_not_come_back(tmp_path: Path) -> None:
    """Else the first key, once stolen, could hide a segment of somebody else's between two good ones."""
    journal = PlainJournal(tmp_path / "logs", ROOT)
    journal.write("genesis")
    journal.seal(SECOND_ROOT)
    journal.write("note")
    journal.seal(ROOT)
    journal.write("note")
    journal.save()
    found = look(journal.folder, EpochKey.first(ROOT))
    assert verdicts(found) == ["WRONG KEY", "WRONG KEY", "UNWITNESSED"]
    assert found.faults[1].file == "demo.jsonl"


def test_a_sealed_segment_is_followed_by_another(journal: PlainJournal) -> None:
    """The next one is written first: a journal that ends with `sealed` was cut, though its head says so too."""
    sealed = sorted(journal.folder.glob("demo.0*.jsonl"))[-1]
    (journal.folder / "demo.head.json").write_bytes(_head_of(sealed))
    (journal.folder / "demo.jsonl").unlink()
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["TRUNCATED", "UNWITNESSED"]
    (journal.folder / "demo.jsonl").touch(mode=0o600)
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["TRUNCATED", "UNWITNESSED"]


def test_a_journal_that_begins_with_a_torn_line_is_torn(tmp_path: Path) -> None:
    """There is no record then, and nobody was told of one."""
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o700)
    (folder / "demo.jsonl").touch(mode=0o600)
    (folder / "demo.jsonl").write_bytes(b'{"v":1,"log":"0')
    found = look(folder, EpochKey.first(ROOT))
    assert (verdicts(found), found.last_seq, found.records) == (["TORN", "UNWITNESSED"], -1, 0)


def test_what_is_not_there_or_not_private_is_refused(journal: PlainJournal, tmp_path: Path) -> None:
    """No journal, no folder, a name that leads elsewhere, a segment that others may read."""
    with pytest.raises(DataError, match=r"paper\.jsonl: no such journal"):
        verify(JournalFiles(folder=journal.folder, environment="paper"), KeyRing())
    with pytest.raises(DataError, match="no such"):
        look(tmp_path / "nothing")
    with pytest.raises(UsageError, match="allowed are letters"):
        JournalFiles(folder=journal.folder, environment="../demo")
    segment = journal.folder / "demo.000000000009.jsonl"
    segment.chmod(0o644)
    with pytest.raises(JournalError, match="has mode 0644"):
        look(journal.folder, EpochKey.first(ROOT))
    segment.chmod(0o600)
    segment.rename(tmp_path / "moved")
    segment.symlink_to(tmp_path / "moved")
    with pytest.raises(JournalError, match="symbolic link"):
        look(journal.folder, EpochKey.first(ROOT))


def test_other_files_in_the_folder_are_left_alone(journal: PlainJournal) -> None:
    """Torn lines that were set aside, another environment's journal, an editor's copy."""
    for name in ("demo.torn-7", "demo.jsonl.bak", "demo.12.jsonl", "demonstration.000000000000.jsonl", "demo.lock"):
        shutil.copy(journal.folder / "demo.jsonl", journal.folder / name)
    assert verdicts(look(journal.folder, EpochKey.first(ROOT))) == ["UNWITNESSED"]


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times as many records take no more memory, with the key and without."""
    peaks = {}
    for count in (1_000, 10_000):
        journal = PlainJournal(tmp_path / f"{count}", ROOT)
        journal.write("genesis")
        for number in range(count):
            journal.write("decision", text="x" * 600)
            if number % (count // 4) == 0:
                journal.seal()
        journal.save()
        journal.lines.clear()
        for keys in ((EpochKey.first(ROOT),), ()):
            look(journal.folder, *keys)
            gc.collect()
            tracemalloc.start()
            look(journal.folder, *keys)
            peaks[count, keys] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    for keys in ((EpochKey.first(ROOT),), ()):
        assert peaks[10_000, keys] < 1.5 * peaks[1_000, keys] + 2_000_000


def test_a_line_without_end_of_any_length_is_not_held_in_memory(
    journal: PlainJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that somebody has filled with one line is EDITED there, like any other line that is no record."""
    monkeypatch.setattr("barstep.replay.journal.lines.LONGEST_LINE", 10_000)
    with (journal.folder / "demo.jsonl").open("ab") as file:
        file.write(b"x" * 3_000_000 + b"\n")
    found = look(journal.folder, EpochKey.first(ROOT))
    assert verdicts(found) == ["EDITED", "UNWITNESSED"]


def test_a_fault_reads_as_a_line() -> None:
    """Verdict, place and text; a file as a whole has no line."""
    assert str(Fault(verdict=Verdict.TORN, file="a", text="so.")) == "TORN a: so."
    assert (
        str(Fault(verdict=Verdict.GAP, file="a", line=3, seq=7, records=1_000, text="so."))
        == "GAP a:3, seq 7, 1,000 records: so."
    )
