"""What a journal holds, counted and listed. Nothing here is verified: `decision-log verify` does that."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ...errors import DataError
from ..clock import Clock
from .disk import REAL_DISK
from .files import JournalFiles
from .lines import batches_of_lines, is_at, open_segments, reopened

POLL_US = 200_000
Record = dict[str, Any]


class _Counted(msgspec.Struct):
    """The fields of a record that are counted; the others are not even decoded."""

    kind: str
    at: str
    category: Any = None
    status: Any = None
    reason: Any = None
    schedule: Any = None


@dataclass(kw_only=True)
class Summary:
    """Counts over a journal.

    Attributes:
        environment: Whose it is.
        segments: How many files it is in.
        records: How many records there are.
        unreadable: How many lines are none.
        first_at: Time of the first record; None where there is none.
        last_at: Of the last one.
        by: Counts by the values of `kind`, `category`, `status`, `reason` and `schedule`, the most frequent first.
    """

    environment: str
    segments: int = 0
    records: int = 0
    unreadable: int = 0
    first_at: str | None = None
    last_at: str | None = None
    by: dict[str, dict[str, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return asdict(self)


def summarize(files: JournalFiles) -> Summary:
    """Count a journal's records, in constant memory.

    Raises:
        DataError: There is no journal.
        JournalError: A file is not private.
    """
    summary = Summary(environment=files.environment)
    counts = {name: Counter[str]() for name in ("kind", "category", "status", "reason", "schedule")}
    decode = msgspec.json.Decoder(_Counted).decode
    with open_segments(files) as segments:
        summary.segments = len(segments)
        for path, file in segments:
            for line in _whole_lines(path, file):
                try:
                    record = decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    summary.unreadable += 1
                    continue
                summary.records += 1
                summary.first_at = summary.first_at or record.at
                summary.last_at = record.at
                for name, counter in counts.items():
                    value = getattr(record, name)
                    if isinstance(value, str) and value:
                        counter[value] += 1
    summary.by = {name: dict(sorted(c.items(), key=lambda one: (-one[1], one[0]))) for name, c in counts.items()}
    return summary


def last_records(files: JournalFiles, count: int, wanted: Callable[[Record], bool]) -> tuple[list[Record], int]:
    """The last records that are wanted, oldest first, and the number of the last record of all, -1 where there is none.

    Raises:
        DataError: There is no journal.
        JournalError: A file is not private.
    """
    found: list[Record] = []
    last = -1
    with open_segments(files) as segments:
        for path, file in reversed(segments):
            here = deque[Record](maxlen=max(count - len(found), 0))
            for record in _records(_whole_lines(path, file)):
                last = max(last, record["seq"])
                if wanted(record):
                    here.append(record)
            found[:0] = here
            if len(found) >= count:
                break
    return found, last


def follow(files: JournalFiles, after: int, wanted: Callable[[Record], bool], clock: Clock) -> Iterator[Record]:
    """Records past a number as they are written, those that are wanted; it goes over segments and never ends.

    Args:
        files: The journal's.
        after: The last record that is known.
        wanted: Which ones are given.
        clock: What waits between looks.

    Raises:
        DataError: There is no open segment.
        JournalError: A file is not private.
    """
    file, rest = _open(files), b""
    if file is None:
        raise DataError(f"{files.open_segment}: no such segment; nothing is written there.")
    try:
        while True:
            was_renamed = not is_at(files.open_segment, file)  # asked before the rest is read
            data = file.read()
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            for record in _records(lines):
                if record["seq"] > after:
                    after = record["seq"]
                    if wanted(record):
                        yield record
            newer = _open(files) if was_renamed else None
            if newer is not None:
                file.close()
                file, rest = newer, b""
            elif not data:
                clock.sleep_us(POLL_US)
    finally:
        file.close()


def _open(files: JournalFiles) -> BinaryIO | None:
    try:
        return REAL_DISK.read(files.open_segment)
    except FileNotFoundError:  # there is a moment between two names
        return None


def _whole_lines(path: Path, file: BinaryIO | None) -> Iterator[bytes]:
    with reopened(path, file) as lines_of:
        for lines, ended in batches_of_lines(lines_of):
            if ended:
                yield from lines


def _records(lines: Iterable[bytes]) -> Iterator[Record]:
    """Those lines that are JSON objects with a number, decoded."""
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("seq"), int):
            yield record
