"""A load test runs what it is asked for, its figures agree with timers outside, and limits turn its status."""

from __future__ import annotations

import json
import time  # noqa: TID251 - an outside timer
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.config.runtime import ResourceLimits
from barstep.engine.configured import load_core_config
from barstep.errors import UsageError
from barstep.ops.load_test import UNCOUNTED, Load, load_test
from barstep.ops.load_test_report import LoadReport
from barstep.replay.clock import SimulatedClock
from barstep.replay.resources import resource_use
from barstep.replay.sinks import StrategySignal
from msgspec.structs import replace

CORE = load_core_config(PACKAGED)
QUICK = Load(iterations=4, schedules=2, signals=3, interval_ms=0.0)


def limited(**limits: float) -> CoreConfig:
    return replace(CORE, runtime=replace(CORE.runtime, resource_limits=ResourceLimits(**limits)))


class SlowSink:
    """Takes its time, and measures it and when the calls came."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.taken, self.signals = seconds, [], []

    def submit(self, signals: Sequence[StrategySignal]) -> None:
        began = time.perf_counter()
        time.sleep(self.seconds)
        self.signals.append(list(signals))
        self.taken.append(time.perf_counter() - began)


@pytest.mark.parametrize(
    ("load", "scheduler"),
    [(QUICK, None), (Load(iterations=2, schedules=9, signals=1, interval_ms=0.0), "hedged_multi")],
)
def test_each_iteration_has_the_runs_and_signals_asked_for(tmp_path: Path, load: Load, scheduler: str | None) -> None:
    """Every schedule runs once at each instant with a signal of each instrument, all accepted; nothing is left."""
    sink = SlowSink(0.0)
    report = load_test(CORE, load, tmp_path / "there", scheduler=scheduler, sinks=[sink])
    counted = sink.signals[UNCOUNTED * load.schedules :]
    assert len(counted) == load.iterations * load.schedules
    assert {len(signals) for signals in counted} == {load.signals}
    assert len({signals[0].schedule for signals in counted}) == load.schedules
    assert len({signals[0].due_us for signals in counted}) == load.iterations
    assert report.signals_seen == {"accepted": load.iterations * load.schedules * load.signals}
    assert len(report.latencies_ms) == load.iterations
    assert list((tmp_path / "there").iterdir()) == []


def test_figures_agree_with_an_outside_timer(tmp_path: Path) -> None:
    """Iterations take what their sinks take and more, and together less than the whole call."""
    sink, began = SlowSink(0.01), time.perf_counter()
    report = load_test(CORE, QUICK, tmp_path, sinks=[sink])
    outside = time.perf_counter() - began
    inside = np.array(sink.taken[UNCOUNTED * 2 :]).reshape(4, 2).sum(axis=1)
    latencies = np.array(report.latencies_ms) / 1_000
    assert (latencies >= inside).all()
    assert latencies.sum() <= report.seconds <= outside
    assert latencies.sum() <= outside - sum(sink.taken[: UNCOUNTED * 2])


def test_the_pace_is_that_of_the_clock(tmp_path: Path) -> None:
    """Iterations begin `interval_ms` after each other: the last of four, three intervals after the first."""
    clock = SimulatedClock()
    report = load_test(CORE, Load(iterations=4, schedules=1, signals=1, interval_ms=250.0), tmp_path, clock=clock)
    assert report.seconds == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"memory_mb": 1e6}, "ok"),
        ({"memory_mb": 1e6, "warning_share": 1e-6}, "warn"),
        ({"memory_mb": 1.0}, "breach"),
        ({}, "ok"),
    ],
)
def test_limits_turn_the_status(tmp_path: Path, limits: dict[str, float], status: str) -> None:
    """A process of some hundred megabytes against limits of the configuration."""
    report = load_test(limited(**limits), QUICK, tmp_path)
    plain = report.to_dict()
    assert (plain["resource_status"], plain["resources"]["memory_mb"]["status"]) == (status, status)
    assert plain["resources"]["memory_mb"]["limit"] == limits.get("memory_mb")


def report_of(latencies_ms: Sequence[float]) -> LoadReport:
    return LoadReport(
        environment="demo", scheduler="one", iterations=len(latencies_ms), schedules=2, signals=3, interval_ms=0.0,
        latencies_ms=tuple(latencies_ms), signals_seen={"accepted": 6 * len(latencies_ms)}, seconds=1.0,
        resources=resource_use({}, ResourceLimits()), config_sha384="0" * 96, finished_us=0,
    )  # fmt: skip


def test_figures_of_known_latencies(tmp_path: Path) -> None:
    """Percentiles lie between two values in proportion, jitter is the mean step, throughput is of busy time."""
    plain = report_of([1.0, 3.0, 2.0, 4.0, 10.0]).to_dict()
    assert plain["latency_ms"] == pytest.approx(
        {"min": 1.0, "mean": 4.0, "p50": 3.0, "p90": 7.6, "p95": 8.8, "p99": 9.76, "max": 10.0}
    )
    assert plain["jitter_ms"] == pytest.approx((2 + 1 + 2 + 6) / 4)
    assert plain["throughput"] == pytest.approx({"iterations_per_s": 250, "runs_per_s": 500, "signals_per_s": 1500})
    assert report_of([5.0]).jitter_ms == 0.0
    report_of([5.0]).write(tmp_path / "made" / "report.json")
    assert json.loads((tmp_path / "made" / "report.json").read_text())["latency_ms"]["p99"] == 5.0


@pytest.mark.parametrize(
    ("name", "value"),
    [("iterations", 0), ("schedules", 0), ("signals", 1_001), ("interval_ms", -1.0), ("interval_ms", float("nan"))],
)
def test_what_cannot_be_is_refused(name: str, value: float) -> None:
    """With its name, its value and what is allowed."""
    with pytest.raises(UsageError, match=f"{name} is {value:g}; allowed is"):
        Load(**{name: value})
