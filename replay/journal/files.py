"""A journal's files: their names, how a new one is written, and its head.

docs/journal.md says what each of them is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ...errors import JournalError, UsageError
from .disk import Disk

_COPIED_BYTES = 1 << 20
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_HEAD = re.compile(rb'\{"log":"([0-9a-f]{32})","seq":(0|[1-9][0-9]{0,17}),"mac":"([0-9a-f]{96})"\}\n')


class Head(NamedTuple):
    """How far a journal goes: a tuple, since one is made for each group.

    Attributes:
        log: Its id.
        seq: Of its last record.
        mac: Of its last record.
    """

    log: str
    seq: int
    mac: str

    def line(self) -> bytes:
        """The head as it stands in its file; it never gets shorter while a journal grows."""
        return f'{{"log":"{self.log}","seq":{self.seq},"mac":"{self.mac}"}}\n'.encode("ascii")


@dataclass(frozen=True, kw_only=True)
class JournalFiles:
    """Where the files of one environment's journal are.

    Attributes:
        folder: The folder of journals.
        environment: Its name.
    """

    folder: Path
    environment: str

    def __post_init__(self) -> None:
        if _ENVIRONMENT.fullmatch(self.environment) is None:
            raise UsageError(f"environment {self.environment!r}: allowed are letters, digits, _ and -.")

    @property
    def open_segment(self) -> Path:
        """What is written to."""
        return self._named("jsonl")

    @property
    def next_segment(self) -> Path:
        """The next segment before it has its own name."""
        return self._named("next")

    @property
    def mended_segment(self) -> Path:
        """The open segment written anew, before it has its own name."""
        return self._named("mended")

    @property
    def head(self) -> Path:
        """How far the journal goes."""
        return self._named("head.json")

    @property
    def next_head(self) -> Path:
        """A new journal's head before it has its own name."""
        return self._named("head.next")

    @property
    def lock(self) -> Path:
        """Held by the one process that writes."""
        return self._named("lock")

    def sealed(self, first_seq: int) -> Path:
        """The sealed segment that begins with a record."""
        return self._named(f"{first_seq:012}.jsonl")

    def torn(self, seq: int, copy: int = 0) -> Path:
        """Where a torn line goes in whose place record `seq` should have been; `copy` tells several apart."""
        return self._named(f"torn-{seq}" + (f"-{copy}" if copy else ""))

    def sealed_segments(self, disk: Disk) -> list[Path]:
        """All sealed segments, in order."""
        name = re.compile(rf"{re.escape(self.environment)}\.([0-9]{{12,}})\.jsonl")
        found = [(int(match[1]), each) for each in disk.names(self.folder) if (match := name.fullmatch(each))]
        return [self.folder / each for _, each in sorted(found)]

    def _named(self, ending: str) -> Path:
        return self.folder / f"{self.environment}.{ending}"


def write_file(disk: Disk, path: Path, pieces: Iterable[bytes]) -> None:
    """Write a whole file anew, and wait until it and its name outlive a loss of power."""
    descriptor = disk.open(path, fresh=True)
    try:
        for piece in pieces:
            disk.write(descriptor, piece)
        disk.fdatasync(descriptor)
    finally:
        disk.close(descriptor)
    disk.sync_folder(path.parent)


def rename_file(disk: Disk, source: Path, target: Path) -> None:
    """Give a file another name, and wait until that outlives a loss of power."""
    disk.replace(source, target)
    disk.sync_folder(target.parent)


def write_open_segment_anew(files: JournalFiles, disk: Disk, count: int) -> None:
    """Put a copy of the open segment's first `count` bytes in its place.

    A record that a process found there after a crash may be in memory only: where an `fdatasync` has failed, the next
    one succeeds without writing what the first did not.
    """
    with disk.read(files.open_segment) as file:
        write_file(disk, files.mended_segment, _pieces(file, count))
    rename_file(disk, files.mended_segment, files.open_segment)


def read_head(disk: Disk, path: Path) -> Head | None:
    """What the head says; None where it is not there.

    Raises:
        JournalError: The file holds no head.
    """
    try:
        with disk.read(path) as file:
            data = file.read()
    except FileNotFoundError:
        return None
    head = parse_head(data)
    if head is None:
        raise JournalError(f"{path}: is not the head of a journal: {data[:60]!r}")
    return head


def parse_head(data: bytes) -> Head | None:
    """The head in a file's bytes, a witness's too; None where they are none."""
    match = _HEAD.fullmatch(data)
    if match is None:
        return None
    log, seq, mac = match.groups()
    return Head(log=log.decode(), seq=int(seq), mac=mac.decode())


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    """The first `count` bytes of a file, a mebibyte at a time."""
    while count > 0 and (piece := file.read(min(count, _COPIED_BYTES))):
        count -= len(piece)
        yield piece
