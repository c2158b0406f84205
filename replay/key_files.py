"""The signing keys of one environment as files.

`root.key` is one line of 64 hexadecimal digits and is to be taken off the machine; `epoch.key` is one line of JSON. No
key shows in a repr or an error.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..errors import DataError, JournalError, UsageError
from .keys import KEY_BYTES, EpochKey, random_bytes
from .private_files import read_private, write_private

_ROOT = re.compile(rb"([0-9a-f]{64})\n?")
_EPOCH = re.compile(rb'\{"kid":"([0-9a-f]{16})","epoch":(0|[1-9][0-9]{0,17}),"key":"([0-9a-f]{96})"\}\n')


class KeyFolder:
    """Where an environment's keys are.

    Args:
        path: The folder, such as `secrets/journal/demo`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root_path, self.epoch_path = path / "root.key", path / "epoch.key"
        self._log_path = path / "log"

    def __repr__(self) -> str:
        return f"KeyFolder({str(self.path)!r})"

    def current(self) -> EpochKey:
        """The key of the open segment.

        Raises:
            DataError: There is none.
            JournalError: It is not private, or no key stands in it.
        """
        if not self.epoch_path.exists() and not self.epoch_path.is_symlink():
            raise DataError(f"{self.epoch_path}: no such key. `barstep keys init` makes it.")
        found = _EPOCH.fullmatch(read_private(self.epoch_path))
        if found is None:
            raise JournalError(f"{self.epoch_path}: no key stands in it: one line of JSON with kid, epoch and key.")
        return EpochKey(kid=found[1].decode(), epoch=int(found[2]), key=bytes.fromhex(found[3].decode()))

    def advance(self, key: EpochKey) -> None:
        """Keep a later key in place of the one that is there; that one is overwritten.

        Raises:
            JournalError: The key is an earlier one of the same root: going back would let the past be signed.
        """
        if self.epoch_path.exists():
            old = self.current()
            if key.kid == old.kid and key.epoch < old.epoch:
                raise JournalError(f"{self.epoch_path}: is at epoch {old.epoch}; it never goes back to {key.epoch}.")
        line = {"kid": key.kid, "epoch": key.epoch, "key": key.key.hex()}
        write_private(self.epoch_path, json.dumps(line, separators=(",", ":")).encode() + b"\n", replace=True)

    def root_is_here(self) -> bool:
        """Whether the root key has not been taken off the machine."""
        return self.root_path.exists()

    def bind(self, log: str | None) -> None:
        """Keep these keys for one journal: another one's segments would use them up, and the first could not go on.

        Args:
            log: The journal's id; None for one that is to be begun.

        Raises:
            JournalError: They sign another journal.
        """
        signs = read_private(self._log_path).decode("ascii").strip() if self._log_path.exists() else None
        if signs is not None and signs != log:
            raise JournalError(
                f"{self.path}: these keys sign journal {signs}, and no other. Another journal wants keys of its own: "
                "`barstep keys init --keys-folder FOLDER` makes them, --keys-folder names them."
            )
        if signs is None and log is not None:
            write_private(self._log_path, f"{log}\n".encode("ascii"))

    def init(self) -> EpochKey:
        """Make a root key and the first key from it.

        Raises:
            UsageError: There are keys already.
        """
        for path in (self.root_path, self.epoch_path):
            if path.exists() or path.is_symlink():
                raise UsageError(f"{path}: is there already and is kept. `barstep keys rotate` makes a new root.")
        first = self._new_root()
        self.advance(first)
        return first

    def next_root(self) -> EpochKey:
        """The first key of a new root, whose `root.key` is written; `advance` puts it in force.

        A rotation that was interrupted goes on with the root that it had made.

        Raises:
            DataError: There are no keys to be rotated.
            UsageError: The old root is still there, and without it the past could not be verified.
        """
        old = self.current()
        if self.root_is_here():
            begun = EpochKey.first(read_root(self.root_path))
            if begun.kid == old.kid:
                raise UsageError(
                    f"{self.root_path}: root {old.kid} is still on the machine, and a new one would take its place. "
                    "Move it to where it is kept (verifying the past needs it), then rotate."
                )
            return begun
        return self._new_root()

    def _new_root(self) -> EpochKey:
        root = random_bytes(KEY_BYTES)
        write_private(self.root_path, root.hex().encode() + b"\n")
        return EpochKey.first(root)


def read_root(path: Path) -> bytes:
    """The root key in a file.

    Raises:
        DataError: There is no such file.
        JournalError: It is not private, or no key stands in it.
    """
    found = _ROOT.fullmatch(read_private(path))
    if found is None:
        raise JournalError(f"{path}: no root key stands in it: one line of {2 * KEY_BYTES} hexadecimal digits.")
    return bytes.fromhex(found[1].decode())


class KeyRing:
    """The keys at hand, by root: each gives its own epoch and all later ones, and none before.

    Args:
        keys: Of several roots; of two of one root the earlier one is kept.
    """

    def __init__(self, *keys: EpochKey) -> None:
        self._keys: dict[str, EpochKey] = {}
        self._reached: dict[str, EpochKey] = {}
        for key in keys:
            if key.kid not in self._keys or key.epoch < self._keys[key.kid].epoch:
                self._keys[key.kid] = key

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(map(repr, self._keys.values()))})"

    def has_root(self, kid: str) -> bool:
        """Whether a key of this root is at hand."""
        return kid in self._keys

    def key_of(self, kid: str, epoch: int, *, most_steps: int = 1_000_000) -> bytes | None:
        """The key of an epoch, None where it cannot be told from what is at hand, or lies absurdly far ahead."""
        start = self._keys.get(kid)
        reached = self._reached.get(kid, start)
        if start is None or reached is None or epoch < start.epoch:
            return None
        key = reached if reached.epoch <= epoch else start
        if epoch - key.epoch > most_steps:
            return None
        while key.epoch < epoch:
            key = key.evolved()
        self._reached[kid] = key
        return key.key


def keys_at_hand(folder: KeyFolder | None, roots: list[Path]) -> KeyRing:
    """The machine's own key, its root where it is still there, and the roots of the files.

    Raises:
        DataError: A file of a root is not there.
        JournalError: A file is not private, or no key stands in it.
    """
    found = [EpochKey.first(read_root(path)) for path in roots]
    if folder is not None and folder.epoch_path.exists():
        found.append(folder.current())
    if folder is not None and folder.root_is_here():
        found.append(EpochKey.first(read_root(folder.root_path)))
    return KeyRing(*found)
