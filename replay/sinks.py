"""Where signals go: to whoever wants to act on them or to keep them.

A sink hears of a signal once the journal has it, never before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Protocol

import polars as pl

from .journal.record import at_text


@dataclass(frozen=True, kw_only=True, slots=True)
class StrategySignal:
    """One signal and what became of it.

    Attributes:
        due_us: When its run was due, in microseconds since the epoch, UTC.
        schedule: Whose run it was.
        strategy: The schedule's strategy.
        schedule_run_id: Scheduler, schedule and due time.
        risk_profile: The schedule's.
        instrument: What it wants to hold.
        side: -1, 0 or 1.
        exposure: Share of the schedule's capital that it wants to hold.
        confidence: 0 to 1; None where the engine gave none.
        weight: The schedule's share of capital.
        status: `accepted` or `dropped`.
        reason: Why it was dropped or cut; empty where it was neither.
    """

    due_us: int
    schedule: str
    strategy: str
    schedule_run_id: str
    risk_profile: str
    instrument: str
    side: int
    exposure: float
    confidence: float | None
    weight: float
    status: str
    reason: str


class StrategySignalSink(Protocol):
    """Who is given signals."""

    def submit(self, signals: Sequence[StrategySignal]) -> None:
        """Take the signals of one run, at least one, in the order in which they were decided."""


class InMemoryStrategySignalSink:
    """Keeps every signal, for audits and regression tests.

    Attributes:
        signals: All that were submitted, in order.
    """

    def __init__(self) -> None:
        self.signals: list[StrategySignal] = []

    def submit(self, signals: Sequence[StrategySignal]) -> None:
        """Keep the signals of one run."""
        self.signals.extend(signals)

    @property
    def accepted(self) -> list[StrategySignal]:
        """Those that were accepted."""
        return [signal for signal in self.signals if signal.status == "accepted"]

    def to_frame(self) -> pl.DataFrame:
        """A row a signal; `due_time` in UTC in place of `due_us`."""
        rows = {one.name: [getattr(signal, one.name) for signal in self.signals] for one in fields(StrategySignal)}
        due = pl.Series("due_time", rows.pop("due_us"), dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
        return pl.DataFrame({"due_time": due, **rows}, schema_overrides=_SCHEMA)

    def to_json(self) -> str:
        """An array of objects, with `due_time` in ISO 8601 in place of `due_us`."""
        plain = [asdict(signal) for signal in self.signals]
        return json.dumps([{"due_time": at_text(one.pop("due_us")), **one} for one in plain], allow_nan=False)


_SCHEMA = {
    **dict.fromkeys(("schedule", "strategy", "schedule_run_id", "risk_profile", "instrument"), pl.String),
    **dict.fromkeys(("exposure", "confidence", "weight"), pl.Float64),
    **dict.fromkeys(("status", "reason"), pl.String),
    "side": pl.Int8,
}
