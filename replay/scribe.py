"""Writes a scheduler's journal: a group an instant, durable before anybody hears of what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..engine.bars import Floats
from ..engine.scheduler_checkpoint import take_checkpoint
from ..engine.scheduler_effects import Noted
from ..engine.scheduler_machine import SchedulerMachine
from ..engine.scheduler_state import Expired
from ..engine.scheduler_transitions import Event, GovernorHalted
from ..kernels import decisions, modes
from ..kernels.scheduler import layout
from ..kernels.scheduler.loop import CLOSING
from .journal_record import at_text
from .records import BarDigests, Records, Row, timed


class Ledger(Protocol):
    """Where records go."""

    @property
    def is_full(self) -> bool:
        """Whether a checkpoint is wanted."""

    def append(self, payload: bytes) -> object:
        """Add a record to the group."""

    def commit(self) -> None:
        """Make the group durable."""

    def seal(self, checkpoint: bytes) -> None:
        """Begin a new segment with a checkpoint."""


class Scribe:
    """Hears of all that a scheduler does, and writes it down."""

    def __init__(self, machine: SchedulerMachine, ledger: Ledger, next_bar: int | None = None) -> None:
        """next_bar: where a machine that was restored goes on."""
        self._machine, self._ledger = machine, ledger
        begins_us = machine.begins_us(machine.bars.start if next_bar is None else next_bar)
        self._changes = [change for change in machine.setup.feed_changes if change.at_us >= begins_us]
        self._records = Records(machine.setup, machine.measures)
        self._digests: BarDigests | None = None
        self._flushes = machine.tables.flushes
        self._seen = [0, 0, 0, 0]
        self._noted = len(machine.tables.notes)

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Write a command or an expiry, with what it did that it does not say itself."""
        if not isinstance(event, Expired | GovernorHalted):
            self._ledger.append(self._records.command(at_text(now_us), event, by))
        self._write_notes()

    def instant(self, now_us: int, place: int) -> None:
        """Write what an instant brought, and commit it."""
        machine, at = self._machine, at_text(now_us)
        column = int(machine.timeline[CLOSING, place])
        while self._changes and self._changes[0].at_us <= now_us:
            self._ledger.append(timed("feed", at, self._records.feed(self._changes.pop(0))))
        if column >= 0:
            self._write_bars(at, machine.taken.start + column - 1)
        self._write_notes()  # that the governor halts
        counts = machine.arrays.account[_COUNTS].astype(int).tolist()
        if machine.tables.flushes != self._flushes:
            self._flushes, self._seen = machine.tables.flushes, [0, 0, 0, 0]
        seen, self._seen = self._seen, counts
        tables = machine.tables
        for row in _rows(tables.refreshes, seen[0], counts[0]):
            self._ledger.append(self._records.weights(at, row))
        for row in _rows(tables.events, seen[1], counts[1]):
            self._ledger.append(timed("governor", at, self._records.governor(row)))
        if machine.arrays.account[layout.DUE] > 0.0:
            self._write_runs(at, _rows(tables.decisions, seen[2], counts[2]))
        for row in _rows(tables.fills, seen[3], counts[3]):
            self._ledger.append(self._records.fill(at, row))
        self._ledger.commit()

    def block(self, next_bar: int) -> None:
        """Begin a new segment where the open one is long."""
        self._digests = None
        if self._ledger.is_full:
            self._ledger.seal(self.checkpoint(next_bar))

    def checkpoint(self, next_bar: int) -> bytes:
        """The record that a new segment begins with."""
        machine = self._machine
        done_us = int(machine.timeline[0, -1]) if machine.timeline.size else machine.begins_us(next_bar) - 1
        at = at_text(done_us)
        return timed("checkpoint", at, {"state": take_checkpoint(machine, next_bar)})

    def _write_bars(self, at: str, bar: int) -> None:
        machine = self._machine
        if self._digests is None:
            self._digests = BarDigests(machine.setup.history, machine.taken)
        digest, count = self._digests.of(bar)
        equity = float(machine.curve[bar - machine.bars.start])
        self._ledger.append(self._records.bars(at, digest, count, equity))

    def _write_notes(self) -> None:
        notes = self._machine.tables.notes
        for moment, noted in notes[self._noted :]:
            self._write_note(at_text(moment), noted)
        self._noted = len(notes)

    def _write_note(self, at: str, noted: Noted) -> None:
        record = self._records.noted(at, noted)
        if record is not None:
            self._ledger.append(record)

    def _write_runs(self, at: str, rows: Sequence[Row]) -> None:
        """The runs of an instant in declared order, each with its decisions after it."""
        arrays, records = self._machine.arrays, self._records
        schedules, desk = arrays.schedules, arrays.desk
        due, accepted = schedules[layout.IS_DUE].tolist(), schedules[layout.ACCEPTED_NOW].tolist()
        refusal, weights = arrays.control[layout.REFUSAL].tolist(), schedules[layout.WEIGHT].tolist()
        late, drift_us = schedules[layout.MAX_DRIFT].tolist(), float(desk[layout.DRIFT_US])
        halted = float(decisions.HALTED) if desk[layout.MODE] == modes.HALTED else 0.0
        means = self._machine.wishes.means[:, :, max(int(arrays.account[layout.COLUMN]), 0)].T.tolist()
        by_schedule: dict[int, list[Row]] = {}
        for row in rows:
            by_schedule.setdefault(int(row[layout.DECIDED_CELL]) // arrays.upcoming.shape[1], []).append(row)
        for s in arrays.order.tolist():
            if not due[s]:
                continue
            cause = decisions.DRIFT if drift_us > late[s] else int(refusal[s] or halted)
            self._ledger.append(records.run(at, s, cause, int(accepted[s]), drift_us / 1e6, means[s]))
            for row in by_schedule.get(s, ()):
                self._ledger.append(records.decision(at, row, weights[s]))


_COUNTS = [layout.REFRESHES, layout.EVENTS, layout.DECISIONS, layout.WRITTEN]
"""How full the tables are, in the order in which they are written down."""


def _rows(table: Floats, start: int, stop: int) -> list[Row]:
    """Columns `start` to `stop` of a table, each as a list."""
    return [] if stop == start else table[:, start:stop].T.tolist()
