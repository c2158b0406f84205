"""One direction of a stream that misbehaves: frames go in, and come out late, twice, in another order or never."""

from __future__ import annotations

import heapq

import numpy as np

from .faults import Faults

_HELD_US = 200_000
"""How long a frame waits for the next one, which is to come before it."""


class Line:
    """Frames on their way."""

    def __init__(self, faults: Faults, rng: np.random.Generator) -> None:
        self._faults, self._rng = faults, rng
        self._under_way: list[tuple[int, int, bytes]] = []
        self._held: tuple[int, bytes] | None = None
        self._count = 0

    @property
    def next_us(self) -> int | None:
        """When the next frame comes out; None where none is under way."""
        times = [self._under_way[0][0]] if self._under_way else []
        return min(times + ([self._held[0]] if self._held else []), default=None)

    def put(self, frame: bytes, now_us: int) -> None:
        """Send a frame on its way."""
        faults, (drop, duplicate, reorder, delay) = self._faults, self._rng.random(4).tolist()
        if drop < faults.drop:
            return
        if reorder < faults.reorder and self._held is None:
            self._held = (now_us + _HELD_US, frame)
            return
        late_us = faults.delay_us if delay < faults.delay else 0
        for _ in range(2 if duplicate < faults.duplicate else 1):
            self._push(frame, now_us + late_us)
        self._let_go(now_us)

    def take(self, now_us: int) -> list[bytes]:
        """The frames that come out now."""
        if self._held is not None and self._held[0] <= now_us:
            self._let_go(now_us)
        taken = []
        while self._under_way and self._under_way[0][0] <= now_us:
            taken.append(heapq.heappop(self._under_way)[2])
        return taken

    def _let_go(self, now_us: int) -> None:
        if self._held is not None:
            self._push(self._held[1], now_us)
            self._held = None

    def _push(self, frame: bytes, at_us: int) -> None:
        self._count += 1
        heapq.heappush(self._under_way, (at_us, self._count, frame))
