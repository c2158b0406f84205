"""What is shown of a running scheduler."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from barstep.config.commands import DisableStrategy, Halt, SuspendTag
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.replay.monitor import Monitor
from barstep.replay.session import Session

CORE = Path(__file__).parents[2] / "config" / "core.yaml"
COMMANDS = [
    SuspendTag(at=datetime(2023, 1, 8, tzinfo=UTC), tag="trend", reason="thin", duration_seconds=36_000.0),
    DisableStrategy(at=datetime(2023, 1, 8, 3, tzinfo=UTC), strategy="grid_engine"),
    Halt(at=datetime(2023, 1, 8, 5, tzinfo=UTC), reason="news"),
]


def watched(until: str) -> Monitor:
    """A monitor of the demo scheduler at an instant."""
    session = Session(set_up_scheduler(CORE, "core_multi", end="2023-01-11", commands=COMMANDS), block_bars=1)
    monitor = Monitor(session.machine)
    session.loop.listeners += (_Listening(monitor),)
    stop = int(datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp() * 1e6)
    while session.loop.now_us < stop:
        session.loop.step()
    return monitor


class _Listening:
    def __init__(self, monitor: Monitor) -> None:
        self.event, self.instant = monitor.event, monitor.instant

    def block(self, _next_bar: int) -> None:
        pass


def test_each_schedule_has_a_row_with_what_holds_it_back() -> None:
    """In declared order, with the reason and the time that is left; counts are those of the result."""
    monitor = watched("2023-01-08T04:30")
    rows = {row[0]: dict(zip(monitor.headings, row, strict=True)) for row in monitor.rows()}
    assert list(rows)[:2] == ["trend_schedule", "trend_alpha"]
    assert rows["trend_schedule"]["held back"] == "thin (tag, 5:00:00 left)"
    assert rows["grid_schedule"]["held back"] == "disabled"
    assert rows["mean_reversion_schedule"]["held back"] == ""
    assert rows["trend_schedule"]["last run"] == "01-08 05:00"
    assert int(rows["grid_schedule"]["accepted"].replace(",", "")) > 10


def test_events_are_kept_as_lines() -> None:
    """Who gave them, what they say, and what ended by itself."""
    events = watched("2023-01-09").events
    assert events == [
        "2023-01-08T00:00:00.000000Z suspend_tag (reason=thin, duration_seconds=36000.0, tag=trend) by commands",
        "2023-01-08T03:00:00.000000Z disable_strategy (strategy=grid_engine) by commands",
        "2023-01-08T05:00:00.000000Z halt (reason=news) by commands",
        "2023-01-08T10:00:00.000000Z ended: suspension tag trend",
    ]


def test_the_heading_says_where_the_run_is() -> None:
    """Time, scheduler, bars, mode, equity, signals."""
    heading = watched("2023-01-08T06:00").heading
    assert heading.startswith("2023-01-08T06:00Z core_multi: 174 of 240 bars, halted, equity ")
    assert " signals accepted, " in heading
