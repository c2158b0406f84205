"""Metrics that anybody may read of a running scheduler."""

from __future__ import annotations

import math

import numpy as np
import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.arrays import WINDOW_RUNS
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.metrics import read_metrics, stated_metrics
from barstep.kernels.scheduler import layout
from barstep.kernels.scheduler.loop import CLOSING
from scheduler_making import config_of, told_bars

NAMES = (
    "signals", "avg_confidence", "last_confidence", "confidence", "avg_abs_zscore", "drift_seconds", "latency_ms",
    "suspended",
)  # fmt: skip
HOURS = 60


@pytest.fixture(scope="module")
def run() -> tuple[SchedulerMachine, np.ndarray]:
    """Sixty hours of `core_multi`, and the means of its measures at each close."""
    span = {"start": "2023-08-14", "end": "2023-08-16T12:00"}
    machine = SchedulerMachine(set_up_scheduler(PACKAGED, **span, drift_seconds=2.0), observed=True)
    machine.warm_up()
    machine.take_bars(machine.bars.start, machine.bars.stop)
    machine.next_event(2**62)
    at, count = 0, machine.timeline.shape[1]
    while at < count:
        at = machine.run(at, count)
    columns = machine.timeline[CLOSING]
    return machine, machine.wishes.means[:, :, columns[columns >= 0]]


def _read(machine: SchedulerMachine, schedule: str) -> dict[str, float]:
    table = read_metrics(NAMES, machine.measures, machine.arrays, stated_metrics(machine.setup))
    return dict(zip(NAMES, table[:, machine.setup.schedules.index(schedule)].tolist(), strict=True))


def _means(run: tuple[SchedulerMachine, np.ndarray], schedule: str, name: str) -> np.ndarray:
    machine, means = run
    (m,) = [k for k, measure in enumerate(machine.measures) if measure.full_name == name]
    return means[m, machine.setup.schedules.index(schedule)]


def test_means_and_last_numbers(run: tuple[SchedulerMachine, np.ndarray]) -> None:
    """`avg_` is the mean over the runs, a bare name and `last_` the last number, `avg_abs_` the mean of sizes."""
    told = _read(run[0], "mean_reversion_schedule")
    confidence = _means(run, "mean_reversion_schedule", "avg_confidence")
    assert confidence.size == HOURS
    assert told["last_confidence"] == told["confidence"] == confidence[-1]
    assert told["avg_confidence"] == pytest.approx(_with_start(run, "avg_confidence", confidence), rel=1e-12)
    sizes = _means(run, "mean_reversion_schedule", "avg_abs_zscore")
    assert told["avg_abs_zscore"] == pytest.approx(_with_start(run, "avg_abs_zscore", sizes), rel=1e-12)


def _with_start(run: tuple[SchedulerMachine, np.ndarray], name: str, values: np.ndarray) -> float:
    """The mean with the run at the start, whose numbers stand in column 0."""
    machine = run[0]
    (m,) = [k for k, measure in enumerate(machine.measures) if measure.full_name == name]
    before = machine.wishes.means[m, machine.setup.schedules.index("mean_reversion_schedule"), 0]
    return float(np.append(before, values).mean())


def test_signals_are_counted(run: tuple[SchedulerMachine, np.ndarray]) -> None:
    """`signals` is how many were accepted in the window; here all of the run."""
    machine = run[0]
    told = {name: _read(machine, name)["signals"] for name in machine.setup.schedules}
    accepted = dict(machine.result().signals_by_schedule.select("schedule", "accepted").rows())
    assert told == accepted
    assert sum(accepted.values()) > 10


def test_what_is_stated_and_what_nobody_measures(run: tuple[SchedulerMachine, np.ndarray]) -> None:
    """Drift and latency are the model's; a number that is not measured is none."""
    told = _read(run[0], "trend_schedule")
    assert (told["drift_seconds"], told["latency_ms"]) == (2.0, 0.0)
    assert math.isnan(told["avg_abs_zscore"])
    assert math.isnan(told["suspended"])


def test_windows_begin_their_blocks_at_different_runs_whoever_else_is_there() -> None:
    """By the schedule's name: of a hundred due together no instant begins many, and none moves for others."""
    names = [f"trend_{number}" for number in range(100)]
    rows = _first_rows(names)
    assert np.bincount(list(rows.values()), minlength=WINDOW_RUNS).max() <= 5
    few = names[3::10]
    assert _first_rows(few) == {name: rows[name] for name in few}


def _first_rows(names: list[str]) -> dict[str, int]:
    setup = set_up_scheduler(config_of({name: {} for name in names}), bars={"X": told_bars([1.0, 1.0], [0.0, 0.0])})
    row = SchedulerMachine(setup).arrays.schedules[layout.BLOCKS_FROM]
    return dict(zip(setup.schedules, row.astype(int).tolist(), strict=True))
