"""A disk in memory that forgets what was not synced, tears a write at a sector, and fails the n-th call."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import BinaryIO

from barstep.replay.disk import SECTOR_BYTES


class PowerLossError(Exception):
    """The machine stops at this call."""


class Content:
    """What one file holds: as its reader sees it now, and as it is on the plate."""

    def __init__(self, data: bytes = b"") -> None:
        self.seen = bytearray(data)
        self.synced = bytes(data)

    def unsynced(self) -> list[int]:
        """Where the sectors begin that are not on the plate yet."""
        steps = range(0, len(self.seen), SECTOR_BYTES)
        return [at for at in steps if self.synced[at : at + SECTOR_BYTES] != self.seen[at : at + SECTOR_BYTES]]

    def survived(self, sectors: int) -> bytes:
        """What the plate holds when only so many of the sectors not synced had got there, the first ones first."""
        kept = bytearray(self.synced)
        for at in self.unsynced()[:sectors]:
            kept[at : at + SECTOR_BYTES] = self.seen[at : at + SECTOR_BYTES]
        return bytes(kept)


class SimulatedDisk:
    """A disk in memory.

    Attributes:
        calls: Every call that changes what is on it, in order.
        fails_at: Which of these raises OSError; half of a failed write gets through. None: none does.
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
        return max((len(content.unsynced()) for content in self._names.values()), default=0)

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
            content.seen.clear()
        return self._descriptor(content)

    def write(self, descriptor: int, data: bytes) -> None:
        seen = self._open[descriptor].seen
        try:
            self._count("write")
        except OSError:
            seen += data[: len(data) // 2]
            raise
        seen += data

    def fdatasync(self, descriptor: int) -> None:
        self._count("fdatasync")
        content = self._open[descriptor]
        content.synced = bytes(content.seen)

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
        self._open[descriptor].seen[: len(data)] = data

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
