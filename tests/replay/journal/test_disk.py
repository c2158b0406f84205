"""The real disk: what it makes, and whose files it touches."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from barstep.errors import JournalError
from barstep.replay.journal.disk import Disk, RealDisk

DISK: Disk = RealDisk()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_what_is_made_is_nobody_elses(tmp_path: Path) -> None:
    """Folders are 0700, the ones above included, and files 0600, whatever the umask allows."""
    folder = tmp_path / "audit" / "decision_logs"
    before = os.umask(0)
    try:
        DISK.make_folder(folder)
        DISK.close(DISK.open(folder / "file"))
        DISK.close(DISK.lock(folder / "lock"))
    finally:
        os.umask(before)
    assert [mode(path) for path in (folder, folder.parent)] == [0o700, 0o700]
    assert [mode(folder / name) for name in DISK.names(folder)] == [0o600, 0o600]


def test_writes_go_to_the_end_and_an_overwrite_to_the_beginning(tmp_path: Path) -> None:
    """Also after the file was closed and opened again, and `fresh` begins anew."""
    path = tmp_path / "file"
    for data in (b"one ", b"two "):
        descriptor = DISK.open(path)
        DISK.write(descriptor, data)
        DISK.overwrite(descriptor, b"O")
        DISK.write(descriptor, b". ")
        DISK.fdatasync(descriptor)
        DISK.close(descriptor)
    with DISK.read(path) as file:
        assert file.read() == b"One . two . "
    DISK.close(DISK.open(path, fresh=True))
    assert path.read_bytes() == b""


def test_a_file_takes_anothers_name(tmp_path: Path) -> None:
    """What had the name is gone."""
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    DISK.replace(tmp_path / "a", tmp_path / "b")
    DISK.sync_folder(tmp_path)
    assert DISK.names(tmp_path) == ["b"] and (tmp_path / "b").read_bytes() == b"new"
    assert DISK.names(tmp_path / "nowhere") == []


@pytest.mark.parametrize("others", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, others: int) -> None:
    """It is not read, not written and not cut, and the message says how to mend it."""
    path = tmp_path / "file"
    path.write_bytes(b"kept")
    path.chmod(others)
    for use in (lambda: DISK.open(path, fresh=True), lambda: DISK.read(path), lambda: DISK.lock(path)):
        with pytest.raises(JournalError, match=f"mode {others:04o}.*chmod 0600"):
            use()
    assert path.read_bytes() == b"kept"


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """A file that is a link, and a folder that is one."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.mkdir(mode=0o700)
    link.symlink_to(target)
    with pytest.raises(JournalError, match="link: is no folder of its own, or a symbolic link"):
        DISK.make_folder(link)
    (target / "file").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match=r"file: is a symbolic link.*put the file"):
        DISK.open(target / "file")
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_no_file_or_no_folder_is_refused(tmp_path: Path) -> None:
    """The message says what was wanted."""
    (tmp_path / "file").touch(mode=0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(JournalError, match="is no folder"):
        DISK.make_folder(tmp_path / "file")
    with pytest.raises(JournalError, match="is no plain file"):
        DISK.read(tmp_path / "folder")


def test_a_folder_that_others_may_use_is_refused(tmp_path: Path) -> None:
    """A journal in it could be listed or exchanged."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o750)
    with pytest.raises(JournalError, match=r"mode 0750.*chmod 0700"):
        DISK.make_folder(folder)


def test_somebody_elses_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose it is, and whose it must be."""
    path = tmp_path / "file"
    path.touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(path, 12_345, -1)  # root's own would be allowed
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    with pytest.raises(JournalError, match=f"belongs to user {owner}, not to us .54321"):
        DISK.read(path)


def test_a_lock_is_held_by_one_descriptor(tmp_path: Path) -> None:
    """Even within one process, as `flock` holds it and `lockf` would not."""
    held = DISK.lock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        DISK.lock(tmp_path / "lock")
    DISK.close(held)
    DISK.close(DISK.lock(tmp_path / "lock"))
