"""What came of a smoke test, and its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..data.whole_file import write_json
from ..engine.provenance import software
from ..engine.scheduler.result import SchedulerResult
from ..replay.journal.record import at_text
from .smoke_checks import Finding
from .smoke_watching import CycleRun

METRICS = (
    "avg_confidence",
    "avg_abs_zscore",
    "avg_realized_volatility",
    "allocation_error_pct",
    "realized_vs_target_vol_pct",
    "spread_capture_bps",
    "secondary_delay_ms",
    "drift_seconds",
    "latency_ms",
)
"""What is told of every schedule; None where it has no such number. Event time takes no time: the latency is 0."""


@dataclass(frozen=True, kw_only=True)
class SmokeSchedule:
    """What came of one schedule.

    Attributes:
        schedule: Its name.
        strategy: What it runs.
        engine: The strategy's engine.
        risk_profile: Its profile.
        cadence_seconds: Time between due times.
        instruments: What it trades.
        runs: Its runs in the cycles, those that did not happen included.
        metrics: As policies read them at the last cycle, over the trailing window of runs.
    """

    schedule: str
    strategy: str
    engine: str
    risk_profile: str
    cadence_seconds: float
    instruments: tuple[str, ...]
    runs: tuple[CycleRun, ...]
    metrics: Mapping[str, float | None]

    @property
    def weight(self) -> float:
        """Its share of capital at the last cycle."""
        return self.runs[-1].weight

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values, its metrics among them."""
        plain = {name: value for name, value in asdict(self).items() if name not in {"metrics", "runs"}}
        counts = {**_count_runs([self]), "weight": self.weight}
        return {**plain, **counts, **self.metrics, "runs": [asdict(run) for run in self.runs]}


@dataclass(frozen=True, kw_only=True)
class SmokeReport:
    """What came of a smoke test.

    Attributes:
        strategy: The strategy that was asked for; None: all.
        cycles: How many.
        schedules: What came of each schedule, in declared order.
        issues: What fails.
        warnings: What does not, but should be looked at.
        pnl_drawdown_pct: How far equity is below its highest at the end.
        result: The run over all bars from the lead-in on, all of the scheduler's schedules in it.
    """

    strategy: str | None
    cycles: int
    schedules: tuple[SmokeSchedule, ...]
    issues: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    pnl_drawdown_pct: float
    result: SchedulerResult

    @property
    def status(self) -> str:
        """`ok` or `fail`."""
        return "fail" if self.issues else "ok"

    @property
    def metrics(self) -> dict[str, float | None]:
        """Means over the schedules that have the number."""
        return {name: _mean([one.metrics[name] for one in self.schedules]) for name in METRICS}

    def to_dict(self) -> dict[str, Any]:
        """The report as it is written."""
        setup, result = self.result.setup, self.result
        return {
            "status": self.status,
            "issues": [asdict(one) for one in self.issues],
            "warnings": [asdict(one) for one in self.warnings],
            "scheduler": setup.name,
            "environment": setup.environment,
            "strategy": self.strategy,
            "cycles": self.cycles,
            "from": at_text(setup.start_us),
            "to": at_text(setup.end_us),
            "overall": {
                **_count_runs(self.schedules),
                "equity": result.final_equity,
                "pnl_drawdown_pct": self.pnl_drawdown_pct,
                "weights": result.allocation_snapshot(),
                **self.metrics,
            },
            "schedules": [one.to_dict() for one in self.schedules],
            "provenance": {
                "config_sha384": setup.config_digest,
                "software": software(),
                "bars": [
                    {"instrument": name, "venue": bars.venue, "bars": len(bars), "sha384": bars.content_digest}
                    for name, bars in zip(setup.history.names, setup.history.instruments, strict=True)
                ],
                "digests": result.digests,
            },
        }


def write_report(report: SmokeReport, path: Path) -> None:
    """Write the report in full or not at all, in the place of one that is there; folders are made."""
    write_json(path, report.to_dict())


def _count_runs(schedules: Sequence[SmokeSchedule]) -> dict[str, Any]:
    """Runs that were executed and that were not, and what became of their signals."""
    runs = [run for one in schedules for run in one.runs]
    dropped = sum((Counter(run.dropped) for run in runs), Counter())
    accepted = sum(run.accepted for run in runs)
    executed = sum(run.status == "executed" for run in runs)
    return {
        "runs_executed": executed,
        "runs_skipped": len(runs) - executed,
        "signals": accepted + dropped.total(),
        "accepted": accepted,
        "dropped": dict(sorted(dropped.items())),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
