"""Reading a journal, to fold it: records in order, in constant memory, their chain followed.

Signatures are not looked at here: `decision-log verify` does that, and start-up, for the open segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ...errors import JournalError
from .disk import REAL_DISK, Disk
from .files import JournalFiles
from .record import Chained, read_chained


def read_payloads(files: JournalFiles, disk: Disk = REAL_DISK) -> Iterator[tuple[Chained, bytes]]:
    """All records of a journal, from its genesis on: what each says of its place, and its members from `kind` on.

    A last line that is not written to its end yet is left out.

    Raises:
        JournalError: There is no such journal, a line is no record, or it does not follow the one before it.
    """
    if files.open_segment.name not in disk.names(files.folder):
        raise JournalError(f"{files.open_segment}: there is no open journal of environment {files.environment!r} here.")
    before: Chained | None = None
    for path in (*files.sealed_segments(disk), files.open_segment):
        with disk.read(path) as file:
            for place, body in read_segment(file, path, before=before, may_be_torn=path == files.open_segment):
                yield place, body[body.index(b'"kind":') :]
                before = place


def read_segment(
    file: BinaryIO, path: Path, *, before: Chained | None = None, may_be_torn: bool = False
) -> Iterator[tuple[Chained, bytes]]:
    """Place and signed bytes of each record of a segment.

    Args:
        file: Its bytes.
        path: Where they come from, for messages.
        before: The record that the first one follows; None where that is not known.
        may_be_torn: Whether a last line without its end ends the segment in silence.

    Raises:
        JournalError: A line is no record, or does not follow the one before it.
    """
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n") and may_be_torn:
            return
        read = read_chained(line[:-1]) if line.endswith(b"\n") else None
        if read is None:
            raise JournalError(f"{path}, line {number}: is no whole record of a journal: {line[:60]!r}")
        place = read[0]
        if before is not None and not follows(place, before):
            raise JournalError(f"{path}, line {number}: record {place.seq} does not follow record {before.seq}.")
        before = place
        yield read


def follows(place: Chained, before: Chained) -> bool:
    """Whether a record says that it comes next after another."""
    return (place.log, place.seq, place.prev) == (before.log, before.seq + 1, before.mac)
