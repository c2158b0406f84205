"""Keys as files: made once, never shown, never going back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from barstep.errors import DataError, JournalError, UsageError
from barstep.replay.key_files import KeyFolder, KeyRing, keys_at_hand, read_root
from barstep.replay.keys import EpochKey, kid_of
from barstep.replay.private_files import write_private

ROOT = bytes(range(32))


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    """A folder without keys."""
    return KeyFolder(tmp_path / "secrets" / "demo")


def test_a_root_is_made_once(keys: KeyFolder) -> None:
    """Root and first key belong together, are 0600, and a second `init` changes nothing."""
    first = keys.init()
    root = read_root(keys.root_path)
    assert first == EpochKey.first(root) == keys.current()
    assert len(root) == 32
    for path in (keys.root_path, keys.epoch_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match=r"root\.key: is there already"):
        keys.init()
    keys.root_path.unlink()
    with pytest.raises(UsageError, match=r"epoch\.key: is there already"):
        keys.init()
    assert keys.current() == first


def test_two_roots_differ(tmp_path: Path) -> None:
    """They come from the system, not from the environment's name."""
    assert KeyFolder(tmp_path / "a").init().kid != KeyFolder(tmp_path / "b").init().kid


def test_a_key_goes_on_and_never_back(keys: KeyFolder) -> None:
    """The next key takes the place of the old one, whose bytes are gone; the old one is not taken back."""
    first = keys.init()
    with keys.epoch_path.open("rb") as held:
        keys.advance(first.evolved())
        assert first.key.hex().encode() not in held.read()
    assert keys.current() == first.evolved()
    keys.advance(first.evolved())
    with pytest.raises(JournalError, match="is at epoch 1; it never goes back to 0"):
        keys.advance(first)
    assert keys.current() == first.evolved()


def test_without_a_key_it_is_said_how_to_make_one(keys: KeyFolder) -> None:
    """The text names the file and the command."""
    with pytest.raises(DataError, match=r"epoch\.key: no such key\. `barstep keys init` makes it"):
        keys.current()


def test_a_new_root_waits_until_the_old_one_is_off_the_machine(keys: KeyFolder, tmp_path: Path) -> None:
    """Else the past could no longer be verified; a rotation that was begun goes on with its root."""
    old = keys.init()
    with pytest.raises(UsageError, match=f"root {old.kid} is still on the machine"):
        keys.next_root()
    keys.root_path.rename(tmp_path / "kept.key")
    new = keys.next_root()
    assert new.kid != old.kid and new.epoch == 0
    assert keys.current() == old
    assert keys.next_root() == new
    keys.advance(new)
    assert keys.current() == new
    with pytest.raises(UsageError, match=f"root {new.kid} is still on the machine"):
        keys.next_root()


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"x" * 64 + b"\n"])
def test_what_is_no_key_is_refused_and_not_shown(keys: KeyFolder, damage: bytes) -> None:
    """A key with a digit too few is told by its file, and what is left of it stays hidden."""
    first = keys.init()
    root = keys.root_path.read_bytes()
    cut = keys.epoch_path.read_bytes()[:-4]
    for path, data in ((keys.epoch_path, damage or cut), (keys.root_path, damage or root[:-2])):
        write_private(path, data, replace=True)
    for read in (keys.current, lambda: read_root(keys.root_path)):
        with pytest.raises(JournalError, match=r"key: no (root )?key stands in it") as told:
            read()
        for secret in (first.key.hex()[:20], root.decode()[:20]):
            assert secret not in str(told.value)
            assert secret not in repr(told.value)


def test_keys_show_in_no_repr(keys: KeyFolder) -> None:
    """Folder and ring tell paths, names and epochs only."""
    first = keys.init()
    ring = keys_at_hand(keys, [])
    for shown in (repr(keys), repr(ring), str(vars(keys))):
        assert first.key.hex() not in shown and repr(first.key) not in shown


def test_a_ring_gives_an_epoch_and_all_later_ones() -> None:
    """From the root every key; from a later one none before; of an unknown root none; and none absurdly far ahead."""
    first = EpochKey.first(ROOT)
    third = first.evolved().evolved()
    kid = kid_of(ROOT)
    late, all_of_it = KeyRing(third), KeyRing(third, first)
    assert (late.key_of(kid, 1), late.key_of(kid, 2)) == (None, third.key)
    assert late.key_of(kid, 4) == third.evolved().evolved().key
    assert late.key_of(kid, 3) == third.evolved().key
    assert [all_of_it.key_of(kid, epoch) for epoch in (0, 1, 2)] == [first.key, first.evolved().key, third.key]
    assert all_of_it.key_of("f" * 16, 0) is None
    assert late.key_of(kid, 10**17) is None
    assert not KeyRing() and late


def test_keys_at_hand_are_those_of_the_machine_and_the_files(keys: KeyFolder, tmp_path: Path) -> None:
    """The machine's own key alone tells no past; its root, or the root's file, does."""
    first = keys.init()
    keys.advance(first.evolved())
    kept = tmp_path / "kept" / "root.key"
    write_private(kept, keys.root_path.read_bytes())
    assert keys_at_hand(keys, []).key_of(first.kid, 0) == first.key
    keys.root_path.unlink()
    assert keys_at_hand(keys, []).key_of(first.kid, 0) is None
    assert keys_at_hand(keys, []).key_of(first.kid, 1) == first.evolved().key
    assert keys_at_hand(None, [kept]).key_of(first.kid, 0) == first.key
    assert not keys_at_hand(KeyFolder(tmp_path / "none"), [])


def test_keys_are_for_one_journal(tmp_path: Path) -> None:
    """Once they have signed one, another is told to have keys of its own, and so is one that is to be begun."""
    keys = KeyFolder(tmp_path / "demo")
    keys.init()
    keys.bind(None)
    keys.bind("ab" * 16)
    keys.bind("ab" * 16)
    for other in (None, "cd" * 16):
        with pytest.raises(
            JournalError, match=rf"demo: these keys sign journal {'ab' * 16}, and no other.*--keys-folder"
        ):
            keys.bind(other)
