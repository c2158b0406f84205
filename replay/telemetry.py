"""What runs of schedules measured, for whoever publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import polars as pl


class TelemetryEmitter(Protocol):
    """Who is told what a run measured."""

    def emit(self, schedule: str, due_us: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of one run, once the journal has it.

        Args:
            schedule: Whose run it was.
            due_us: When it was due, in microseconds since the epoch, UTC.
            metrics: By name; what was not measured is not among them. docs/runtime.md lists them.
        """


class InMemoryTelemetryEmitter:
    """Keeps the metrics of every run.

    Attributes:
        runs: Schedule, due time in microseconds and metrics, in order.
    """

    def __init__(self) -> None:
        self.runs: list[tuple[str, int, dict[str, float]]] = []

    def emit(self, schedule: str, due_us: int, metrics: Mapping[str, float]) -> None:
        """Keep the metrics of one run."""
        self.runs.append((schedule, due_us, dict(metrics)))

    def last(self, schedule: str) -> dict[str, float]:
        """The metrics of a schedule's last run; empty before the first one."""
        return next((metrics for name, _, metrics in reversed(self.runs) if name == schedule), {})

    def to_frame(self) -> pl.DataFrame:
        """A row a run: `schedule`, `due_time` (UTC), and a column a metric; null where it was not measured."""
        names = sorted({name for _, _, metrics in self.runs for name in metrics})
        due = pl.Series("due_time", [due for _, due, _ in self.runs], dtype=pl.Datetime("us"))
        return pl.DataFrame(
            {
                "schedule": pl.Series([schedule for schedule, _, _ in self.runs], dtype=pl.String),
                "due_time": due.dt.replace_time_zone("UTC"),
                **{
                    name: pl.Series([metrics.get(name) for _, _, metrics in self.runs], dtype=pl.Float64)
                    for name in names
                },
            }
        )
