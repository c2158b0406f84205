"""The decision journal, as its one writer sees it.

Records are appended, which puts them nowhere, and committed as a group, which makes them durable; only then may
anything act on them. Groups can wait for one another: a commit writes and syncs them one by one. docs/journal.md says
how the files look and what a crash leaves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

from ...errors import HeldError, JournalError, UsageError, in_one_line
from ..keys import EpochKey
from .disk import REAL_DISK, Disk
from .files import Head, JournalFiles, write_file
from .record import LineMaker, at_text, check_payload, members, time_of
from .recovery import Found, recover_or_begin
from .segments import KeyStore, exchange

SEGMENT_RECORDS = 65_536
"""How long a segment gets before it wants sealing."""

SealReason = Literal["full", "ended", "rotated"]

_LOG_ID = re.compile(r"[0-9a-f]{32}")


class TradingDecisionJournal:
    """One environment's journal, held for writing.

    Attributes:
        found: What start-up met.
        log_id: The journal's id.
        seq: Number of the last record that was appended.
        mac: Its signature.
        segment_seq: Number of the open segment's first record.
        failed: Why nothing is written any more; None while all is well.
    """

    def __init__(self, files: JournalFiles, keys: KeyStore, disk: Disk, lock: int, found: Found) -> None:
        """What `open` makes, once the lock is held and the disk is in order."""
        self.found = found
        self.log_id, self.seq, self.mac = found.last.log, found.last.seq, found.last.mac
        self.segment_seq = found.first_seq
        self.failed: str | None = None
        self._files, self._keys, self._disk, self._lock = files, keys, disk, lock
        self._take_key(keys.current())
        self._pending: list[bytes] = []
        self._groups: list[tuple[bytes, bytes]] = []
        self._head = disk.open(files.head)
        self._segment = disk.open(files.open_segment)

    @classmethod
    def open(
        cls,
        folder: Path,
        environment: str,
        keys: KeyStore,
        *,
        log_id: str,
        genesis: bytes,
        now_us: int,
        disk: Disk = REAL_DISK,
    ) -> Self:
        """Take the journal for writing, finish what a crash cut off, and stand behind the last record.

        Args:
            folder: The folder of journals; it is made where it is not there.
            environment: Whose journal.
            keys: Where the open segment's key is kept.
            log_id: 32 random hexadecimal digits, for a journal that is new.
            genesis: `members` of its first record, for a journal that is new.
            now_us: Wall time in microseconds, for the record that says what was recovered.
            disk: Where it lies.

        Raises:
            HeldError: Another process writes it; nothing was written here.
            JournalError: What is there was not left by a crash, or the disk failed.
            UsageError: The environment's name, the id or the genesis record is none.
        """
        files = JournalFiles(folder=folder, environment=environment)
        if _LOG_ID.fullmatch(log_id) is None:
            raise UsageError(f"log id {log_id!r}: must be 32 hexadecimal digits.")
        time_of(genesis, "genesis")
        try:
            disk.make_folder(folder)
            lock = _take(files, disk)
            try:
                journal = cls(files, keys, disk, lock, recover_or_begin(files, keys, disk, log_id, genesis))
            except BaseException:
                disk.close(lock)
                raise
        except OSError as error:
            raise JournalError(f"{folder}: the journal cannot be opened: {in_one_line(error)}") from error
        journal._tell_found(at_text(now_us))
        return journal

    @property
    def is_full(self) -> bool:
        """Whether the open segment is so long that it wants sealing."""
        return self.seq - self.segment_seq + 1 >= SEGMENT_RECORDS

    def append(self, payload: bytes) -> int:
        """Sign one more record of the group; nothing is on the disk before `commit`.

        Args:
            payload: Its `members`: `kind` and `at`, then the others.

        Returns:
            The record's number.

        Raises:
            JournalError: The journal has failed, or is closed.
            UsageError: The payload does not begin like a record, or is no line of ASCII.
        """
        self._refuse_failed()
        check_payload(payload)
        self._pending.append(self._line(payload))
        return self.seq

    def append_record(self, record: Mapping[str, Any]) -> int:
        """Sign one more record of the group, from its fields; see `append`.

        Raises:
            ValueError: A number is NaN or infinite.
        """
        return self.append(members(record))

    def end_group(self) -> None:
        """What is appended from now on belongs to another group, which is written after this one.

        Raises:
            JournalError: The journal has failed, or is closed.
        """
        self._refuse_failed()
        try:
            if self._pending:
                self._groups.append((b"".join(self._pending), self._head_line()))
                self._pending.clear()
        except BaseException as error:  # Ctrl-C between the two: the records would be written twice
            self._fail("a group of records was not put together", error)

    def commit(self) -> None:
        """Make the groups durable, one after the other. When this returns, their records may be acted upon.

        Raises:
            JournalError: The disk failed, now or before: nothing of these groups may be acted upon, and nothing more
                is written.
        """
        self.end_group()
        write, fdatasync, overwrite = self._disk.write, self._disk.fdatasync, self._disk.overwrite
        segment, head = self._segment, self._head
        try:
            for group, line in self._groups:
                write(segment, group)
                fdatasync(segment)
                overwrite(head, line)
            self._groups.clear()
        except BaseException as error:
            self._fail("a group of records was not written", error)

    def seal(self, checkpoint: bytes, *, reason: SealReason = "full", key: EpochKey | None = None) -> None:
        """Commit the group, seal the open segment, and open the next one.

        Args:
            checkpoint: `members` of the next segment's first record.
            reason: Why, for the `sealed` record.
            key: What signs the next segment: the first key of a new root; None: the open segment's key, evolved.

        Raises:
            JournalError: The disk or the store of keys failed, now or before.
            UsageError: The checkpoint is none, or the key is of the root that signs already.
        """
        time = time_of(checkpoint, "checkpoint")
        if key is not None and key.kid == self._key.kid:
            raise UsageError(f"key {key.kid}: signs this journal already; a rotation takes a new root.")
        self.commit()
        key = key or self._key.evolved()
        try:
            sealed = self._line(members({"kind": "sealed", "at": time, "reason": reason}))
            self._take_key(key)
            write_file(self._disk, self._files.next_segment, [self._line(checkpoint)])
            self._disk.write(self._segment, sealed)
            self._disk.fdatasync(self._segment)
            self._keys.advance(key)
            exchange(self._files, self._disk, self.segment_seq)
            before, self._segment = self._segment, self._disk.open(self._files.open_segment)
            self._disk.close(before)
            self.segment_seq = self.seq
            self._disk.overwrite(self._head, self._head_line())
            self._disk.fdatasync(self._head)
        except BaseException as error:
            self._fail("a segment was not sealed", error)

    def close(self, checkpoint: bytes | None = None) -> None:
        """Let go of the journal; records that were not committed are dropped, as nobody was told of them.

        Args:
            checkpoint: Where the loop ends in order: the group is committed and the segment sealed first.

        Raises:
            JournalError: It could not be sealed; it is let go of all the same.
        """
        try:
            if checkpoint is not None:
                self.seal(checkpoint, reason="ended")
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _tell_found(self, at: str) -> None:
        """Write down what start-up met, where it was not a journal that ended in order."""
        if self.found.torn is None and self.found.kept == 0:
            return
        try:
            self.append_record({"kind": "recovered", "at": at, "torn": self.found.torn, "kept": self.found.kept})
            self.commit()
        except BaseException:
            self._release()
            raise

    def _take_key(self, key: EpochKey) -> None:
        """Sign what comes now with another key."""
        self._key, self._lines = key, LineMaker(self.log_id, key)

    def _line(self, payload: bytes) -> bytes:
        """The next record's line."""
        line, self.mac = self._lines.line(self.seq + 1, self.mac, payload)
        self.seq += 1
        return line

    def _head_line(self) -> bytes:
        """How far the journal goes."""
        return Head(log=self.log_id, seq=self.seq, mac=self.mac).line()

    def _fail(self, what: str, error: BaseException) -> NoReturn:
        """End the journal: what is on the disk is not known any more."""
        self.failed = f"{what}: {in_one_line(error)}" if isinstance(error, Exception) else what
        self._forget()
        if isinstance(error, OSError):
            raise JournalError(self._failed_text()) from error
        raise error

    def _forget(self) -> None:
        """Nobody was told of what is not durable."""
        self._pending.clear()
        self._groups.clear()

    def _refuse_failed(self) -> None:
        if self.failed is not None:
            raise JournalError(self._failed_text())

    def _failed_text(self) -> str:
        return f"{self._files.open_segment}: the journal writes nothing more: {self.failed}"

    def _release(self) -> None:
        """Give the descriptors back, the lock last; once."""
        self.failed = self.failed or "it was closed"
        self._forget()
        descriptors = (self._segment, self._head, self._lock)
        self._segment = self._head = self._lock = -1
        for descriptor in descriptors:
            if descriptor >= 0:
                self._disk.close(descriptor)


def _take(files: JournalFiles, disk: Disk) -> int:
    """The lock of the one who writes."""
    try:
        return disk.lock(files.lock)
    except BlockingIOError:
        raise HeldError(
            f"{files.lock}: another process writes the journal of environment {files.environment!r}. Nothing was "
            "written here; stop that process first."
        ) from None
