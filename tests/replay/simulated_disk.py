"""A disk in memory that forgets what was not synced, tears a write at a sector, and fails the n-th call."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import BinaryIO

from barstep.replay.journal.disk import SECTOR_BYTES


class PowerLossError(Exception):
    """The machine stops at this call."""


class Content:
    """What one file holds: as its reader sees it now, and as it is on the plate."""

    def __init__(self, data: bytes = b"") -> None:
        self.seen = bytearray(data)
        self.plate = bytearray(data)
        self.dirty: set[int] = set()
        self.cut = False

    def put(self, at: int, data: bytes) -> None:
        self.seen[at : at + len(data)] = data
        self.dirty |= set(range(at // SECTOR_BYTES * SECTOR_BYTES, at + len(data), SECTOR_BYTES))

    def clear(self) -> None:
        self.seen.clear()
        self.dirty.clear()
        self.cut = True

    def survived(self, sectors: int | None) -> bytearray:
        """What the plate holds when so many unsynced sectors had got there, the first ones first; None: all."""
        kept = bytearray() if self.cut and sectors != 0 else bytearray(self.plate)
        for at in sorted(self.dirty)[:sectors]:
            kept.extend(bytes(max(at - len(kept), 0)))
            kept[at : at + SECTOR_BYTES] = self.seen[at : at + SECTOR_BYTES]
        return kept

    def sync(self) -> None:
        self.plate = self.survived(None)
        self.forget()

    def forget(self) -> None:
        """Take all for synced: what the system does when a sync has failed."""
        self.dirty.clear()
        self.cut = False


class SimulatedDisk:
    """A disk in memory.

    Attributes:
        calls: Every call that changes what is on it, in order.
        fails_at: Which of these raises OSError: half of a failed write gets through, and what a failed fdatasync did
            not write, the next one does not either. None: none does.
        stops_at: Before which of these the power is lost.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails_at: int | None = None
        self.stops_at: int | None = None
        self._names: dict[Path, Content] = {}
        self._synced_names: dict[Path, Content] = {}
        self._open: dict[int, Content] = {}
        self._locks: dict[int, Path] = {}
        self._next = 3

    def after_power_loss(self, *, sectors: int = 0, names_kept: bool = False) -> SimulatedDisk:
        """The disk when the power is back.

        Args:
            sectors: How many sectors of each file got to the plate beyond what was synced.
            names_kept: Whether names that were not synced got there.
        """
        after = SimulatedDisk()
        names = self._names if names_kept else self._synced_names
        after._names = {path: Content(content.survived(sectors)) for path, content in names.items()}
        after._synced_names = dict(after._names)
        return after

    def unsynced_sectors(self) -> int:
        """The most sectors of one file that are not on the plate."""
        return max((len(content.dirty) for content in self._names.values()), default=0)

    def after_kill(self) -> SimulatedDisk:
        """The disk as the next process finds it, when the one that wrote was killed and the machine goes on."""
        after = SimulatedDisk()
        after._names, after._synced_names = self._names, self._synced_names
        return after

    def put(self, path: Path, data: bytes) -> None:
        """Have a file there, synced; for what a test begins with."""
        self._names[path] = self._synced_names[path] = Content(data)

    def remove(self, path: Path) -> None:
        """Have a file gone, synced."""
        del self._names[path], self._synced_names[path]

    def open(self, path: Path, *, fresh: bool = False) -> int:
        self._count("open")
        content = self._names.setdefault(path, Content())
        if fresh:
            content.clear()
        return self._descriptor(content)

    def write(self, descriptor: int, data: bytes) -> None:
        content = self._open[descriptor]
        try:
            self._count("write")
        except OSError:
            content.put(len(content.seen), data[: len(data) // 2])
            raise
        content.put(len(content.seen), data)

    def fdatasync(self, descriptor: int) -> None:
        try:
            self._count("fdatasync")
        except OSError:
            self._open[descriptor].forget()
            raise
        self._open[descriptor].sync()

    def replace(self, source: Path, target: Path) -> None:
        self._count("replace")
        self._names[target] = self._names.pop(source)

    def sync_folder(self, folder: Path) -> None:
        self._count("sync_folder")
        elsewhere = {path: content for path, content in self._synced_names.items() if path.parent != folder}
        self._synced_names = elsewhere | {path: one for path, one in self._names.items() if path.parent == folder}

    def overwrite(self, descriptor: int, data: bytes) -> None:
        assert len(data) <= SECTOR_BYTES
        self._count("overwrite")
        self._open[descriptor].put(0, data)

    def close(self, descriptor: int) -> None:
        del self._open[descriptor]
        self._locks.pop(descriptor, None)

    def lock(self, path: Path) -> int:
        if path in self._locks.values():
            raise BlockingIOError(errno.EAGAIN, "held")
        descriptor = self._descriptor(self._names.setdefault(path, Content()))
        self._locks[descriptor] = path
        return descriptor

    def make_folder(self, folder: Path) -> None:
        """Folders are there as soon as a file is."""

    def read(self, path: Path) -> BinaryIO:
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, "not there", str(path))
        return io.BytesIO(bytes(self._names[path].seen))

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in self._names if path.parent == folder)

    def _descriptor(self, content: Content) -> int:
        self._next += 1
        self._open[self._next] = content
        return self._next

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if len(self.calls) == self.stops_at:
            raise PowerLossError(f"power lost at call {self.stops_at}, {call}")
        if len(self.calls) == self.fails_at:
            raise OSError(errno.EIO, f"call {self.fails_at} failed, {call}")
