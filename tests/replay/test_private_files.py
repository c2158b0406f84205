"""Files that nobody else may read or write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from barstep.errors import DataError, JournalError
from barstep.replay import private_files
from barstep.replay.private_files import make_private_folder, open_private, read_private, write_private


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A private folder."""
    folder = tmp_path / "secrets"
    make_private_folder(folder)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_and_folders_are_ours_alone(tmp_path: Path, umask: int) -> None:
    """Whatever the umask is, folders are 0700 and files 0600, and what was written is read."""
    before = os.umask(umask)
    try:
        write_private(tmp_path / "a" / "b" / "key", b"secret\n")
    finally:
        os.umask(before)
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/b/key")] == [0o700, 0o700, 0o600]
    assert read_private(tmp_path / "a/b/key") == b"secret\n"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["key"]


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_what_others_may_get_at_is_refused(folder: Path, bits: int) -> None:
    """One bit too many, for the group or for all, and nothing is read; the text says how it is mended."""
    write_private(folder / "key", b"secret")
    (folder / "key").chmod(bits)
    with pytest.raises(JournalError, match=f"key: has mode {bits:04o}, .* chmod 0600"):
        read_private(folder / "key")


def test_a_folder_that_others_may_look_into_is_refused(folder: Path) -> None:
    """For reading and for writing alike, since they could put something else there."""
    write_private(folder / "key", b"secret")
    folder.chmod(0o750)
    for use in (lambda: read_private(folder / "key"), lambda: write_private(folder / "other", b"")):
        with pytest.raises(JournalError, match=r"secrets: has mode 0750.* chmod 0700"):
            use()


def test_symbolic_links_are_refused(folder: Path, tmp_path: Path) -> None:
    """Of a file and of its folder, also where they lead to private ones."""
    write_private(folder / "key", b"secret")
    (folder / "link").symlink_to(folder / "key")
    (tmp_path / "elsewhere").symlink_to(folder)
    with pytest.raises(JournalError, match="link: is a symbolic link"):
        read_private(folder / "link")
    with pytest.raises(JournalError, match="link: is a symbolic link"):
        write_private(folder / "link", b"", replace=True)
    with pytest.raises(JournalError, match="elsewhere: is no folder"):
        read_private(tmp_path / "elsewhere" / "key")
    assert read_private(folder / "key") == b"secret"


def test_what_is_no_file_is_refused(folder: Path) -> None:
    """A folder, a pipe (without waiting for its writer), and nothing at all."""
    os.mkfifo(folder / "pipe", 0o600)
    (folder / "folder").mkdir(mode=0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(JournalError, match=f"{name}: is no plain file"):
            read_private(folder / name)
    with pytest.raises(DataError, match="nothing: no such file"):
        read_private(folder / "nothing")
    with pytest.raises(DataError, match="no_folder: no such folder"):
        read_private(folder / "no_folder" / "key")


def test_what_belongs_to_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's files are taken, another user's are not."""
    write_private(folder / "key", b"secret")
    monkeypatch.setattr(private_files.os, "geteuid", lambda: folder.lstat().st_uid + 1)
    if folder.lstat().st_uid != 0:
        with pytest.raises(JournalError, match="belongs to user"):
            read_private(folder / "key")
    else:
        assert read_private(folder / "key") == b"secret"
        os.chown(folder / "key", 12345, -1)
        with pytest.raises(JournalError, match="key: belongs to user 12345, not to us"):
            read_private(folder / "key")


def test_what_is_there_is_kept_unless_it_is_to_be_replaced(folder: Path) -> None:
    """A second writing without `replace` fails and leaves the first, and nothing beside it."""
    write_private(folder / "key", b"first")
    with pytest.raises(FileExistsError):
        write_private(folder / "key", b"second")
    assert read_private(folder / "key") == b"first"
    write_private(folder / "key", b"third", replace=True)
    assert read_private(folder / "key") == b"third"
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_replaced_bytes_are_overwritten_where_they_lay(folder: Path) -> None:
    """Who still holds the old file reads nothing of it."""
    write_private(folder / "key", b"old secret")
    with (folder / "key").open("rb") as held:
        write_private(folder / "key", b"new secret", replace=True)
        assert held.read() == bytes(10)


def test_a_write_that_fails_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full while the new bytes are written costs nothing."""
    write_private(folder / "key", b"old secret")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(folder / "key", b"new secret", replace=True)
    assert read_private(folder / "key") == b"old secret"
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_a_secret_that_is_far_too_long_is_refused(folder: Path) -> None:
    """A path that names something else by mistake is not read into memory."""
    write_private(folder / "key", b"x" * 1_000_001)
    with pytest.raises(JournalError, match="more than 1,000,000 bytes"):
        read_private(folder / "key")
    os.close(open_private(folder / "key"))
