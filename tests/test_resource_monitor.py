"""What a process uses against `runtime.resource_limits`, with readings that are given."""

from __future__ import annotations

import math

import pytest
from barstep.config.runtime import ResourceLimits
from barstep.replay.clock import SimulatedClock
from barstep.replay.resources import EVERY_US, RESOURCES, Reading, ResourceMonitor, read_process, resource_use

LIMITS = ResourceLimits(cpu_pct=100.0, memory_mb=1000.0, io_read_mb_s=50.0, io_write_mb_s=20.0, warning_share=0.8)
IDLE = Reading(1.0, 100.0, 10.0, 10.0)


def monitored(*readings: Reading, limits: ResourceLimits = LIMITS) -> tuple[ResourceMonitor, list[bool]]:
    """A monitor that was given these readings, five seconds apart, and whether each changed a status."""
    waiting, clock = list(readings), SimulatedClock()
    monitor = ResourceMonitor(limits, clock, lambda: waiting.pop(0))
    changed = []
    while waiting:
        clock.sleep_us(EVERY_US)
        changed.append(monitor.sample())
    return monitor, changed


def test_rates_are_means_between_two_readings() -> None:
    """4 s of processor time and 100 MB in 5 s are 80 % and 20 MB/s; memory is what it is."""
    monitor, _ = monitored(IDLE, Reading(5.0, 700.0, 110.0, 15.0))
    assert monitor.use.usage == {"cpu_pct": 80.0, "memory_mb": 700.0, "io_read_mb_s": 20.0, "io_write_mb_s": 1.0}


@pytest.mark.parametrize(
    ("value", "status"), [(0.0, "ok"), (79.9, "ok"), (80.0, "warn"), (100.0, "warn"), (100.1, "breach")]
)
def test_each_resource_is_held_against_its_limit(value: float, status: str) -> None:
    """From the share on a warning; over the limit, and only then, a breach. The worst says it for all."""
    for name in RESOURCES:
        limit = getattr(LIMITS, name)
        use = resource_use({**dict.fromkeys(RESOURCES, 0.0), name: value * limit / 100.0}, LIMITS)
        assert (use.statuses[name], use.status) == (status, status)
        assert {one for other, one in use.statuses.items() if other != name} == {"ok"}


def test_a_change_is_told_once() -> None:
    """When a resource gets worse, when another one does, and when it is well again."""
    busy, full = Reading(6.5, 100.0, 10.0, 10.0), Reading(12.0, 999.0, 10.0, 10.0)
    after = Reading(12.1, 999.0, 10.0, 10.0)
    monitor, changed = monitored(IDLE, busy, Reading(12.0, 100.0, 10.0, 10.0), full, after)
    assert changed == [True, False, True, False]
    assert monitor.use.to_dict()["memory_mb"] == {"usage": 999.0, "limit": 1000.0, "status": "warn"}
    assert monitor.use.status == "warn"


def test_other_limits_hold_at_once() -> None:
    """What was measured last is held to them, and the next reading tells that a status has changed."""
    clock = SimulatedClock()
    monitor = ResourceMonitor(LIMITS, clock, lambda: Reading(1.0, 900.0, 10.0, 10.0))
    clock.sleep_us(EVERY_US)
    assert monitor.sample() and monitor.use.status == "warn"
    monitor.hold_to(ResourceLimits(memory_mb=800.0))
    assert (monitor.use.status, monitor.use.limits) == ("breach", {"memory_mb": 800.0})
    assert not monitor.sample(), "it is not time to"
    clock.sleep_us(EVERY_US)
    assert monitor.sample() and monitor.use.status == "breach"
    monitor.hold_to(ResourceLimits(memory_mb=2000.0))
    clock.sleep_us(EVERY_US)
    assert monitor.sample() and monitor.use.status == "ok"


def test_what_is_over_its_limit_from_the_beginning_is_told() -> None:
    """With the first reading, although nothing has changed since."""
    too_much = Reading(1.0, 5000.0, 10.0, 10.0)
    _, changed = monitored(too_much, too_much, too_much)
    assert changed == [True, False]


def test_the_machine_is_not_asked_more_often() -> None:
    """Between two readings what was measured stands."""
    asked, clock = [], SimulatedClock()

    def read() -> Reading:
        asked.append(clock.elapsed_us)
        return IDLE

    monitor = ResourceMonitor(LIMITS, clock, read)
    for _ in range(30):
        clock.sleep_us(EVERY_US // 10)
        monitor.sample()
    assert asked == [0, EVERY_US, 2 * EVERY_US, 3 * EVERY_US]


def test_what_has_no_limit_is_measured_and_ok() -> None:
    """And what was not measured has no status."""
    monitor, _ = monitored(IDLE, Reading(100.0, 9e9, math.nan, math.nan), limits=ResourceLimits(memory_mb=1.0))
    assert monitor.use.statuses == {"cpu_pct": "ok", "memory_mb": "breach"}
    assert monitor.use.to_dict()["io_read_mb_s"] == {"usage": None, "limit": None, "status": None}


def test_memory_is_known_from_the_beginning() -> None:
    """Rates are not."""
    monitor, changed = monitored(IDLE)
    assert (monitor.use.usage, changed) == ({"memory_mb": 100.0}, [])


def test_this_process_can_be_read() -> None:
    """Time and memory are above zero, and time does not go back."""
    first, second = read_process(), read_process()
    assert second.cpu_seconds >= first.cpu_seconds > 0.0
    assert 10.0 < second.memory_mb < 100_000.0
