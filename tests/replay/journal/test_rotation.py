"""A new root: what it waits for, and a rotation that was interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from barstep.errors import DataError, UsageError
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.record import at_text, members
from barstep.replay.journal.rotation import open_existing, rotate_keys
from barstep.replay.journal.verification import verify
from barstep.replay.journal.writer import TradingDecisionJournal
from barstep.replay.key_files import KeyFolder, keys_at_hand

NOW_US = 1_704_067_200_000_000
CHECKPOINT = b'"kind":"checkpoint","at":"2024-01-01T00:00:00.000000Z","state":{"equity":0.30000000000000004,"big":1e22}'


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    """Keys whose root is off the machine."""
    keys = KeyFolder(tmp_path / "keys")
    keys.init()
    keys.root_path.rename(keys.path / "first.kept")
    return keys


@pytest.fixture
def files(tmp_path: Path) -> JournalFiles:
    """Where the journal will be."""
    return JournalFiles(folder=tmp_path / "logs", environment="demo")


def begin(keys: KeyFolder, files: JournalFiles) -> TradingDecisionJournal:
    genesis = members({"kind": "genesis", "at": at_text(NOW_US)})
    return TradingDecisionJournal.open(files.folder, "demo", keys, log_id="ab" * 16, genesis=genesis, now_us=NOW_US)


def verdicts(keys: KeyFolder, files: JournalFiles) -> set[str]:
    roots = [path for path in keys.path.iterdir() if path.suffix == ".kept"]
    return {fault.verdict.value for fault in verify(files, keys_at_hand(keys, roots)).faults}


def test_the_checkpoint_goes_over_byte_by_byte(keys: KeyFolder, files: JournalFiles) -> None:
    """Notes behind it change nothing; the next segment says the same state, signed by the new root."""
    begin(keys, files).close(CHECKPOINT)
    with open_existing(keys, files, now_us=NOW_US) as journal:
        journal.append_record({"kind": "note", "at": at_text(NOW_US), "message": "m"})
        journal.commit()
    new = rotate_keys(keys, files, now_us=NOW_US)
    line = files.open_segment.read_bytes()
    assert CHECKPOINT in line and line.count(b"\n") == 1
    assert (json.loads(line)["kid"], json.loads(line)["epoch"]) == (new.kid, 0)
    assert keys.current() == new
    assert verdicts(keys, files) == {"UNWITNESSED"}


def test_a_loop_that_did_not_end_in_order_is_waited_for(keys: KeyFolder, files: JournalFiles) -> None:
    """A genesis record alone, or a bar after the checkpoint: no root is made, and the key stays."""
    before = keys.current()
    with begin(keys, files) as journal:
        journal.append_record({"kind": "bars", "at": at_text(NOW_US)})
        journal.commit()
    with pytest.raises(UsageError, match="has not ended in order"):
        rotate_keys(keys, files, now_us=NOW_US)
    begin(keys, files).close(CHECKPOINT)
    with open_existing(keys, files, now_us=NOW_US) as journal:
        journal.append_record({"kind": "bars", "at": at_text(NOW_US)})
        journal.commit()
    with pytest.raises(UsageError, match="has not ended in order"):
        rotate_keys(keys, files, now_us=NOW_US)
    assert not keys.root_is_here() and keys.current() == before.evolved()


def test_a_rotation_that_was_interrupted_goes_on(
    keys: KeyFolder, files: JournalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the new root was written, before or after the segment was sealed, is mended by doing it again."""
    begin(keys, files).close(CHECKPOINT)
    real = KeyFolder.advance

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("seal", "advance"):
        owner = TradingDecisionJournal if name == "seal" else KeyFolder
        monkeypatch.setattr(owner, name, crash)
        with pytest.raises(KeyboardInterrupt):
            rotate_keys(keys, files, now_us=NOW_US)
        monkeypatch.undo()
        assert verdicts(keys, files) == {"UNWITNESSED"}
    assert KeyFolder.advance is real
    new = rotate_keys(keys, files, now_us=NOW_US)
    assert keys.current() == new
    assert verdicts(keys, files) == {"UNWITNESSED"}


def test_without_keys_or_journal_nothing_is_begun(tmp_path: Path, keys: KeyFolder, files: JournalFiles) -> None:
    """A note has no journal to go into, and a rotation nothing to rotate."""
    with pytest.raises(DataError, match="there is no journal of 'demo'"):
        open_existing(keys, files, now_us=NOW_US)
    with pytest.raises(DataError, match="no such key"):
        rotate_keys(KeyFolder(tmp_path / "none"), files, now_us=NOW_US)
    assert not files.folder.exists()
