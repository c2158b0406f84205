"""What an instant brought: the rows that are new in a scheduler's tables, and the runs that were due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..engine.scheduler.effects import Noted
from ..engine.scheduler.machine import SchedulerMachine
from ..kernels import decisions, modes
from ..kernels.scheduler import layout

Row = list[float]


class NewRows(NamedTuple):
    """Rows of `SchedulerTables`, each as a list; a tuple, as the next, since one is made each instant."""

    decisions: list[Row]
    fills: list[Row]
    refreshes: list[Row]
    events: list[Row]


class News:
    """Where one listener is in the tables of a machine; what was there before is no news."""

    def __init__(self, machine: SchedulerMachine, *, since_genesis: bool = False) -> None:
        """since_genesis: whether what the state told before the first instant is news, too."""
        self._tables = machine.tables
        self._counts, self._noted = machine.tables.counts(), 0 if since_genesis else len(machine.tables.notes)

    def rows(self) -> NewRows:
        """What the tables have that they had not at the last call."""
        before, self._counts = self._counts, self._tables.counts()
        if before == self._counts:
            return _NOTHING
        return NewRows(*map(self._tables.rows, self._tables.passed, before, self._counts))

    def notes(self) -> Sequence[tuple[int, Noted]]:
        """What the operator's state told since the last call, each with its instant."""
        before, self._noted = self._noted, len(self._tables.notes)
        return self._tables.notes[before:]


class DueRun(NamedTuple):
    """One due time of one schedule.

    Attributes:
        schedule: Its place.
        refusal: Why all of its signals were refused, of `kernels.decisions`; 0 where they were not.
        accepted: How many signals were accepted.
        drift_us: How late it started.
        weight: The schedule's share of capital.
        means: What was measured, in the order of the machine's measures.
        decisions: Its rows of decisions.
    """

    schedule: int
    refusal: int
    accepted: int
    drift_us: float
    weight: float
    means: Row
    decisions: list[Row]


def due_runs(machine: SchedulerMachine, new: NewRows) -> Iterator[DueRun]:
    """The runs of the instant that is just done, in declared order."""
    arrays = machine.arrays
    if arrays.account[layout.DUE] == 0.0:
        return
    schedules, desk = arrays.schedules, arrays.desk
    due, accepted = schedules[layout.IS_DUE].tolist(), schedules[layout.ACCEPTED_NOW].tolist()
    refusal, weights = arrays.control[layout.REFUSAL].tolist(), schedules[layout.WEIGHT].tolist()
    late, drift_us = schedules[layout.MAX_DRIFT].tolist(), float(desk[layout.DRIFT_US])
    halted = decisions.HALTED if desk[layout.MODE] == modes.HALTED else 0
    means = machine.wishes.means[:, :, max(int(arrays.account[layout.COLUMN]), 0)].T.tolist()
    by_schedule: dict[int, list[Row]] = {}
    for row in new.decisions:
        by_schedule.setdefault(int(row[layout.DECIDED_CELL]) // arrays.upcoming.shape[1], []).append(row)
    for s in arrays.order.tolist():
        if due[s]:
            cause = decisions.DRIFT if drift_us > late[s] else int(refusal[s] or halted)
            yield DueRun(s, cause, int(accepted[s]), drift_us, weights[s], means[s], by_schedule.get(s, []))


_NOTHING = NewRows([], [], [], [])
