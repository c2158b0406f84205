"""Tells sinks, telemetry and the log what a scheduler did, once the journal has it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence

from ..engine.bars import MICROSECONDS
from ..engine.policy_diagnostics import label_of
from ..engine.reasons import DECISIONS, GOVERNED
from ..engine.scheduler.effects import Noted
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.result import EVENTS
from ..engine.scheduler.telemetry import ScheduleTelemetry
from ..engine.scheduler.transitions import Event
from ..engine.scheduler.wishes import FAILURES
from ..kernels import decisions
from ..kernels.scheduler import layout
from .journal.record import at_text
from .news import DueRun, News, Row, due_runs
from .sinks import StrategySignal, StrategySignalSink
from .telemetry import TelemetryEmitter

LOGGER = logging.getLogger("barstep.scheduler")

LastRun = Mapping[str, str | int | float]


class Announcer:
    """A listener that stands behind the journal's.

    Attributes:
        last_runs: By schedule its last run: `due_time`, `status`, `reason`, `signals`, `drift_seconds`.
    """

    def __init__(
        self,
        machine: SchedulerMachine,
        sinks: Sequence[StrategySignalSink] = (),
        emitters: Sequence[TelemetryEmitter] = (),
    ) -> None:
        """Sinks are told every signal, emitters what every run measured."""
        self._machine, self._sinks, self._emitters = machine, tuple(sinks), tuple(emitters)
        self._news, self._telemetry = News(machine), ScheduleTelemetry(machine)
        self._shares = machine.allocation.state()
        self.last_runs: dict[str, LastRun] = {}

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Its effects are told with its instant."""

    def instant(self, now_us: int, _place: int) -> None:
        """Tell what an instant brought."""
        self.tell_notes()
        new = self._news.rows()
        if new.refreshes:
            self._shares = self._machine.allocation.state()
            self._log_weights()
        for row in new.events:
            self._log_governor(row)
        for run in due_runs(self._machine, new):
            self._tell_run(now_us, run)

    def block(self, next_bar: int) -> None:
        """Nothing is told of bars."""

    def tell_notes(self) -> None:
        """Log what began, ended or expired in the operator's state."""
        for moment, noted in self._news.notes():
            LOGGER.info("%s: %s", at_text(moment), _note_text(noted))

    def _tell_run(self, now_us: int, run: DueRun) -> None:
        name = self._machine.setup.schedules[run.schedule]
        drift_seconds = run.drift_us / MICROSECONDS
        self.last_runs[name] = {
            "due_time": at_text(now_us),
            "status": "skipped" if run.refusal == decisions.DRIFT else "executed",
            "reason": DECISIONS.get(run.refusal, ""),
            "signals": run.accepted,
            "drift_seconds": drift_seconds,
        }
        if run.decisions and self._sinks:
            signals = list(self._signals(run))
            for sink in self._sinks:
                sink.submit(signals)
        if self._emitters:
            metrics = self._metrics(now_us, run, drift_seconds)
            for emitter in self._emitters:
                emitter.emit(name, now_us, metrics)

    def _metrics(self, now_us: int, run: DueRun, drift_seconds: float) -> dict[str, float]:
        telemetry, s = self._telemetry, run.schedule
        measured = {} if run.refusal == decisions.DRIFT else {"avg_confidence": 0.0}
        if run.refusal == 0:
            measured |= telemetry.of_run(s, run.means)
        return {
            "signals": float(run.accepted),
            "latency_ms": 0.0,
            "drift_seconds": drift_seconds,
            "failures": float(self._machine.wishes.health[FAILURES, s]),
            **telemetry.of_window(s),
            **measured,
            **telemetry.of_allocation(s, self._shares),
            **telemetry.of_suspension(s, now_us),
        }

    def _signals(self, run: DueRun) -> Iterator[StrategySignal]:
        setup = self._machine.setup
        one, instruments = setup.resolved[run.schedule], setup.instruments
        for row in run.decisions:
            wish, confidence = row[layout.DECIDED_WISH], row[layout.DECIDED_CONFIDENCE]
            due_us = int(row[layout.DECIDED_AT])
            yield StrategySignal(
                due_us=due_us,
                schedule=one.name,
                strategy=one.strategy.name,
                schedule_run_id=f"{setup.name}/{one.name}/{at_text(due_us)}",
                risk_profile=one.risk_profile,
                instrument=instruments[int(row[layout.DECIDED_CELL]) % len(instruments)],
                side=(wish > 0.0) - (wish < 0.0),
                exposure=abs(wish),
                confidence=None if math.isnan(confidence) else confidence,
                weight=run.weight,
                status="accepted" if row[layout.IS_ACCEPTED] else "dropped",
                reason=DECISIONS.get(int(row[layout.DECIDED_REASON]), ""),
            )

    def _log_weights(self) -> None:
        allocation, policy = self._machine.allocation, self._machine.program.root.policy
        LOGGER.info("Capital allocator %s weights: %s", label_of(policy), _shares_text(self._shares["weights"]))
        profiles = allocation.profiles()
        if profiles:
            raised = " (raised to the floor)" if allocation.floor_adjustment_applied else ""
            LOGGER.info("Capital allocator %s profiles: %s%s", label_of(policy), _shares_text(profiles), raised)

    def _log_governor(self, row: Row) -> None:
        kind, of = int(row[layout.EVENT_KIND]), int(row[layout.EVENT_OF])
        is_profile = kind <= layout.PROFILE_RECOVERS
        name = self._machine.arrays.profile_names[of] if is_profile else GOVERNED[of]
        who = "Risk profile" if is_profile else "Portfolio governor"
        value, limit = row[layout.EVENT_VALUE], row[layout.EVENT_LIMIT]
        LOGGER.warning("%s: %s %s, %.6g of %.6g", who, EVENTS[kind], name, value, limit)


def _shares_text(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={share:.4f}" for name, share in shares.items())


def _note_text(noted: Noted) -> str:
    value = "" if noted.value is None else f"={noted.value:g}"
    until = "" if noted.until_us is None else f", until={at_text(noted.until_us)}"
    return f"{noted.kind} ({noted.source}) {noted.what}{value} {noted.change} (reason={noted.reason or '-'}{until})"
