"""What a sweep is to those who run, keep and show it, whatever it sweeps over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from ..bars import Floats, Integers
from ..outcome import Outcome

Progress = Callable[[int], bool]
"""Told how many cells were done since; says whether to go on."""


class StoppedError(Exception):
    """A sweep was asked to stop; what is not done is not there."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What some rows of a sweep came to.

    Attributes:
        start: The first row.
        values: float64[metric, row], in the plan's order.
        slices: float64[row, slice, 3]: count, mean and sum of squares of the bar returns.
    """

    start: int
    values: Floats
    slices: Floats

    @property
    def stop(self) -> int:
        """The row after the last one."""
        return self.start + int(self.values.shape[1])


class AnySweep(Protocol):
    """A plan: parameter sets, checked, and what a row of them is."""

    @property
    def strategy(self) -> str:
        """What is swept: an engine or a scheduler."""

    @property
    def sets(self) -> pl.DataFrame:
        """One row a parameter set, one column an axis."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of what is measured."""

    @property
    def slices(self) -> int:
        """Equal parts of the history whose returns are told."""

    @property
    def left_out(self) -> int:
        """Sets that were left out, since their parameters contradict each other."""

    @property
    def count(self) -> int:
        """How many rows there are: instruments outermost, then sets."""

    @property
    def cells(self) -> int:
        """Bars of all rows together."""

    def cells_of(self, start: int, stop: int) -> int:
        """Bars of rows start..stop."""

    @property
    def digest(self) -> str:
        """SHA-384 of what the rows depend on but for the software."""

    def result_of(self, row: int) -> Outcome:
        """The backtest of a row."""

    def labels(self, rows: Integers) -> dict[str, pl.Series]:
        """What names rows beside their parameters."""

    def provenance_of(self, rows: Integers) -> dict[str, pl.Series]:
        """What each row is made from."""

    def describe(self) -> dict[str, Any]:
        """The plan as plain values."""


class Runner(Protocol):
    """Runs rows of one plan; threads may share it."""

    @property
    def plan(self) -> AnySweep:
        """The plan."""

    def bytes_of(self, sets: int) -> int:
        """What `sets` rows that are run together hold, at most."""

    @property
    def bytes_kept(self) -> int:
        """What is held of all sets while any of them runs."""

    def shares_columns(self, start: int, stop: int) -> bool:
        """Whether rows can be run together."""

    def run(self, start: int, stop: int, progress: Progress) -> Rows:
        """What rows start..stop, all of one instrument, come to.

        Raises:
            StoppedError: `progress` said so.
        """
