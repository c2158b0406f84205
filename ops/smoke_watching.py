"""What the runs of the cycles were, from the records that a journal would have of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.metrics import read_metrics, stated_metrics
from ..engine.scheduler.transitions import Event
from ..kernels.scheduler import layout
from ..replay.journal.record import at_text, fields_of
from ..replay.scribe import Scribe
from .smoke_cycles import Cycles


@dataclass(frozen=True, kw_only=True)
class CycleRun:
    """One due time of a schedule.

    Attributes:
        cycle: Its number, from 1 on.
        due_time: ISO 8601, UTC.
        status: `executed`, `skipped`, or `missing` where nothing was heard of it.
        reason: Why it was skipped, or why all of its signals were refused.
        accepted: Signals that were accepted.
        dropped: Signals that were not, by reason.
        weight: The schedule's share of capital.
        telemetry: What was measured at this run.
    """

    cycle: int
    due_time: str
    status: str = "missing"
    reason: str = ""
    accepted: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    weight: float = 0.0
    telemetry: Mapping[str, float] = field(default_factory=dict)


class CycleWatcher:
    """Hears of all instants, and keeps what happens at the due times of the cycles.

    Attributes:
        writer: What is to write down for it what the event loop does.
        runs: By schedule its runs, one a cycle.
        metrics: By schedule its metrics at the last cycle.
    """

    def __init__(self, machine: SchedulerMachine, cycles: Cycles, names: Sequence[str]) -> None:
        """names: the metrics that are kept."""
        self._machine, self._names, self._kept = machine, names, _Kept()
        self.writer = Scribe(machine, self._kept)
        self.runs = {
            s: [CycleRun(cycle=k + 1, due_time=at_text(due)) for k, due in enumerate(times)]
            for s, times in cycles.due_us.items()
        }
        self.metrics: dict[int, dict[str, float | None]] = {s: {} for s in cycles.due_us}
        self._due: dict[int, list[tuple[int, int]]] = {}
        for s, times in cycles.due_us.items():
            for k, due in enumerate(times):
                self._due.setdefault(due, []).append((s, k))

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Nothing of it is kept."""

    def block(self, next_bar: int) -> None:
        """Nothing of it is kept."""

    def instant(self, now_us: int, _place: int) -> None:
        """Keep the runs of the cycles that are due now."""
        due = self._due.get(now_us, ())
        records = [fields_of(payload) for payload in self._kept] if due else []
        self._kept.clear()
        for s, k in due:
            self._keep(s, k, records)

    def _keep(self, s: int, k: int, records: Sequence[Mapping[str, Any]]) -> None:
        name, now = self._machine.setup.schedules[s], self.runs[s][k]
        own = [record for record in records if record.get("schedule") == name]
        decided = [record for record in own if record["kind"] == "decision"]
        for run in own:
            if run["kind"] == "run":
                self.runs[s][k] = CycleRun(
                    cycle=now.cycle,
                    due_time=now.due_time,
                    status=run["status"],
                    reason=run["reason"],
                    accepted=run["signals"],
                    dropped=dict(Counter(one["reason"] for one in decided if one["status"] == "dropped")),
                    weight=float(self._machine.arrays.schedules[layout.WEIGHT, s]),
                    telemetry=run["telemetry"],
                )
        if k == len(self.runs[s]) - 1:
            machine = self._machine
            table = read_metrics(self._names, machine.measures, machine.arrays, stated_metrics(machine.setup))
            self.metrics[s] = {metric: _number(value) for metric, value in zip(self._names, table[:, s], strict=True)}


class _Kept(list[bytes]):
    """A journal's records of one instant, in memory."""

    is_full = False

    def end_group(self) -> None:
        """There are no groups."""

    def commit(self) -> None:
        """They are where they are."""

    def seal(self, checkpoint: bytes) -> None:
        """There are no segments."""


def _number(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None
