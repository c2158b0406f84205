"""Counts what a scheduler's instants bring, in plain numbers: what a counter of a metrics library costs is too dear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...config.commands import SuspendSchedule
from ...engine.reasons import DECISIONS
from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.transitions import Event
from ...kernels import account, decisions, fill_kinds
from ...kernels.scheduler import layout
from ...kernels.scheduler.loop import CLOSING
from ..health import BY_HEALTH
from ..news import DueRun, News, due_runs

_CODES = decisions.HALTED + 1
_REASONS = [DECISIONS.get(code, "") for code in range(_CODES)]
_OF_ORDERS = (fill_kinds.MARKET, fill_kinds.LIMIT)
EXECUTED, SKIPPED = "executed", "skipped"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last due time of a schedule."""

    at_us: int
    run: DueRun
    latency_ms: float


class Counts:
    """What has happened since this process began.

    Attributes:
        bars: Instants at which bars closed.
        filled: Orders that were filled, of those that no venue tells of.
        failures: By schedule how often its engine was isolated.
        last_runs: By schedule its last run; None before the first one.
        signalled_us: By schedule when a signal of it was accepted last; -1: never.
    """

    def __init__(self, machine: SchedulerMachine) -> None:
        schedules = len(machine.setup.schedules)
        self._machine, self._news = machine, News(machine)
        self._instruments, self._cells = len(machine.setup.instruments), machine.arrays.upcoming.shape[1]
        self._legs = len(machine.setup.panel.names)
        self.bars = self.filled = 0
        self.failures = [0] * schedules
        self.last_runs: list[LastRun | None] = [None] * schedules
        self.signalled_us = [-1] * schedules
        self._decided = [[0] * _CODES for _ in range(schedules)]
        self._run = [[0] * _CODES for _ in range(schedules)]

    def event(self, event: Event, by: str) -> None:
        """Count engines that were isolated."""
        if by == BY_HEALTH and isinstance(event, SuspendSchedule):
            self.failures[self._machine.setup.schedules.index(event.schedule)] += 1

    def instant(self, now_us: int, place: int, seconds: float) -> None:
        """Count what an instant has brought. seconds: what it took."""
        self.bars += int(self._machine.timeline[CLOSING, place]) >= 0
        new = self._news.rows()
        for row in new.fills:
            is_order = int(row[account.FILL_KIND]) in _OF_ORDERS
            self.filled += (
                is_order and int(row[account.FILL_LEG]) % self._legs < self._instruments
            )  # a pair is one order
        if self._machine.arrays.account[layout.DUE] == 0.0:
            return
        for row in new.decisions:
            code = decisions.ACCEPTED if row[layout.IS_ACCEPTED] else int(row[layout.DECIDED_REASON])
            self._decided[int(row[layout.DECIDED_CELL]) // self._cells][code] += 1
        for run in due_runs(self._machine, new):
            self.last_runs[run.schedule] = LastRun(now_us, run, seconds * 1e3)
            self._run[run.schedule][run.refusal] += 1
            if run.accepted:
                self.signalled_us[run.schedule] = now_us

    def decided(self, schedule: int) -> Iterator[tuple[str, str, int]]:
        """Of each status and reason that a signal can have, how many had it."""
        for reason, count in zip(_REASONS, self._decided[schedule], strict=True):
            yield "dropped" if reason else "accepted", reason, count

    def runs(self, schedule: int) -> Iterator[tuple[str, str, int]]:
        """Of each status and reason that a run can have, how many had it."""
        for code, (reason, count) in enumerate(zip(_REASONS, self._run[schedule], strict=True)):
            yield SKIPPED if code == decisions.DRIFT else EXECUTED, reason, count

    def due_us(self, schedule: int) -> int:
        """When a schedule was due last; -1: not yet."""
        last = self.last_runs[schedule]
        return -1 if last is None else last.at_us

    @property
    def abandoned(self) -> int:
        """Orders that no bar has filled in time, since the run began; of those that no venue tells of."""
        return int(self._machine.arrays.cells[:, :, layout.REAL, account.ABANDONED].sum())
