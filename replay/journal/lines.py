"""A journal's segments as they are verified: in order, opened once, their lines whole or not.

Nothing here judges what stands in them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from ...errors import DataError
from ..private_files import open_private
from .disk import REAL_DISK
from .files import JournalFiles

LONGEST_LINE = 1 << 26
"""Bytes of a line that are held in memory; no record is that long."""

_CHUNK = 1 << 20


@contextmanager
def open_segments(files: JournalFiles) -> Iterator[list[tuple[Path, BinaryIO | None]]]:
    """All segments in order: paths of the sealed ones, and the open one with its file, where there is one.

    A segment that is sealed meanwhile is not missed: the open one is opened first, and again where it was renamed.

    Raises:
        DataError: There is no journal.
        JournalError: The open segment is not private.
    """
    with ExitStack() as stack:
        while True:
            newest = _opened(files.open_segment)
            sealed: list[tuple[Path, BinaryIO | None]] = [(path, None) for path in files.sealed_segments(REAL_DISK)]
            if newest is None:
                break
            stack.enter_context(newest)
            if is_at(files.open_segment, newest):
                sealed.append((files.open_segment, newest))
                break
        if not sealed:
            raise DataError(f"{files.open_segment}: no such journal. A loop in event time writes it as it runs.")
        yield sealed


def _opened(path: Path) -> BinaryIO | None:
    if not path.exists() and not path.is_symlink():
        return None
    return os.fdopen(open_private(path), "rb")


def is_at(path: Path, file: BinaryIO) -> bool:
    """Whether an open file still has its name."""
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


def reopened(path: Path, file: BinaryIO | None) -> BinaryIO:
    """A file of its own to read from the start; that of a segment that is renamed meanwhile stays the same."""
    descriptor = open_private(path) if file is None else os.dup(file.fileno())
    again = os.fdopen(descriptor, "rb")
    again.seek(0)
    return again
