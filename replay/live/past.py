"""A live run's bars: those that are recorded, and the venue's for what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from ...engine.bars import Bars
from ...engine.growing import Row
from ..channel.messages import HistoryRequest, Leg
from .recording import Recording

HISTORY = "history"
"""Name of the fetch."""

Fetch = Callable[[str, bytes], pa.Table]
"""Name and ticket of a fetch, and its answer."""

_COLUMNS = ("open", "high", "low", "close", "volume")


class RecordedPast:
    """Bars of a recording, filled up from a venue."""

    def __init__(self, recording: Recording, fetch: Fetch) -> None:
        self._recording, self._fetch = recording, fetch
        self._waiting: list[tuple[int, Mapping[int, Row]]] = []

    def read(self) -> Sequence[Bars]:
        """By leg the bars that are recorded, without those that wait; any thread may ask."""
        return self._recording.read()

    def fetch(self, from_us: int, to_us: int) -> Sequence[Bars]:
        """Record the venue's closed bars between two instants, and give all that are recorded.

        Raises:
            FeedError: The venue cannot be reached, or has not these bars.
        """
        self.flush()
        for place, leg in enumerate(self._recording.legs):
            bars = self._fetched(leg, from_us, to_us)
            self._recording.add_history(place, bars)
        self._recording.sync()
        return self._recording.read()

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        """Have the bars that opened at an instant recorded, by leg."""
        self._waiting.append((ts_us, rows))

    def flush(self) -> None:
        """Record what waits: once the orders are out, since the venue has the bars, too."""
        for ts_us, rows in self._waiting:
            self._recording.add(ts_us, rows)
        self._waiting.clear()

    def sync(self) -> None:
        """Have what was given so far outlive a loss of power."""
        self.flush()
        self._recording.sync()

    def close(self) -> None:
        """Record what waits, and let go of the file."""
        self.flush()
        self._recording.close()

    def _fetched(self, leg: Leg, from_us: int, to_us: int) -> Bars:
        seconds = self._recording.interval_seconds
        wanted = HistoryRequest(leg=leg, interval_seconds=seconds, from_us=from_us, to_us=to_us)
        table = self._fetch(HISTORY, msgspec.json.encode(wanted))
        times = table["timestamp"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        columns = [table[name].to_numpy().astype(np.float64) for name in _COLUMNS]
        return Bars.from_arrays(times, *columns, interval_seconds=seconds, symbol=leg.name, venue=leg.venue)
