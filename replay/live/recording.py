"""The bars that a live run was told, on the disk: what a restart, a replay and a shadow read again.

A file begins with a line of JSON that names its legs; each bar is a record of 60 bytes: leg and open time as int64,
then open, high, low, close and volume as float64, and CRC-32 of these 56 bytes as uint32, little-endian. It is synced
with each checkpoint. What a loss of power cuts off after that, the venue is asked for again; the journal's digests say
whether it is the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...engine.bars import Bars
from ...engine.growing import Row
from ...errors import DataError
from ..channel.messages import Leg
from ..private_files import make_private_folder, open_own_file

_RECORD = np.dtype([("leg", "<i8"), ("ts_us", "<i8"), ("row", "<f8", 5), ("crc", "<u4")])
_CRC_BYTES = 4
Records: TypeAlias = NDArray[np.void]


class Recording:
    """One run's bars.

    Attributes:
        path: The file.
        legs: What it holds.
        interval_seconds: Length of the bars.
    """

    def __init__(self, path: Path, legs: Sequence[Leg], interval_seconds: int) -> None:
        """Open a recording to add to it; it is made where it is not there.

        Raises:
            DataError: It is of other legs.
            JournalError: It is not private.
        """
        self.path, self.legs, self.interval_seconds = path, tuple(legs), interval_seconds
        make_private_folder(path.parent)
        is_new = not path.exists() or path.stat().st_size == 0
        self._descriptor = open_own_file(path, os.O_RDWR | os.O_CREAT)
        if is_new:
            os.write(self._descriptor, self._head())
        elif not path.read_bytes().startswith(self._head()):
            raise DataError(f"{path}: holds bars of other instruments than this run trades; keep it, and use another.")
        os.ftruncate(self._descriptor, len(self._head()) + self._sound().nbytes)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        """Add the bars that opened at an instant, by leg."""
        self._write(np.array([(leg, ts_us, row, 0) for leg, row in rows.items()], dtype=_RECORD))

    def add_history(self, leg: int, bars: Bars) -> None:
        """Add what a leg has before the start."""
        told = np.empty(len(bars), dtype=_RECORD)
        told["leg"], told["ts_us"], told["row"] = leg, bars.ts_us, bars.values[:5].T
        self._write(told)

    def sync(self) -> None:
        """Wait until what was added outlives a loss of power."""
        os.fdatasync(self._descriptor)

    def read(self) -> tuple[Bars, ...]:
        """All that it holds, by leg; of a bar that is there twice the later one."""
        told = self._sound()
        return tuple(self._bars(leg, told[told["leg"] == place]) for place, leg in enumerate(self.legs))

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def _write(self, told: Records) -> None:
        told["crc"] = [crc32(one.tobytes()[:-_CRC_BYTES]) for one in told]
        os.write(self._descriptor, told.tobytes())

    def _sound(self) -> Records:
        """The records up to the first that is torn."""
        held = self.path.read_bytes()[len(self._head()) :]
        told = np.frombuffer(held[: len(held) // _RECORD.itemsize * _RECORD.itemsize], dtype=_RECORD)
        torn = np.flatnonzero([crc32(one.tobytes()[:-_CRC_BYTES]) != one["crc"] for one in told])
        return told[: torn[0]] if torn.size else told

    def _head(self) -> bytes:
        legs = [{"name": leg.name, "venue": leg.venue, "symbol": leg.symbol} for leg in self.legs]
        return json.dumps({"legs": legs, "interval_seconds": self.interval_seconds}).encode() + b"\n"

    def _bars(self, leg: Leg, told: Records) -> Bars:
        times, last = np.unique(told["ts_us"][::-1], return_index=True)
        rows = told["row"][::-1][last]
        return Bars.from_arrays(
            times, *rows.T, interval_seconds=self.interval_seconds, symbol=leg.name, venue=leg.venue
        )
