"""How a running scheduler stands, as values of metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from ...engine.bars import MICROSECONDS, Integers
from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.telemetry import ScheduleTelemetry
from ...kernels import decisions
from ...kernels.scheduler import layout
from ...kernels.scheduler.reports import WAITING, list_waiting
from ..resources import STATUSES, ResourceMonitor
from .around import Around
from .counts import Counts
from .published import Labels, Value
from .stopwatch import StepTimer

Measured: TypeAlias = tuple[str, Labels, Value]
"""A metric's name, its labels and its value; NaN is not measured."""

_MODES = ("running", "reducing", "halted")
_STALLED_INTERVALS = 2
_SENT_AT = 2
"""Column of `list_waiting`."""
_OF_ENGINES = (
    "avg_abs_zscore", "allocation_error_pct", "realized_vs_target_vol_pct", "secondary_delay_ms", "spread_capture_bps",
)  # fmt: skip
"""What is shown of that which engines measure; the rest is in the journal."""


class Readings:
    """Reads a machine, what was counted of it, and what is around it."""

    def __init__(
        self,
        machine: SchedulerMachine,
        counts: Counts,
        around: Around,
        timer: StepTimer,
        resources: ResourceMonitor | None,
    ) -> None:
        self._machine, self._counts, self._around = machine, counts, around
        self._timer, self._resources = timer, resources
        self._telemetry = ScheduleTelemetry(machine)
        setup = machine.setup
        self._run: Labels = (setup.environment, setup.name)
        self._schedules: list[Labels] = [
            (*self._run, one.name, one.strategy.name, one.risk_profile) for one in setup.resolved
        ]
        self._began_us = around.now_us
        self._waiting: Integers = np.empty((machine.arrays.hand.size, WAITING), dtype=np.int64)

    def all(self) -> Iterator[Measured]:
        """Everything that changes while it runs."""
        now_us, shares = self._around.now_us, self._machine.allocation.state()
        for s in self._machine.arrays.order.tolist():
            yield from self._of_schedule(s, now_us, shares)
        yield from self._of_account()
        yield from self._of_loop()
        yield from self._of_feeds(now_us)
        yield from self._of_orders(now_us)
        yield from self._of_shadow()
        yield from self._of_resources()

    def _of_schedule(self, s: int, now_us: int, shares: Mapping[str, Mapping[str, float]]) -> Iterator[Measured]:
        labels, state = self._schedules[s], self._machine.state
        strategy = self._machine.setup.resolved[s].strategy.name
        found = {
            **self._of_last_run(s),
            **self._telemetry.of_allocation(s, shares),
            **self._telemetry.of_suspension(s, now_us),
            "disabled": float(any(one.strategy == strategy for one in state.disabled)),
            "engine_failures_total": float(self._counts.failures[s]),
            "seconds_since_signal": self._since(self._counts.signalled_us[s], now_us),
            "seconds_since_run": self._since(self._counts.due_us(s), now_us),
        }
        yield from ((name, labels, value) for name, value in found.items())
        for status, reason, count in self._counts.decided(s):
            yield "decisions_total", (*labels, status, reason), float(count)
        for status, reason, count in self._counts.runs(s):
            yield "runs_total", (*labels, status, reason), float(count)

    def _of_last_run(self, s: int) -> dict[str, float]:
        last = self._counts.last_runs[s]
        if last is None:
            return {}
        run = last.run
        measured = {} if run.refusal == decisions.DRIFT else {"avg_confidence": 0.0}
        if run.refusal == 0:
            of_engine = self._telemetry.of_run(s, run.means)
            measured |= {name: of_engine[name] for name in ("avg_confidence", *_OF_ENGINES) if name in of_engine}
        return {
            "signals": float(run.accepted),
            "latency_ms": last.latency_ms,
            "drift_seconds": run.drift_us / MICROSECONDS,
            **self._telemetry.of_window(s),
            **measured,
        }

    def _since(self, at_us: int, now_us: int) -> float:
        return (now_us - max(at_us, self._began_us)) / MICROSECONDS

    def _of_account(self) -> Iterator[Measured]:
        account, instruments = self._machine.arrays.account, self._machine.arrays.instruments
        equity, run = float(account[layout.EQUITY]), self._run
        yield "equity", run, equity
        yield "drawdown_pct", run, (1.0 - equity / float(account[layout.PEAK])) * 100.0
        worth, lots = instruments[layout.WORTH], instruments[layout.LOT_OF]
        others = np.maximum(self._machine.setup.others, 0)
        held = instruments[layout.GROSS] * worth + instruments[layout.PAIR_GROSS] * (worth + worth[others])
        yield "gross_exposure", run, float((held * lots).sum()) / equity if equity > 0.0 else math.nan
        mode = self._machine.state.mode.name
        yield from (("mode", (*run, name), float(name == mode)) for name in _MODES)

    def _of_loop(self) -> Iterator[Measured]:
        run, around, journal = self._run, self._around, self._around.journal
        if around.is_connected is not None:
            yield "connected", run, float(around.is_connected)
        yield "lag_seconds", run, around.lag_us / MICROSECONDS
        yield "bars_total", run, float(self._counts.bars)
        yield "step_seconds", run, self._timer.distribution()
        if journal is not None:
            yield "journal_seq", run, float(journal.seq)

    def _of_feeds(self, now_us: int) -> Iterator[Measured]:
        setup, on_fallback = self._machine.setup, self._around.on_fallback(now_us)
        longest = _STALLED_INTERVALS * self._machine.interval_us / MICROSECONDS
        for name, bars in zip(setup.instruments, setup.history.instruments, strict=False):
            place = int(np.searchsorted(bars.closes_us, now_us, side="right")) - 1
            age = math.nan if place < 0 else (now_us - int(bars.closes_us[place])) / MICROSECONDS
            yield "feed_age_seconds", (*self._run, name), age
            yield "feed_stalled", (*self._run, name), float(name in on_fallback or age > longest)

    def _of_orders(self, now_us: int) -> Iterator[Measured]:
        arrays, run = self._machine.arrays, self._run
        on_hand = int(arrays.account[layout.ON_HAND])
        count = list_waiting(arrays.cells, arrays.order, arrays.hand, on_hand, self._waiting)
        oldest_us = int(self._waiting[:count, _SENT_AT].min()) if count else now_us
        yield "open_orders", run, float(count)
        yield "oldest_order_age_seconds", run, max(now_us - oldest_us, 0) / MICROSECONDS
        told = self._around.orders
        if told is None:
            told = {"filled": self._counts.filled, "abandoned": self._counts.abandoned}
        yield from (("orders_total", (*run, status), float(number)) for status, number in told.items())

    def _of_shadow(self) -> Iterator[Measured]:
        shadow, run, account = self._around.shadow, self._run, self._machine.arrays.account
        if shadow is None or shadow.looks == 0:
            return
        began, gap = float(account[layout.DAY_EQUITY]), shadow.equity_gap
        yield "shadow_equity", run, float(account[layout.EQUITY]) - gap
        yield "shadow_divergence_pct", run, 100.0 * abs(gap) / began if began > 0.0 else math.nan
        yield "shadow_differences_total", run, float(shadow.differences)

    def _of_resources(self) -> Iterator[Measured]:
        if self._resources is None:
            return
        use = self._resources.use
        named: Mapping[str, Mapping[str, Any]] = {
            "resource_usage": use.usage,
            "resource_limit": use.limits,
            "resource_status": {name: STATUSES.index(status) for name, status in use.statuses.items()},
        }
        for metric, values in named.items():
            yield from ((metric, (*self._run, name), float(value)) for name, value in values.items())
