"""What a live run's journal holds since one of its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..journal.disk import Disk
from ..journal.files import JournalFiles
from ..journal.reading import read_payloads, read_segment
from ..journal.record import Chained, at_us, fields_of, time_of
from ..session import given_of
from .again import Tail
from .genesis import refuse_another_run


class TailReader:
    """Gathers a tail, record by record."""

    def __init__(self) -> None:
        self._records: list[bytes] = []
        self._checkpoint: dict[str, Any] | None = None
        self._tags: dict[str, str] = {}

    def take(self, place: Chained, payload: bytes) -> None:
        """Take the next record; a checkpoint begins anew."""
        if place.kind == "checkpoint":
            self._checkpoint, self._records, self._tags = fields_of(payload), [], {}
        elif place.kind != "genesis":
            self.follow(place, payload)

    def follow(self, place: Chained, payload: bytes) -> None:
        """Take the next record of this tail."""
        self._records.append(payload)
        if place.kind == "order" and (record := fields_of(payload))["status"] == "accepted":
            self._tags[record["order_id"]] = f"{place.seq}.{place.mac[:16]}"

    def tail(self) -> Tail:
        """What was taken."""
        commands = [given_of(fields_of(one)) for one in self._records if one.startswith(b'"kind":"command"')]
        return Tail(records=self._records, checkpoint=self._checkpoint, tags=self._tags, commands=commands)


def last_tail(files: JournalFiles, disk: Disk, genesis: bytes) -> Tail:
    """What a journal holds since its last checkpoint.

    Raises:
        JournalError: It was begun with another genesis record, or is damaged.
    """
    reader = TailReader()
    for place, payload in read_payloads(files, disk):
        if place.kind == "genesis":
            refuse_another_run(files, payload, genesis)
        reader.take(place, payload)
    return reader.tail()


def whole_tail(files: JournalFiles, disk: Disk) -> Tail:
    """Everything that a journal holds, from its beginning: checkpoints amid it are passed over."""
    reader = TailReader()
    for place, payload in read_payloads(files, disk):
        if place.kind not in {"genesis", "checkpoint"}:
            reader.follow(place, payload)
    return reader.tail()


def read_tail_before(files: JournalFiles, disk: Disk, before_us: int, reader: TailReader) -> Iterator[None]:
    """Gather what a journal holds since its last checkpoint before an instant, or its beginning; a record at a time."""
    segments = [*files.sealed_segments(disk), files.open_segment]
    first = next((n for n in range(len(segments) - 1, 0, -1) if _begins_us(segments[n], disk) < before_us), 0)
    for number, path in enumerate(segments[first:]):
        with disk.read(path) as file:
            for place, body in read_segment(file, path, may_be_torn=path == files.open_segment):
                payload = body[body.index(b'"kind":') :]
                if place.kind != "checkpoint" or number == 0:
                    reader.take(place, payload)
                yield


def _begins_us(path: Path, disk: Disk) -> int:
    """The instant of a segment's first record."""
    with disk.read(path) as file:
        place, body = next(read_segment(file, path, may_be_torn=True))
    return at_us(time_of(body[body.index(b'"kind":') :], place.kind))
