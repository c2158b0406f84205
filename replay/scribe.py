"""Writes a scheduler's journal: a group an instant, durable before anybody hears of what is in it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..config.commands import SuspendSchedule
from ..engine.scheduler.checkpoint import take_checkpoint
from ..engine.scheduler.effects import Noted
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.state import Expired
from ..engine.scheduler.transitions import Event, GovernorHalted
from ..engine.scheduler.wishes import FAILURES
from ..kernels.scheduler.loop import CLOSING
from .health import BY_HEALTH
from .journal.record import at_text
from .news import News, due_runs
from .records import BarDigests, Records, timed


class Ledger(Protocol):
    """Where records go."""

    @property
    def is_full(self) -> bool:
        """Whether a checkpoint is wanted."""

    def append(self, payload: bytes) -> object:
        """Add a record to the group."""

    def end_group(self) -> None:
        """What comes now belongs to another group."""

    def commit(self) -> None:
        """Make all groups durable, one after the other."""

    def seal(self, checkpoint: bytes) -> None:
        """Begin a new segment with a checkpoint."""


class Scribe:
    """Hears of all that a scheduler does, and writes it down."""

    def __init__(self, machine: SchedulerMachine, ledger: Ledger, now_us: int | None = None) -> None:
        """now_us: the instant that was done last, of a machine that was restored."""
        self._machine, self._ledger = machine, ledger
        self._now_us = machine.setup.start_us - 1 if now_us is None else now_us
        self._changes = [change for change in machine.setup.feed_changes if change.at_us > self._now_us]
        self._records = Records(machine.setup, machine.measures)
        self._digests: BarDigests | None = None
        failures = machine.wishes.health[FAILURES]
        self._failures = {s: int(failures[s]) for s in np.flatnonzero(failures).tolist()}
        self._news = News(machine, since_genesis=now_us is None)

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Write a command or an expiry, with what it did that it does not say itself."""
        if not isinstance(event, Expired | GovernorHalted):
            self._ledger.append(self._records.command(at_text(now_us), event, by))
            if by == BY_HEALTH and isinstance(event, SuspendSchedule):
                self._write_isolation(at_text(now_us), event)
        self._write_notes()

    def instant(self, now_us: int, place: int) -> None:
        """Write what an instant brought, as a group."""
        self.write(now_us, place)
        self._ledger.end_group()

    def commit(self) -> None:
        """Make what was written durable: now it may be acted upon."""
        self._ledger.commit()

    def write(self, now_us: int, place: int) -> None:
        """Write what an instant brought."""
        machine, at = self._machine, at_text(now_us)
        if self._failures and now_us >= machine.begins_us(machine.taken.start):
            self._write_recoveries(at)
        column = int(machine.timeline[CLOSING, place])
        while self._changes and self._changes[0].at_us <= now_us:
            self._ledger.append(timed("feed", at, self._records.feed(self._changes.pop(0))))
        if column >= 0:
            self._write_bars(at, machine.taken.start + column - 1)
        self._write_notes()  # that the governor halts
        new, append = self._news.rows(), self._ledger.append
        for row in new.refreshes:
            append(self._records.weights(at, row))
        for row in new.events:
            append(timed("governor", at, self._records.governor(row)))
        for run in due_runs(machine, new):
            append(self._records.run(at, run))
            for row in run.decisions:
                append(self._records.decision(at, row, run.weight))
        for row in new.fills:
            append(self._records.fill(at, row))
        self._now_us = now_us

    def block(self, next_bar: int) -> None:
        """Begin a new segment where the open one is long."""
        self._digests = None
        if self._ledger.is_full:
            self._ledger.seal(self.checkpoint(next_bar))

    def checkpoint(self, next_bar: int) -> bytes:
        """The record that a new segment begins with."""
        return timed("checkpoint", at_text(self._now_us), {"state": take_checkpoint(self._machine, next_bar)})

    def _write_bars(self, at: str, bar: int) -> None:
        machine = self._machine
        if self._digests is None:
            self._digests = BarDigests(machine.setup.history, machine.taken)
        digest, count = self._digests.of(bar)
        equity = float(machine.curve[bar - machine.bars.start])
        self._ledger.append(self._records.bars(at, digest, count, equity))

    def _write_isolation(self, at: str, command: SuspendSchedule) -> None:
        place = self._machine.setup.schedules.index(command.schedule)
        self._failures[place] = attempt = self._failures_of(place)
        told = {"schedule": command.schedule, "status": "isolated", "reason": command.reason, "attempt": attempt}
        self._ledger.append(timed("health", at, told))

    def _write_recoveries(self, at: str) -> None:
        """Engines that did not fail again when they were tried: at the close of the first bar that was taken."""
        for place in sorted(self._failures):
            attempt = self._failures[place]
            self._failures[place] = min(attempt, self._failures_of(place))
            if self._failures[place] == 0:
                del self._failures[place]
                told = {"schedule": self._machine.setup.schedules[place], "status": "restored", "reason": ""}
                self._ledger.append(timed("health", at, {**told, "attempt": attempt}))

    def _failures_of(self, place: int) -> int:
        """How often the engine of a schedule has failed on end."""
        return int(self._machine.wishes.health[FAILURES, place])

    def _write_notes(self) -> None:
        for moment, noted in self._news.notes():
            self._write_note(at_text(moment), noted)

    def _write_note(self, at: str, noted: Noted) -> None:
        record = self._records.noted(at, noted)
        if record is not None:
            self._ledger.append(record)
