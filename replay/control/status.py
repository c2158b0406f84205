"""How a run stands, in one document: what `barstep scheduler top` shows."""

from __future__ import annotations

import os
from typing import Any

from ...engine.bars import MICROSECONDS
from ...engine.growing import GrowingPanel
from ...kernels.scheduler import layout
from ..journal.record import at_text
from ..managed_scheduler import ManagedScheduler
from .run import Run


def status_of(run: Run) -> dict[str, Any]:
    """Where it is, its mode, account, journal, schedules, and what holds. docs/operations.md lists the fields."""
    scheduler, machine = run.scheduler, run.scheduler.session.machine
    setup, journal = machine.setup, run.scheduler.session.journal
    equity, peak = (float(machine.arrays.account[row]) for row in (layout.EQUITY, layout.PEAK))
    done = setup.history.ts_us.searchsorted(scheduler.now_us - machine.interval_us, side="right") - machine.bars.start
    return {
        "environment": setup.environment,
        "scheduler": setup.name,
        "pid": os.getpid(),
        "at": at_text(scheduler.now_us),
        "lag_seconds": run.lag_us / MICROSECONDS,
        "connection": run.connection,
        "on_fallback": list(run.on_fallback),
        "bars_done": max(int(done), 0),
        "bars": None if isinstance(setup.history, GrowingPanel) else len(machine.bars),
        "mode": mode_of(scheduler),
        "equity": equity,
        "drawdown_pct": (1.0 - equity / peak) * 100.0,
        "journal_seq": None if journal is None else journal.seq,
        "allocation_rebalance_seconds": machine.state.allocation_rebalance_seconds,
        "schedules": scheduler.describe_schedules(),
        "suspensions": scheduler.suspension_snapshot(),
        "signal_limits": scheduler.signal_limit_snapshot(),
        "disabled_strategies": [one.strategy for one in machine.state.disabled],
        "resources": None if run.resources is None else run.resources.use.to_dict(),
    }


def mode_of(scheduler: ManagedScheduler) -> dict[str, Any]:
    """Whether the loop is running, reducing or halted: `name`, `reason`, `source` (who said so) and `since`."""
    mode = scheduler.mode
    return {"name": mode.name, "reason": mode.reason, "source": mode.source, "since": at_text(mode.since_us)}
