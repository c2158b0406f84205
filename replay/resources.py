"""What this process uses, held against `runtime.resource_limits`: processor, memory, bytes read and written.

The machine is asked at most every few seconds, by a clock that is given; rates are means between two such readings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import psutil

from ..config.runtime import ResourceLimits
from ..engine.bars import MICROSECONDS
from .clock import Clock

RESOURCES = ("cpu_pct", "memory_mb", "io_read_mb_s", "io_write_mb_s")
"""Names of the resources, those of their limits."""

EVERY_US = 5_000_000
"""Least time between two readings."""

MEGABYTE = 1e6

ResourceStatus = Literal["ok", "warn", "breach"]
STATUSES: tuple[ResourceStatus, ...] = ("ok", "warn", "breach")
"""From the best to the worst."""


class Reading(NamedTuple):
    """What a process has used so far, and what it holds; NaN is what the machine does not tell.

    Attributes:
        cpu_seconds: Processor time, of all threads.
        memory_mb: Resident memory, in megabytes.
        read_mb: Bytes read from the disk, in megabytes.
        written_mb: Bytes written there.
    """

    cpu_seconds: float
    memory_mb: float
    read_mb: float
    written_mb: float


def read_process(pid: int | None = None) -> Reading:
    """What a process has used; None: this one."""
    process = psutil.Process(pid)
    with process.oneshot():
        times, memory = process.cpu_times(), process.memory_info().rss / MEGABYTE
        try:
            io = process.io_counters()
            read_mb, written_mb = io.read_bytes / MEGABYTE, io.write_bytes / MEGABYTE
        except (AttributeError, psutil.AccessDenied):  # not everywhere, and not for everybody
            read_mb = written_mb = math.nan
    return Reading(times.user + times.system, memory, read_mb, written_mb)


@dataclass(frozen=True, kw_only=True)
class ResourceUse:
    """What a process used at a reading.

    Attributes:
        usage: By resource, of those that were measured.
        limits: By resource, of those that have a limit.
        statuses: By resource that was measured: `breach` over its limit, `warn` from `warning_share` of it on, else
            `ok`.
    """

    usage: Mapping[str, float]
    limits: Mapping[str, float]
    statuses: Mapping[str, ResourceStatus]

    @property
    def status(self) -> ResourceStatus:
        """The worst of them."""
        return max(self.statuses.values(), key=STATUSES.index, default="ok")

    def to_dict(self) -> dict[str, Any]:
        """`status`, and by resource `usage`, `limit` and `status`; what was not measured or has no limit is None."""
        return {
            "status": self.status,
            **{
                name: {
                    "usage": self.usage.get(name),
                    "limit": self.limits.get(name),
                    "status": self.statuses.get(name),
                }
                for name in RESOURCES
            },
        }


def resource_use(usage: Mapping[str, float], limits: ResourceLimits) -> ResourceUse:
    """Hold what was measured against limits. usage: by resource; NaN, or none at all, is not measured."""
    allowed = {name: limit for name in RESOURCES if (limit := getattr(limits, name)) is not None}
    measured = {name: usage[name] for name in RESOURCES if not math.isnan(usage.get(name, math.nan))}
    statuses = {name: _status(value, allowed.get(name), limits.warning_share) for name, value in measured.items()}
    return ResourceUse(usage=measured, limits=allowed, statuses=statuses)


def _status(value: float, limit: float | None, warning_share: float) -> ResourceStatus:
    if limit is None or value < warning_share * limit:
        return "ok"
    return "breach" if value > limit else "warn"


class ResourceMonitor:
    """Looks at what a process uses, now and then.

    Attributes:
        use: What was measured last: memory from the beginning on, rates from the second reading on.
    """

    def __init__(
        self,
        limits: ResourceLimits,
        clock: Clock,
        read: Callable[[], Reading] = read_process,
        *,
        every_us: int = EVERY_US,
    ) -> None:
        """read: what is used; every_us: least time between two readings, on the monotonic clock."""
        self._limits, self._clock, self._read, self._every_us = limits, clock, read, every_us
        self._at_us, self._last = clock.monotonic_us(), read()
        self.use = resource_use({"memory_mb": self._last.memory_mb}, limits)
        self._told: Mapping[str, ResourceStatus] = {}

    def hold_to(self, limits: ResourceLimits) -> None:
        """Hold what was measured, and what will be, against other limits; the next sample tells what changed by it."""
        self._limits = limits
        self.use = resource_use(self.use.usage, limits)

    def sample(self) -> bool:
        """Measure, where it is time to; whether a resource's status became another one, at first another than `ok`."""
        now_us = self._clock.monotonic_us()
        if now_us - self._at_us < self._every_us:
            return False
        last, now, seconds = self._last, self._read(), (now_us - self._at_us) / MICROSECONDS
        usage = {
            "cpu_pct": 100.0 * (now.cpu_seconds - last.cpu_seconds) / seconds,
            "memory_mb": now.memory_mb,
            "io_read_mb_s": (now.read_mb - last.read_mb) / seconds,
            "io_write_mb_s": (now.written_mb - last.written_mb) / seconds,
        }
        self._at_us, self._last = now_us, now
        self.use = resource_use(usage, self._limits)
        before, self._told = self._told, self.use.statuses
        return any(before.get(name, "ok") != status for name, status in self._told.items())
