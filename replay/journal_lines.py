"""A journal's files as they are read: its segments in order, their lines, its head.

Nothing here judges what stands in them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from ..errors import DataError, UsageError
from .private_files import open_private

LONGEST_LINE = 1 << 26
"""Bytes of a line that are held in memory; no record is that long."""

_CHUNK = 1 << 20
_SEALED = re.compile(r"\.([0-9]{12,18})\.jsonl")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How far a journal goes, or went when a witness was written.

    Attributes:
        log: The journal's id.
        seq: Its last record.
        mac: That record's signature.
    """

    log: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    seq: Annotated[int, msgspec.Meta(ge=0)]
    mac: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{96}$")]


def read_head(data: bytes) -> Head | None:
    """The head that stands in a head file or a witness, None where none does."""
    try:
        return msgspec.json.decode(data, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


@dataclass(frozen=True, kw_only=True)
class JournalPaths:
    """Where an environment's journal is.

    Attributes:
        folder: Such as `audit/decision_logs`.
        environment: Whose it is.
    """

    folder: Path
    environment: str

    def __post_init__(self) -> None:
        if not _ENVIRONMENT.fullmatch(self.environment):
            raise UsageError(f"environment {self.environment!r}: a name has letters, digits, _ and -.")

    @property
    def open_segment(self) -> Path:
        """The segment that is written to."""
        return self.folder / f"{self.environment}.jsonl"

    @property
    def next_segment(self) -> Path:
        """The next segment before it has its own name: part of the journal once the open one ends with `sealed`."""
        return self.folder / f"{self.environment}.next"

    @property
    def head(self) -> Path:
        """How far the journal goes."""
        return self.folder / f"{self.environment}.head.json"

    def sealed_segments(self) -> list[Path]:
        """The others, in order."""
        found = []
        for path in self.folder.glob(f"{self.environment}.*.jsonl"):
            named = _SEALED.fullmatch(path.name.removeprefix(self.environment))
            if named is not None:
                found.append((int(named[1]), path))
        return [path for _, path in sorted(found)]


@contextmanager
def open_segments(paths: JournalPaths) -> Iterator[list[tuple[Path, BinaryIO | None]]]:
    """All segments in order: paths of the sealed ones, and the open one with its file, where there is one.

    A segment that is sealed meanwhile is not missed: the open one is opened first, and again where it was renamed.

    Raises:
        DataError: There is no journal.
        JournalError: The open segment is not private.
    """
    with ExitStack() as stack:
        while True:
            newest = _opened(paths.open_segment)
            sealed: list[tuple[Path, BinaryIO | None]] = [(path, None) for path in paths.sealed_segments()]
            if newest is None:
                break
            stack.enter_context(newest)
            if _is(paths.open_segment, newest):
                sealed.append((paths.open_segment, newest))
                break
        if not sealed:
            raise DataError(f"{paths.open_segment}: no such journal. A loop in event time writes it as it runs.")
        yield sealed


def _opened(path: Path) -> BinaryIO | None:
    if not path.exists() and not path.is_symlink():
        return None
    return os.fdopen(open_private(path), "rb")


def _is(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def batches_of_lines(file: BinaryIO) -> Iterator[tuple[list[bytes], bool]]:
    """Lines without their ends, some at a time, and whether the last of them has one.

    A line that is far too long becomes one of a few bytes, which is no record either.
    """
    rest = b""
    while chunk := file.read(_CHUNK):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE:
            rest = b"\0"
        if lines:
            yield lines, True
    if rest:
        yield [rest], False
