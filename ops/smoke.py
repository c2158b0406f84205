"""The smoke test: a scheduler over the last of its recorded bars, and whether all that must come of it came.

A cycle is one run of each schedule, at consecutive due times after warm-up. Up to a window of telemetry runs before the
first cycle, so that the cycles see what policies see in the middle of a session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..config.core import CoreConfig
from ..engine.configured import load_core_config
from ..engine.provenance import software
from ..engine.scheduler import set_up_scheduler
from ..engine.scheduler_result import SchedulerResult
from ..engine.scheduler_setup import SchedulerSetup
from ..kernels.scheduler import layout
from ..replay.journal_record import at_text
from ..replay.session import Session
from .smoke_checks import Finding, find_wrong
from .smoke_cycles import Cycles, chosen_schedules, plan_cycles
from .smoke_watching import CycleRun, CycleWatcher

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
        counts = {**count_runs([self]), "weight": self.weight}
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
                **count_runs(self.schedules),
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


def smoke(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    environment: str = "demo",
    cycles: int = 3,
    strategy: str | None = None,
    start: str | datetime | None = None,
    **asked: Any,
) -> SmokeReport:
    """Run a scheduler in event time over the last of its recorded bars and say whether all is as it must be.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        environment: Its bars, capital, and what schedules leave open: a name, an alias or a type.
        cycles: Runs of each schedule.
        strategy: Whose schedules are looked at, by its name or its engine's; all schedules run. None: all of them.
        start: From when on the cycles are taken; None: the last ones that the bars hold.
        **asked: Everything else that `backtest_scheduler` takes, but for an end.

    Raises:
        ConfigError: The configuration or the commands are refused.
        UsageError: A name is unknown, or the bars do not hold as many cycles after warm-up.
        DataError: Bars are not there or not fit to trade on.
        AuthorizationError: The licence does not grant a strategy.
    """
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    whole = set_up_scheduler(core, scheduler, environment=environment, **asked)
    chosen = chosen_schedules(whole, strategy)
    planned = plan_cycles(whole, chosen, cycles, start)
    span = {"start": planned.start, "end": planned.end}
    setup = set_up_scheduler(core, scheduler, environment=environment, **{**asked, **span})
    return _run(setup, planned, strategy)


def _run(setup: SchedulerSetup, cycles: Cycles, strategy: str | None) -> SmokeReport:
    session = Session(setup, observed=True)
    bounded = (name for s in cycles.due_us for name in setup.profiles[setup.resolved[s].risk_profile].telemetry_bounds)
    watcher = CycleWatcher(session.machine, cycles, tuple(dict.fromkeys((*METRICS, *bounded))))
    session.loop.listeners += watcher.listeners
    session.run()
    schedules = tuple(_schedule(setup, s, watcher) for s in setup.order.tolist() if s in cycles.due_us)
    result = session.result()
    account = session.machine.arrays.account
    fall_pct = 100.0 * (1.0 - float(account[layout.EQUITY] / account[layout.PEAK]))
    found = find_wrong(setup, cycles, watcher, result.final_equity, fall_pct)
    return SmokeReport(
        strategy=strategy,
        cycles=cycles.count,
        schedules=schedules,
        issues=tuple(one for one in found if one.severity == "fail"),
        warnings=tuple(one for one in found if one.severity == "warn"),
        pnl_drawdown_pct=fall_pct,
        result=result,
    )


def _schedule(setup: SchedulerSetup, s: int, watcher: CycleWatcher) -> SmokeSchedule:
    one = setup.resolved[s]
    return SmokeSchedule(
        schedule=one.name,
        strategy=one.strategy.name,
        engine=one.strategy.engine.name,
        risk_profile=one.risk_profile,
        cadence_seconds=one.schedule.cadence_seconds,
        instruments=one.instruments,
        runs=tuple(watcher.runs[s]),
        metrics={name: watcher.metrics[s].get(name) for name in METRICS},
    )


def count_runs(schedules: Sequence[SmokeSchedule]) -> dict[str, Any]:
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
