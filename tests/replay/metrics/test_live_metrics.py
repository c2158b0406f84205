"""What is shown of a live run: its connection, its orders, its shadow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from barstep.config.runtime import ResourceLimits
from barstep.engine.bars import MICROSECONDS
from barstep.kernels.scheduler import layout
from barstep.replay.clock import SimulatedClock
from barstep.replay.live.session import LiveSession
from barstep.replay.metrics.around import ShadowLooks
from barstep.replay.metrics.collector import MetricsCollector
from barstep.replay.metrics.run import AroundLive
from barstep.replay.metrics.scheduler import SchedulerMetrics
from barstep.replay.metrics.watching import count
from barstep.replay.resources import ResourceMonitor
from journal_making import records
from recorded_world import FILES, go_on
from world import World


@dataclass
class Looks:
    """A shadow that has found something."""

    looks: int = 1
    differences: int = 2
    equity_gap: float = -50.0


@dataclass
class Connected:
    """A connection."""

    session: LiveSession
    shadow: ShadowLooks | None = None
    is_connected: bool = True


class Run:
    """A live run without its process."""

    on_fallback = ("X",)
    lag_us = 7 * MICROSECONDS

    def __init__(self, session: LiveSession) -> None:
        self.connected = Connected(session)


def test_orders_are_counted_as_the_journal_has_them() -> None:
    """Sent once each, and ended once; decisions are those of the journal, and steps are timed."""
    world, metrics, before = World(1), list[SchedulerMetrics](), list[int]()
    clock = SimulatedClock()

    def between(session: LiveSession) -> None:
        if not metrics:
            run: Any = Run(session)
            monitor = ResourceMonitor(ResourceLimits(), clock)
            before.append(session.machine.tables.counts()[0])
            metrics.append(count(MetricsCollector(), session, AroundLive(run), clock, monitor))

    session = go_on(world, between)
    found = _values(metrics[0])
    written = [record for _, record in records(world.disk, FILES)]
    sent = [one["order_id"] for one in written if one["kind"] == "order" and one["status"] == "accepted"]
    ended = Counter(one["status"] for one in written if one["kind"] == "report")
    orders = {key[2]: value for key, value in found["orders_total"].items()}
    assert orders["sent"] == len(sent) == len(set(sent)) > 10
    assert orders["filled"] == ended["filled"] > 10
    open_orders = found["open_orders"]["e", "s"]
    assert open_orders == len(session.loop.orders.all())
    decided = [one for one in written if one["kind"] == "decision"]
    assert sum(found["decisions_total"].values()) == len(decided) - before[0] > 10
    assert (found["connected"]["e", "s"], found["lag_seconds"]["e", "s"]) == (1.0, 7.0)
    assert sum(found["step_seconds"]["e", "s"].counts) >= found["bars_total"]["e", "s"] > 100
    assert "shadow_equity" not in {name for name, series in found.items() if series}


def test_the_shadow_is_shown_once_it_has_looked() -> None:
    """Its equity, and how far the live profit is from its own, of the equity at midnight."""
    session = go_on(World(2))
    run: Any = Run(session)
    clock = SimulatedClock()
    metrics = count(MetricsCollector(), session, AroundLive(run), clock, ResourceMonitor(ResourceLimits(), clock))
    run.connected.shadow = Looks()
    found, account = _values(metrics), session.machine.arrays.account
    began, equity = float(account[layout.DAY_EQUITY]), float(account[layout.EQUITY])
    assert found["shadow_equity"]["e", "s"] == equity + 50.0
    assert found["shadow_divergence_pct"]["e", "s"] == 100.0 * 50.0 / began
    assert found["shadow_differences_total"]["e", "s"] == 2.0


def _values(metrics: SchedulerMetrics) -> dict[str, dict[tuple[str, ...], Any]]:
    metrics.publish()
    return {name: dict(series) for name, series in metrics.published.items()}
