"""The bars that a live run was told, on the disk: what a restart, a replay and a shadow read again.

`data.recordings` says how a file looks. What a loss of power cuts off, the venue is asked for again; the journal's
digests say whether it is the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...data.recordings import (
    RECORD,
    RecordedBars,
    RecordedLeg,
    Records,
    read_recording,
    recording_head,
    signed,
    sound_bytes,
)
from ...engine.bars import Bars
from ...engine.growing import Row
from ...errors import DataError
from ..channel.messages import Leg
from ..private_files import make_private_folder, open_own_file


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
        self._descriptor, own = open_own_file(path, os.O_RDWR | os.O_CREAT), self._head()
        head = os.pread(self._descriptor, len(own), 0)
        if not head:
            os.write(self._descriptor, own)
        elif head != own:
            raise DataError(f"{path}: holds bars of other instruments than this run trades; keep it, and use another.")
        os.ftruncate(self._descriptor, sound_bytes(path))
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        """Add the bars that opened at an instant, by leg."""
        self._write(np.array([(leg, ts_us, row, 0) for leg, row in rows.items()], dtype=RECORD))

    def add_history(self, leg: int, bars: Bars) -> None:
        """Add what a leg has before the start."""
        told = np.empty(len(bars), dtype=RECORD)
        told["leg"], told["ts_us"], told["row"] = leg, bars.ts_us, bars.values[:5].T
        self._write(told)

    def sync(self) -> None:
        """Wait until what was added outlives a loss of power."""
        os.fdatasync(self._descriptor)

    def read(self) -> tuple[Bars, ...]:
        """All that it holds, by leg; of a bar that is there twice the later one."""
        return recorded_bars(self.path)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def _write(self, told: Records) -> None:
        os.write(self._descriptor, signed(told).tobytes())

    def _head(self) -> bytes:
        legs = [RecordedLeg(name=leg.name, venue=leg.venue, symbol=leg.symbol) for leg in self.legs]
        return recording_head(legs, self.interval_seconds)


def recorded_bars(path: Path) -> tuple[Bars, ...]:
    """By leg the bars of a recording.

    Raises:
        DataError: The file is not there, or is no recording.
    """
    interval_seconds, legs = read_recording(path)
    return tuple(_bars(one, interval_seconds) for one in legs)


def _bars(one: RecordedBars, interval_seconds: int) -> Bars:
    return Bars.from_arrays(
        one.ts_us, *one.rows, interval_seconds=interval_seconds, symbol=one.leg.name, venue=one.leg.venue
    )
