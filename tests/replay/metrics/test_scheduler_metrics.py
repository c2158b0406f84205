"""What is counted of a running scheduler, and that counting it changes nothing."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import Any

import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.replay.clock import SimulatedClock
from barstep.replay.metrics.around import AroundRecorded
from barstep.replay.metrics.catalog import METRICS, STEP_BUCKETS, no_signal_alert_seconds
from barstep.replay.metrics.collector import MetricsCollector
from barstep.replay.metrics.published import Distribution
from barstep.replay.metrics.scheduler import PUBLISH_US, SchedulerMetrics
from barstep.replay.metrics.watching import count
from barstep.replay.multi_strategy_scheduler import MultiStrategyScheduler
from barstep.replay.resources import ResourceMonitor
from barstep.replay.session import Session
from barstep.replay.telemetry import InMemoryTelemetryEmitter
from journal_making import records
from programs import the_program
from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from replays import FILES
from runtime_making import small_runtime
from scheduler_making import at
from simulated_disk import SimulatedDisk

Values = dict[str, dict[tuple[str, ...], Any]]
ABBREVIATED = {"barstep_latency_ms", "barstep_secondary_delay_ms"}
"""Names that the documents give, and promtool finds too short."""


def counted(runtime: MultiStrategyScheduler, collector: MetricsCollector | None = None) -> SchedulerMetrics:
    """The metrics of a runtime from now on."""
    clock, session = SimulatedClock(), runtime.session
    resources = ResourceMonitor(session.machine.setup.config.runtime.resource_limits, clock)
    return count(collector or MetricsCollector(), session, AroundRecorded(session), clock, resources)


def values(metrics: SchedulerMetrics) -> Values:
    """What it publishes now, by metric and labels."""
    metrics.publish()
    return {name: dict(series) for name, series in metrics.published.items()}


def of(found: Values, name: str, schedule: str, *labels: str) -> Any:
    """One schedule's value; None where it is absent."""
    return next((value for key, value in found[name].items() if key[2] == schedule and key[5:] == labels), None)


def test_decisions_and_runs_are_those_of_the_journal() -> None:
    """By status and reason; a run that was suspended counts for itself, and so do its signals."""
    disk = SimulatedDisk()
    runtime = small_runtime(disk)
    metrics = counted(runtime)
    runtime.run_until(at(9))
    runtime.suspend_tag("quick", until=at(20))
    runtime.run()
    found, written = values(metrics), [record for _, record in records(disk, FILES)]
    for kind, name in (("decision", "decisions_total"), ("run", "runs_total")):
        expected = Counter((one["schedule"], one["status"], one["reason"]) for one in written if one["kind"] == kind)
        assert len(expected) > 3
        assert {(key[2], *key[5:]): value for key, value in found[name].items() if value} == expected
    assert found["bars_total"]["e", "s"] == sum(one["kind"] == "bars" for one in written)
    assert found["journal_seq"]["e", "s"] == len(written) - 1
    assert found["equity"]["e", "s"] == [one for one in written if one["kind"] == "bars"][-1]["equity"]


def test_gauges_are_those_of_the_last_runs() -> None:
    """The same numbers that an emitter is given; what was not measured is absent."""
    emitter = InMemoryTelemetryEmitter()
    session = Session(set_up_scheduler(PACKAGED, start="2023-06-01", end="2023-06-12"), observed=True)
    runtime = MultiStrategyScheduler(session.machine.setup.config, session, emitters=[emitter])
    metrics = counted(runtime)
    runtime.run()
    found, names = values(metrics), session.machine.setup.schedules
    for schedule in names:
        last = emitter.last(schedule)
        for name in ("signals", "avg_confidence", "avg_abs_zscore", "allocation_error_pct", "spread_capture_bps",
                     "avg_realized_volatility", "pnl_drawdown_pct", "allocator_raw_weight", "suspended"):  # fmt: skip
            assert of(found, name, schedule) == last.get(name), (schedule, name)
    assert of(found, "avg_abs_zscore", "mean_reversion_schedule") is not None
    assert of(found, "avg_abs_zscore", "grid_schedule") is None
    assert found["telemetry_bound"]["demo", "core_multi", "balanced", "avg_abs_zscore", "fail"] == 5.0
    assert found["max_drawdown_pct"]["demo", "core_multi", "balanced"] == 15.0
    assert of(found, "no_signal_alert_seconds", "volatility_schedule") == 3 * 4 * 3600.0
    assert found["resource_limit"]["demo", "core_multi", "memory_mb"] == 2048.0
    assert 0.0 < found["gross_exposure"]["demo", "core_multi"] < 2.0


def test_suspension_mode_and_ages_are_of_event_time() -> None:
    """What an operator did shows at once; ages grow with the bars."""
    runtime = small_runtime()
    metrics = counted(runtime)
    runtime.run_until(at(6))
    runtime.suspend_schedule("fast", until=at(12))
    runtime.disable_strategy("tortoise")
    runtime.halt(reason="fire")
    found = values(metrics)
    assert (of(found, "suspended", "fast"), of(found, "suspended", "slow")) == (1.0, 0.0)
    assert of(found, "suspension_remaining_seconds", "fast") == pytest.approx(6 * 3600.0, abs=1.0)
    assert (of(found, "disabled", "fast"), of(found, "disabled", "slow")) == (0.0, 1.0)
    assert found["mode"] == {("e", "s", "running"): 0.0, ("e", "s", "reducing"): 0.0, ("e", "s", "halted"): 1.0}
    runtime.run_until(at(11))
    later = values(metrics)
    assert of(later, "seconds_since_run", "fast") == 0.0
    assert of(later, "seconds_since_signal", "fast") >= 5 * 3600.0
    assert later["feed_age_seconds"]["e", "s", "X"] == 0.0
    assert later["feed_stalled"]["e", "s", "X"] == 0.0


def test_the_loop_decides_the_same_with_metrics_and_without() -> None:
    """Decisions, weights and equity, bit for bit; and the journal has the same bytes."""
    plain, watched = SimulatedDisk(), SimulatedDisk()
    without, with_metrics = small_runtime(plain), small_runtime(watched)
    counted(with_metrics)
    for runtime in (without, with_metrics):
        runtime.run_until(at(5))
        runtime.suspend_tag("calm", until=at(15))
    assert without.run().decisions.equals(with_metrics.run().decisions)
    assert [one for _, one in records(plain, FILES)] == [one for _, one in records(watched, FILES)]


def test_series_are_bounded_by_the_configuration() -> None:
    """Twice as many bars make no series more."""
    few, many = small_runtime(), small_runtime()
    first, second = counted(few), counted(many)
    few.run_until(at(12))
    many.run()
    small, large = values(first), values(second)
    series = {name: set(found) for name, found in large.items()}
    assert all(set(found) <= series[name] for name, found in small.items())
    reasons = {key[5:] for key in series["decisions_total"]}
    assert len(series["decisions_total"]) == len(reasons) * 2 == 20
    assert sum(map(len, series.values())) < 200


def test_publishing_waits_for_its_time() -> None:
    """What a scrape sees is replaced as a whole, at most every quarter of a second."""
    runtime = small_runtime()
    clock, session = SimulatedClock(), runtime.session
    metrics = count(MetricsCollector(), session, AroundRecorded(session), clock, _monitor(runtime, clock))
    first = metrics.published
    runtime.run_until(at(5))
    assert metrics.published is first
    clock.sleep_us(PUBLISH_US)
    metrics.look()
    assert metrics.published is not first
    assert dict(first["bars_total"])["e", "s"] == 0.0 < dict(metrics.published["bars_total"])["e", "s"]


def _monitor(runtime: MultiStrategyScheduler, clock: SimulatedClock) -> ResourceMonitor:
    return ResourceMonitor(runtime.config.runtime.resource_limits, clock)


def test_steps_are_timed_from_bars_to_durable_decisions() -> None:
    """A step counts what its bars, the instant and the journal took, and nothing of who looks."""

    class Ticking(SimulatedClock):
        def monotonic_us(self) -> int:
            self.elapsed_us += 100
            return self.elapsed_us

    runtime = small_runtime()
    clock, session = Ticking(), runtime.session
    metrics = count(MetricsCollector(), session, AroundRecorded(session), clock, _monitor(runtime, clock))
    runtime.run()
    found = values(metrics)
    distribution = found["step_seconds"]["e", "s"]
    assert isinstance(distribution, Distribution) and len(distribution.counts) == len(STEP_BUCKETS) + 1
    steps = sum(distribution.counts)
    assert steps >= found["bars_total"]["e", "s"]
    assert distribution.total == pytest.approx(sum(distribution.counts) * 0.000_15, rel=0.5)
    assert of(found, "latency_ms", "fast") in (pytest.approx(0.1), pytest.approx(0.2))


def test_three_long_bars_without_a_signal_are_worth_an_alert() -> None:
    """Up to five minutes it is a quarter of an hour; by the longer of interval and cadence."""
    assert [no_signal_alert_seconds(60.0, 300.0), no_signal_alert_seconds(60.0, 301.0)] == [900.0, 903.0]
    assert no_signal_alert_seconds(3600.0, 60.0) == 10_800.0


def test_the_exposition_is_sound() -> None:
    """Both formats are made of it, every shown name is in the catalog, and promtool finds no other fault."""
    runtime, collector = small_runtime(SimulatedDisk()), MetricsCollector()
    metrics = counted(runtime, collector)
    runtime.run()
    metrics.publish()
    registry = collector.registry()
    text = generate_latest(registry).decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names <= {one.shown for one in METRICS.values()} and len(names) > 30
    assert "nan" not in text.lower().replace("binance", "")
    assert openmetrics.generate_latest(registry).endswith(b"# EOF\n")
    words = [the_program("promtool"), "check", "metrics"]
    said = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    faults = (said.stdout + said.stderr).splitlines()
    assert [line for line in faults if line.split()[0] not in ABBREVIATED] == []
