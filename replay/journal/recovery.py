"""What start-up meets on the disk, and how it goes on from there.

A crash leaves one of a few states behind; docs/journal.md names them. Whatever else is found is no crash's doing, and
nothing is repaired then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from ...errors import JournalError
from ..keys import EpochKey
from .disk import Disk
from .files import Head, JournalFiles, read_head, write_file, write_open_segment_anew
from .reading import read_segment
from .record import Chained
from .segments import KeyStore, begin, finish_exchange, is_signed


@dataclass(frozen=True, kw_only=True)
class Found:
    """The open segment as start-up left it.

    Attributes:
        first_seq: Of its first record.
        last: Its last record.
        torn: Name of the file that a torn last line was put into, or None.
        kept: How many records are past the head: they were written, and nobody was told.
    """

    first_seq: int
    last: Chained
    torn: str | None
    kept: int


def recover_or_begin(files: JournalFiles, keys: KeyStore, disk: Disk, log_id: str, genesis: bytes) -> Found:
    """Where the journal stands; a new one begins and is then met as any other.

    Args:
        files: The journal's.
        keys: Where its key is kept.
        disk: Where it lies.
        log_id: Of a new journal.
        genesis: `members` of a new journal's first record.

    Raises:
        JournalError: What is there was not left by a crash; nothing is repaired.
    """
    found = recover(files, keys, disk)
    if found is None:
        begin(files, keys.current(), disk, log_id=log_id, genesis=genesis)
        found = recover(files, keys, disk)
    if found is None:
        raise JournalError(f"{files.open_segment}: was written, and is not there.")
    return found


def recover(files: JournalFiles, keys: KeyStore, disk: Disk) -> Found | None:
    """Finish what a crash cut off, check the open segment, and set a torn last line aside.

    Returns:
        Where the journal stands; None where there is none.

    Raises:
        JournalError: What is there was not left by a crash; nothing is repaired.
    """
    disk.sync_folder(files.folder)  # names that a killed process gave are seen here, but may not be durable yet
    finish_exchange(files, keys, disk)
    head = _head(files, disk)
    if head is None:
        return None
    with disk.read(files.open_segment) as file:
        first_seq, last, whole_bytes = _check(file, files, keys.current(), head)
        file.seek(whole_bytes)
        torn_line = file.read()
    torn = _set_aside(files, disk, torn_line, last.seq + 1) if torn_line else None
    if torn_line or last.seq > head.seq:
        write_open_segment_anew(files, disk, whole_bytes)
    return Found(first_seq=first_seq, last=last, torn=torn, kept=last.seq - head.seq)


def _head(files: JournalFiles, disk: Disk) -> Head | None:
    """The head of a journal whose open segment is there; None where there is no journal."""
    head, is_open = read_head(disk, files.head), files.open_segment.name in disk.names(files.folder)
    if head is None and not is_open and not files.sealed_segments(disk):
        return None
    for path, there in ((files.open_segment, is_open), (files.head, head is not None)):
        if not there:
            raise JournalError(
                f"{path}: is missing, though other files of this journal are there. Nothing was changed."
            )
    return head


def _check(file: BinaryIO, files: JournalFiles, key: EpochKey, head: Head) -> tuple[int, Chained, int]:
    """Number of the first record, the last record, and how many bytes all of them are.

    Raises:
        JournalError: Chain, signatures or head are not as they should be.
    """
    path, first_seq, last = files.open_segment, -1, None
    for place, body in read_segment(file, path, may_be_torn=True):
        if not is_signed(place, body, key):
            raise JournalError(
                f"{path}, record {place.seq}: is not signed by the key at hand, epoch {key.epoch} of {key.kid}; "
                f"it says epoch {place.epoch} of {place.kid}. `barstep decision-log verify` tells more."
            )
        if place.seq == head.seq and place.mac != head.mac:
            raise JournalError(f"{files.head}: says another record {head.seq} than {path.name} holds.")
        first_seq, last, whole_bytes = place.seq if last is None else first_seq, place, file.tell()
    if last is None:
        raise JournalError(f"{path}: holds no whole record.")
    if head.log != last.log or head.seq > last.seq:
        raise JournalError(
            f"{files.head}: says record {head.seq} of log {head.log}, but {path.name} ends with record {last.seq} "
            f"of log {last.log}: records are missing. Nothing was changed."
        )
    return first_seq, last, whole_bytes


def _set_aside(files: JournalFiles, disk: Disk, torn_line: bytes, seq: int) -> str:
    """Copy a torn last line into a file of its own, and say that file's name."""
    names, copy = disk.names(files.folder), 0
    while files.torn(seq, copy).name in names:  # an earlier start lost power here; what it set aside is kept
        copy += 1
    write_file(disk, files.torn(seq, copy), [torn_line])
    return files.torn(seq, copy).name
