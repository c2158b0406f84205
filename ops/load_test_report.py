"""What came of a load test, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.whole_file import write_json
from ..engine.provenance import software
from ..replay.journal.record import at_text
from ..replay.resources import ResourceUse
from .gate import machine

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What came of a load test.

    Attributes:
        environment: The environment's name.
        scheduler: The scheduler's.
        iterations: Runs of each schedule.
        schedules: Schedules that were due at each instant.
        signals: Signals of each run.
        interval_ms: From the beginning of an iteration to that of the next.
        latencies_ms: Milliseconds of each iteration, in order.
        signals_seen: Signals that the sinks were told, by what became of them.
        seconds: From the first iteration to the last, waiting included.
        resources: What the process used meanwhile.
        config_sha384: Digest of what the configuration says.
        finished_us: When, in microseconds since the epoch.
    """

    environment: str
    scheduler: str
    iterations: int
    schedules: int
    signals: int
    interval_ms: float
    latencies_ms: tuple[float, ...]
    signals_seen: Mapping[str, int]
    seconds: float
    resources: ResourceUse
    config_sha384: str
    finished_us: int

    @property
    def latency_ms(self) -> dict[str, float]:
        """Least, mean, percentiles (between two values in proportion) and greatest of an iteration's milliseconds."""
        values = np.array(self.latencies_ms)
        shares = {f"p{share}": float(np.percentile(values, share)) for share in PERCENTILES}
        return {"min": float(values.min()), "mean": float(values.mean()), **shares, "max": float(values.max())}

    @property
    def jitter_ms(self) -> float:
        """Mean absolute difference of successive latencies, the D of RFC 3550, 6.4.1; 0 of one iteration alone."""
        return float(np.abs(np.diff(self.latencies_ms)).mean()) if len(self.latencies_ms) > 1 else 0.0

    @property
    def throughput(self) -> dict[str, float]:
        """Per second in which an iteration was on its way; waiting does not count."""
        busy = sum(self.latencies_ms) / 1_000
        runs = self.iterations * self.schedules
        counts = {"iterations": self.iterations, "runs": runs, "signals": sum(self.signals_seen.values())}
        return {f"{name}_per_s": count / busy for name, count in counts.items()}

    def to_dict(self) -> dict[str, Any]:
        """The report as it is written."""
        return {
            "resource_status": self.resources.status,
            "environment": self.environment,
            "scheduler": self.scheduler,
            "iterations": self.iterations,
            "schedules": self.schedules,
            "signals": self.signals,
            "interval_ms": self.interval_ms,
            "latency_ms": self.latency_ms,
            "jitter_ms": self.jitter_ms,
            "throughput": self.throughput,
            "signals_seen": dict(sorted(self.signals_seen.items())),
            "seconds": self.seconds,
            "resources": self.resources.to_dict(),
            "finished": at_text(self.finished_us),
            "provenance": {"config_sha384": self.config_sha384, "software": software(), "machine": machine()},
        }

    def write(self, path: Path) -> None:
        """Write it in full or not at all, in the place of one that is there; folders are made."""
        write_json(path, self.to_dict())
