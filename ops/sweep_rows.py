"""Counts the rows of a sweep as they are done."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.sweep.kinds import Rows
from ..engine.sweep.running import Store, Told


class CountedRows:
    """A store that counts, in front of one that keeps or of none."""

    def __init__(self, store: Store | None, rows: int, told: Told) -> None:
        """rows: how many there are. told: of the rows that are done, and of all of them."""
        self._store, self._rows, self._told = store, rows, told
        self._done = 0

    def kept(self) -> Iterator[Rows]:
        """The rows that are done already."""
        for rows in self._store.kept() if self._store is not None else ():
            self._done += rows.stop - rows.start
            yield rows
        self._told(self._done, self._rows)

    def add(self, rows: Rows) -> None:
        """Have rows kept, and tell."""
        if self._store is not None:
            self._store.add(rows)
        self._done += rows.stop - rows.start
        self._told(self._done, self._rows)
