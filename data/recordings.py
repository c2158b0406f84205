"""A live run's recording: the bars that it was told, as they lie in its file.

A file begins with a line of JSON that names its legs and the length of the bars; each bar is a record of 60 bytes: leg
and open time as int64, then open, high, low, close and volume as float64, and CRC-32 of these 56 bytes as uint32,
little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

RECORD = np.dtype([("leg", "<i8"), ("ts_us", "<i8"), ("row", "<f8", 5), ("crc", "<u4")])
"""One bar."""
Records: TypeAlias = NDArray[np.void]
_CRC_BYTES = 4

_BEGINNING = b'{"legs": [{"name": '
_LONGEST_HEAD = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RecordedLeg:
    """Whose bars a recording holds.

    Attributes:
        name: What the run calls it.
        venue: Where it is traded.
        symbol: What the venue calls it.
    """

    name: str
    venue: str
    symbol: str


@dataclass(frozen=True, kw_only=True)
class RecordedBars:
    """One leg's bars, each once, in order of time.

    Attributes:
        leg: Whose.
        ts_us: int64[bar], when they opened, microseconds since the epoch, UTC.
        rows: float64[5, bar]: open, high, low, close, volume.
    """

    leg: RecordedLeg
    ts_us: NDArray[np.int64]
    rows: NDArray[np.float64]


def recording_head(legs: Sequence[RecordedLeg], interval_seconds: int) -> bytes:
    """The first line of a recording."""
    plain = [{"name": leg.name, "venue": leg.venue, "symbol": leg.symbol} for leg in legs]
    return json.dumps({"legs": plain, "interval_seconds": interval_seconds}).encode("ascii") + b"\n"


def is_recording(path: Path) -> bool:
    """Whether a file is a recording, told by how it begins."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_BEGINNING)) == _BEGINNING


def signed(told: Records) -> Records:
    """Records with their checksums."""
    told["crc"] = [_checksum(one) for one in told]
    return told


def sound_bytes(path: Path) -> int:
    """How long a recording is up to its first record that a loss of power has torn."""
    with path.open("rb") as file:
        head = file.readline(_LONGEST_HEAD)
        return len(head) + _sound(file.read()).nbytes


def read_recording(path: Path) -> tuple[int, tuple[RecordedBars, ...]]:
    """The length of a recording's bars in seconds, and the bars of each leg; of a bar that is there twice the later.

    What comes from a torn record on is passed over.

    Raises:
        DataError: The file is not there, or is no recording.
    """
    try:
        with path.open("rb") as file:
            head, rest = file.readline(_LONGEST_HEAD), file.read()
    except OSError as error:
        raise DataError(f"{path}: the recording cannot be read: {error.strerror}.") from error
    legs, interval_seconds = _parse_head(path, head)
    told = _sound(rest)
    return interval_seconds, tuple(_of_leg(leg, told[told["leg"] == place]) for place, leg in enumerate(legs))


def _sound(held: bytes) -> Records:
    told = np.frombuffer(held, dtype=RECORD, count=len(held) // RECORD.itemsize)
    torn = np.flatnonzero([_checksum(one) != one["crc"] for one in told])
    return told[: torn[0]] if torn.size else told


def _checksum(one: np.void) -> int:
    return crc32(one.tobytes()[:-_CRC_BYTES])


def _parse_head(path: Path, line: bytes) -> tuple[list[RecordedLeg], int]:
    try:
        head = json.loads(line)
        return [RecordedLeg(**leg) for leg in head["legs"]], int(head["interval_seconds"])
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: is no recording of a live run: {line[:60]!r}") from None


def _of_leg(leg: RecordedLeg, told: Records) -> RecordedBars:
    times, last = np.unique(told["ts_us"][::-1], return_index=True)
    return RecordedBars(leg=leg, ts_us=times, rows=np.ascontiguousarray(told["row"][::-1][last].T))
