"""The tables that grow while a scheduler runs: decisions, fills, weights, events, and notes of the operator's state."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.account import FILL_BAR, FILL_COLUMNS, FILL_KIND, FILL_LEG
from ...kernels.scheduler import layout
from ...kernels.scheduler.fills import ROWS_OF_A_CELL
from ..bars import Floats
from .arrays import SchedulerArrays
from .effects import Effect, Noted

_ROOM = 4
"""How many of the busiest instants find room before a table is taken over."""


class SchedulerTables:
    """Tables that kernels write, taken over in pieces as they fill.

    Attributes:
        decisions: float64[DECISION, ·], where the kernels write.
        fills: float64[FILL_COLUMNS, ·], likewise.
        refreshes: float64[1 + 2 × schedules, ·], likewise.
        events: float64[EVENT, ·], likewise.
        unit_fills: float64[FILL_COLUMNS, ·], scratch of the kernels.
        notes: What the operator's state told, with the instant.
        passed: By name how many rows were taken over.
        keeps: Whether they are kept. Where somebody else has them, what is taken over now stays until it is done again
            after the next time: who is told only of instants has not seen all of it.
    """

    def __init__(self, arrays: SchedulerArrays) -> None:
        cells = arrays.upcoming.size
        self._account = arrays.account
        self.decisions = np.empty((layout.DECISION, max(_ROOM * cells, 16_384)))
        self.fills = np.empty((FILL_COLUMNS, max(_ROOM * ROWS_OF_A_CELL * cells, 4096)))
        # Rows a power of two apart would fall on the same lines of a cache, and a refresh writes one value to each.
        self.refreshes = np.empty((1 + 2 * arrays.rules.shape[0], 1024 + 8))
        self.events = np.empty((layout.EVENT, 1024 + 2 * arrays.profiles.shape[0]))
        self.unit_fills = np.empty((FILL_COLUMNS, 2 * ROWS_OF_A_CELL))
        self._halves = {name: getattr(self, name).shape[1] / 2 for name in _COUNTS}
        self.keeps = True
        self.notes: list[tuple[int, Noted]] = []
        self.passed = dict.fromkeys(_COUNTS, 0)
        self._taken: dict[str, list[list[NDArray[Any]]]] = {
            name: [[] for _ in getattr(self, name)] for name in self.passed
        }

    def note(self, effects: Sequence[Effect], now: int) -> None:
        """Keep what the operator's state told."""
        self.notes += [(now, effect) for effect in effects if isinstance(effect, Noted)]

    def flush(self) -> None:
        """Take over what was written, so that the tables are empty again."""
        self._give_up()
        for name in _COUNTS:
            self._take_over(name)

    def make_room(self) -> None:
        """Take over the tables that are more than half full."""
        self._give_up()
        for name, slot in _COUNTS.items():
            if self._account[slot] > self._halves[name]:
                self._take_over(name)

    def _give_up(self) -> None:
        """Keep what was taken over last, of what somebody else has."""
        if not self.keeps:
            for pieces in chain.from_iterable(self._taken.values()):
                del pieces[:-1]

    def _take_over(self, name: str) -> None:
        slot = _COUNTS[name]
        count = int(self._account[slot])
        if count:
            self.put(name, getattr(self, name)[:, :count])
            self._account[slot] = 0.0

    def put(self, name: str, table: Floats) -> None:
        """Add rows to what was taken over."""
        self.passed[name] += table.shape[1]
        for pieces, row, kind in zip(self._taken[name], table, _kinds(name, table), strict=True):
            pieces.append(row.astype(kind))

    def counts(self) -> list[int]:
        """How many rows each table has from its beginning, in the order of `passed`."""
        account, passed = self._account.tolist(), self.passed
        return [passed[name] + int(account[slot]) for name, slot in _COUNTS.items()]

    def rows(self, name: str, start: int, stop: int) -> list[list[float]]:
        """Rows `start` to `stop`, counted from the beginning, which are the last ones; each as a list."""
        if start == stop:
            return []
        table, passed = getattr(self, name), self.passed[name]
        open_rows: list[list[float]] = table[:, max(start - passed, 0) : stop - passed].T.tolist()
        if start >= passed:
            return open_rows
        if start < passed - sum(piece.size for piece in self._taken[name][0]):
            raise IndexError(f"row {start} of {name} was given up")
        taken = [np.concatenate(pieces)[start - passed :] for pieces in self._taken[name]]  # it was full in between
        return [[float(value) for value in row] for row in zip(*taken, strict=True)] + open_rows

    def whole(self, name: str, *, kept: bool = False) -> Floats:
        """A table from its beginning. Its pieces are given up row by row: they would double what it takes.

        kept: whether they are kept, of a run that may go on.
        """
        rows = self._taken[name]
        table = np.empty((len(rows), sum(piece.size for piece in rows[0])))
        for row, pieces in zip(table, rows, strict=True):
            np.concatenate([*pieces, np.empty(0)], out=row)
            if not kept:
                pieces.clear()
        return table


_COUNTS = {
    "decisions": layout.DECISIONS,
    "fills": layout.WRITTEN,
    "refreshes": layout.REFRESHES,
    "events": layout.EVENTS,
}

_WHOLE_NUMBERS = {
    "decisions": {layout.DECIDED_CELL: np.int32, layout.DECIDED_REASON: np.int8, layout.IS_ACCEPTED: np.int8},
    "fills": {FILL_BAR: np.int32, FILL_LEG: np.int32, FILL_KIND: np.int8},
}
"""Rows that are kept as whole numbers: millions of them wait for the end of a run."""


def _kinds(name: str, table: Floats) -> list[type]:
    """How each row of a table is kept."""
    whole = _WHOLE_NUMBERS.get(name, {})
    return [whole.get(row, np.float64) for row in range(len(table))]
