"""The smoke test: a scheduler over the last of its recorded bars, and whether all that must come of it came.

A cycle is one run of each schedule, at consecutive due times after warm-up. Up to a window of telemetry runs before the
first cycle, so that the cycles see what policies see in the middle of a session.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ..config.core import CoreConfig
from ..engine.configured import load_core_config
from ..engine.scheduler.backtest import set_up_scheduler
from ..engine.scheduler.setup import SchedulerSetup
from ..kernels.scheduler import layout
from ..replay.session import Session
from .smoke_checks import find_wrong
from .smoke_cycles import Cycles, chosen_schedules, plan_cycles
from .smoke_report import METRICS, SmokeReport, SmokeSchedule
from .smoke_watching import CycleWatcher


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
    session.loop.writer, session.loop.listeners = watcher.writer, (watcher,)
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
