"""Which due times a smoke test takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep import UsageError
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.ops.smoke_cycles import chosen_schedules, plan_cycles
from barstep.replay.journal.record import at_text


@pytest.fixture(scope="module")
def setup() -> SchedulerSetup:
    """`core_multi` over all embedded hours."""
    return set_up_scheduler(PACKAGED)


def _times(setup: SchedulerSetup, name: str, count: int, start: str | None = None) -> list[str]:
    s = setup.schedules.index(name)
    return [at_text(due)[:16] for due in plan_cycles(setup, [s], count, start).due_us[s]]


def test_the_last_ones_of_each_cadence(setup: SchedulerSetup) -> None:
    """Each schedule has its own consecutive due times, the last one at or before the end of the bars."""
    assert _times(setup, "trend_schedule", 2) == ["2024-12-31T23:00", "2025-01-01T00:00"]
    assert _times(setup, "volatility_schedule", 2) == ["2024-12-31T20:00", "2025-01-01T00:00"]
    assert _times(setup, "trend_alpha", 3) == ["2024-12-30T00:00", "2024-12-31T00:00", "2025-01-01T00:00"]


def test_the_first_ones_from_a_start_on(setup: SchedulerSetup) -> None:
    """From a start on, the first due time is the one at it or after it."""
    assert _times(setup, "trend_schedule", 2, "2024-03-01T10:30") == ["2024-03-01T11:00", "2024-03-01T12:00"]
    assert _times(setup, "trend_alpha", 1, "2024-03-01") == ["2024-03-01T00:00"]


def test_none_before_warm_up(setup: SchedulerSetup) -> None:
    """A start before the warm-up is put off until the bars that schedule and engine need have closed."""
    assert _times(setup, "mean_reversion_schedule", 1, "2023-01-01") == ["2023-01-05T01:00"]  # 97 hours
    assert _times(setup, "daily_trend_schedule", 1, "2023-01-01") == ["2023-01-11T00:00"]  # 240 hours


def test_an_engine_may_need_more_bars_than_its_schedule(tmp_path: Path) -> None:
    """The warm-up is the longer one of the schedule's and the engine's."""
    path = tmp_path / "core.yaml"
    path.write_text(PACKAGED.read_text(encoding="utf-8").replace("warmup_bars: 97", "warmup_bars: 2"), encoding="utf-8")
    assert _times(set_up_scheduler(path), "mean_reversion_schedule", 1, "2023-01-01") == ["2023-01-05T01:00"]


def test_the_runs_before_fill_a_window(setup: SchedulerSetup) -> None:
    """The run begins 96 due times before the first cycle of the slowest schedule, or when that one is warm."""
    s = setup.schedules.index("volatility_schedule")
    assert plan_cycles(setup, [s], 3, None).start.isoformat()[:16] == "2024-12-15T16:00"  # 98 times 4 hours
    assert plan_cycles(setup, [s], 3, "2023-01-08").start.isoformat()[:16] == "2023-01-05T04:00"


def test_more_cycles_than_the_bars_hold(setup: SchedulerSetup) -> None:
    """Told with the schedule that has the fewest, and how many it has."""
    with pytest.raises(UsageError, match=r"'daily_trend_schedule'.* hold 722 of its due times after warm-up"):
        plan_cycles(setup, [setup.schedules.index("daily_trend_schedule")], 723, None)
    with pytest.raises(UsageError, match=r"hold 0 of its due times after warm-up and 2025-03-01T00:00.*begin earlier"):
        plan_cycles(setup, [0], 1, "2025-03-01")
    with pytest.raises(UsageError, match="cycles is 0; allowed is 1 or more"):
        plan_cycles(setup, [0], 0, None)


def test_schedules_of_a_strategy(setup: SchedulerSetup) -> None:
    """By the strategy's name, which goes before an engine's; by an engine's all strategies that run it."""

    def names(strategy: str | None) -> list[str]:
        return [setup.schedules[s] for s in chosen_schedules(setup, strategy)]

    assert names("daily_trend") == ["daily_trend_schedule"]
    assert names("mean_reversion") == ["mean_reversion_schedule"]
    assert names("daily_trend_momentum") == ["daily_trend_schedule", "trend_alpha", "trend_schedule"]
    assert len(names(None)) == 7


def test_a_mistyped_strategy(setup: SchedulerSetup) -> None:
    """The near name is told."""
    with pytest.raises(UsageError, match=r"unknown strategy 'grid_trade'. Did you mean 'grid_trading'"):
        chosen_schedules(setup, "grid_trade")
