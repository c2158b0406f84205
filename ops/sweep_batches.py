"""Rows of a sweep in batches for a cluster: each as large as is done in about a second, by what others have cost.

Towards the end they become smaller, so that all workers end together (guided self-scheduling: Polychronopoulos and Kuck
1987, IEEE Transactions on Computers C-36(12)).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

TARGET_SECONDS = 1.0
_LEAST_SECONDS = 0.1
"""A task costs the cluster some milliseconds, whatever it does."""

_FIRST_CELLS_PER_SECOND = 2e6
"""Until something was measured: far below what compiled rows do, so that slow engines are not asked too much."""


@dataclass(frozen=True)
class Batch:
    """Rows of one instrument that are run as one task.

    Attributes:
        instrument: Its place in the plan.
        start: First row, counted from the instrument's first.
        stop: The row after the last one.
    """

    instrument: int
    start: int
    stop: int


class Batches:
    """Rows that are to be done."""

    def __init__(self, portions: Iterable[tuple[int, int]], sets: int, cells_of: Callable[[int], int]) -> None:
        """Take rows in.

        Args:
            portions: (start, stop) of rows, each of one instrument.
            sets: Rows of an instrument.
            cells_of: Cells of one row of an instrument.
        """
        self._left: deque[Batch] = deque()
        self._cells_of = cells_of
        self._cells_left = 0
        self._cells_per_second = _FIRST_CELLS_PER_SECOND
        for start, stop in portions:
            instrument, first = divmod(start, sets)
            self._add(Batch(instrument, first, first + stop - start))

    def _add(self, batch: Batch) -> None:
        self._cells_left += self.cells(batch)
        last = self._left[-1] if self._left else None
        if last is not None and (last.instrument, last.stop) == (batch.instrument, batch.start):
            self._left[-1] = Batch(batch.instrument, last.start, batch.stop)
        else:
            self._left.append(batch)

    def __bool__(self) -> bool:
        return bool(self._left)

    def next(self) -> list[Batch]:
        """What the next batch is taken from, if there is any."""
        return [self._left[0]] if self._left else []

    def cells(self, batch: Batch) -> int:
        """Cells of a batch."""
        return (batch.stop - batch.start) * self._cells_of(batch.instrument)

    def measured(self, batch: Batch, seconds: float) -> None:
        """Take in what a batch has cost."""
        self._cells_per_second = self.cells(batch) / max(seconds, 1e-6)

    def take(self, slots: int) -> Batch:
        """The next batch, of a cluster that runs `slots` side by side."""
        share = self._cells_left / (2 * slots)
        least, most = _LEAST_SECONDS * self._cells_per_second, TARGET_SECONDS * self._cells_per_second
        first = self._left.popleft()
        rows = max(int(min(max(share, least), most)) // self._cells_of(first.instrument), 1)
        batch = Batch(first.instrument, first.start, min(first.start + rows, first.stop))
        self._cells_left -= self.cells(batch)
        if batch.stop < first.stop:
            self._left.appendleft(Batch(first.instrument, batch.stop, first.stop))
        return batch
