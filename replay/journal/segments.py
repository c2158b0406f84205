"""How one segment of a journal follows another, so that a crash at any point leaves what start-up can finish.

The next segment is written whole under another name; then the open one gets its last record, `sealed`, which decides:
from there on the next segment is the journal's. The key goes on, then the names. Each step is durable before the next.
"""

from __future__ import annotations

import hmac
import os
from typing import Protocol

from ...errors import JournalError
from ..keys import EpochKey
from .disk import Disk
from .files import Head, JournalFiles, read_head, rename_file, write_file, write_open_segment_anew
from .reading import follows, read_segment
from .record import GENESIS_PREV, Chained, make_line, sign


class KeyStore(Protocol):
    """Where the open segment's key is kept."""

    def current(self) -> EpochKey:
        """The newest key."""

    def advance(self, key: EpochKey) -> None:
        """Put `key` in the newest one's place; when this returns, that outlives a crash and the old one is gone."""


def begin(files: JournalFiles, key: EpochKey, disk: Disk, *, log_id: str, genesis: bytes) -> None:
    """Lay a new journal down: a segment that holds the genesis record, and its head.

    Raises:
        JournalError: The key is not the first one of its root: it signs another journal, which could not go on, and
            verifying this one would miss the epochs before.
    """
    if key.epoch:
        raise JournalError(
            f"{files.folder}: there is no journal of {files.environment!r}, and a new one takes keys of its own: these "
            f"are at epoch {key.epoch}, so they sign another one. Go on with that one, or make others with "
            f"`barstep keys init --environment {files.environment} --keys-folder FOLDER`."
        )
    place = Chained(log=log_id, seq=0, epoch=key.epoch, kid=key.kid, prev=GENESIS_PREV, kind="", mac="")
    line, mac = make_line(place, genesis, key.key)
    write_file(disk, files.next_segment, [line])
    write_file(disk, files.next_head, [Head(log=log_id, seq=0, mac=mac).line()])
    rename_file(disk, files.next_head, files.head)
    exchange(files, disk, None)


def exchange(files: JournalFiles, disk: Disk, first_seq: int | None) -> None:
    """Give the open segment its sealed name, and the next one the open one's.

    Args:
        files: The journal's.
        disk: Where they are.
        first_seq: Of the open segment; None where there is none (any more).

    Raises:
        JournalError: Another file has the sealed name.
    """
    if first_seq is not None:
        sealed = files.sealed(first_seq)
        if sealed.name in disk.names(files.folder):
            raise JournalError(
                f"{sealed}: is there already, so {files.open_segment.name} cannot be sealed; move it away."
            )
        rename_file(disk, files.open_segment, sealed)
    rename_file(disk, files.next_segment, files.open_segment)


def finish_exchange(files: JournalFiles, keys: KeyStore, disk: Disk) -> None:
    """Do what was left to do of an exchange that was decided; a next segment that nothing decided for is left lying."""
    staged = _staged(files, disk)
    if staged is None:
        return
    place, body = staged
    now = keys.current()
    key = next((key for key in (now, now.evolved()) if is_signed(place, body, key)), None)
    if key is None or not _is_decided(files, place, disk):
        return
    first_seq = _settle_open(files, disk)
    keys.advance(key)
    exchange(files, disk, first_seq)


def is_signed(place: Chained, body: bytes, key: EpochKey) -> bool:
    """Whether a key signed a record."""
    named = (place.kid, place.epoch) == (key.kid, key.epoch)
    return named and hmac.compare_digest(sign(body, place.log, key.key), place.mac)


def _staged(files: JournalFiles, disk: Disk) -> tuple[Chained, bytes] | None:
    """The one record of the next segment; None where that is not there or was not written whole."""
    if files.next_segment.name not in disk.names(files.folder):
        return None
    try:
        with disk.read(files.next_segment) as file:
            records = list(read_segment(file, files.next_segment))
    except JournalError:
        return None  # cut off while it was written, so that nothing was decided
    return records[0] if len(records) == 1 else None


def _is_decided(files: JournalFiles, place: Chained, disk: Disk) -> bool:
    """Whether the journal's last record is the one before the next segment's, or its head says the genesis record."""
    names = disk.names(files.folder)
    segments = files.sealed_segments(disk) + [files.open_segment] * (files.open_segment.name in names)
    if not segments:
        head = read_head(disk, files.head)
        return head is not None and (place.seq, place.prev, place.mac) == (0, GENESIS_PREV, head.mac)
    last = None
    with disk.read(segments[-1]) as file:
        for before, _ in read_segment(file, segments[-1], may_be_torn=True):
            last = before
    return last is not None and follows(place, last)


def _settle_open(files: JournalFiles, disk: Disk) -> int | None:
    """Number of the open segment's first record, once all that it holds is durable; None where it is not there."""
    if files.open_segment.name not in disk.names(files.folder):
        return None
    with disk.read(files.open_segment) as file:
        first = next(read_segment(file, files.open_segment))[0]
        count = file.seek(0, os.SEEK_END)
    write_open_segment_anew(files, disk, count)
    return first.seq
