"""Shares of capital over time."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.capital import shares
from barstep.report.sheet import sheet_of
from barstep.report.stack import SHOWN


def refreshes(core: SchedulerResult, hours: list[float], **columns: list[float]) -> pl.DataFrame:
    """A table of refreshes, so many hours after the first bar."""
    begin = core.equity["timestamp"][0]
    return pl.DataFrame({"time": [begin + timedelta(hours=hour) for hour in hours], **columns})


def test_what_is_left_is_cash(core: SchedulerResult) -> None:
    """By hand: the one with most capital stands first, cash last, and all together are 100 %."""
    table = refreshes(core, [0.0, 5.0], a=[0.1, 0.2], b=[0.5, 0.5])
    found = shares(sheet_of(core), table, 10)
    assert found.names == ["b", "a", "cash"]
    np.testing.assert_allclose(found.heights, [[50.0, 50.0], [10.0, 20.0], [40.0, 30.0]])


def test_a_schedule_may_be_called_cash(core: SchedulerResult) -> None:
    """It has an area of its own beside what is left."""
    found = shares(sheet_of(core), refreshes(core, [0.0], cash=[0.25]), 10)
    assert (found.names, [height.tolist() for height in found.heights]) == (["cash", "cash"], [[25.0], [75.0]])


def test_a_refresh_that_changes_nothing_is_no_step(core: SchedulerResult) -> None:
    """Steps begin at the refreshes after which a share is another, and these are kept to the instant."""
    table = refreshes(core, [0.0, 1.0, 2.0, 2.5, 7.0], a=[0.1, 0.1, 0.3, 0.3, 0.1], b=[0.2, 0.2, 0.2, 0.2, 0.2])
    found = shares(sheet_of(core), table, 3)
    first = int(sheet_of(core).ts_us[0])
    assert ((found.ts_us - first) / 3.6e9).tolist() == [0.0, 2.0, 7.0]


def test_a_refresh_before_the_bars_begins_with_them(core: SchedulerResult) -> None:
    """The axis of time begins at the first bar's open."""
    found = shares(sheet_of(core), refreshes(core, [-3.0, 4.0], a=[0.1, 0.2]), 10)
    assert found.ts_us[0] == sheet_of(core).ts_us[0]


def test_many_schedules_have_one_area_for_the_rest(core: SchedulerResult) -> None:
    """Eight have an area each, the others one together, and cash is what is left by all."""
    table = refreshes(core, [0.0], **{f"s{k:02d}": [0.001 * (k + 1)] for k in range(20)})
    found = shares(sheet_of(core), table, 10)
    assert len(found.names) == SHOWN + 2
    assert found.names[-2:] == ["12 others", "cash"]
    assert found.heights[-1][0] == pytest.approx(100.0 - 0.1 * sum(range(1, 21)))


def test_a_hundred_thousand_refreshes_keep_their_mean(core: SchedulerResult) -> None:
    """Thinned steps have the mean over time that all had, and stay between 0 and 100 %."""
    rng = np.random.default_rng(1)
    n = 100_000
    hours = np.sort(rng.uniform(0.0, 1_000.0, n))
    hours[0] = 0.0
    a = rng.uniform(0.0, 1.0, n)
    begin = core.equity["timestamp"][0]
    times = pl.Series(np.array(hours * 3.6e9, dtype=np.int64)).cast(pl.Duration("us")) + begin
    found = shares(sheet_of(core), pl.DataFrame({"time": times, "a": a, "b": 1.0 - a}), 500)
    assert len(found.ts_us) == 500
    end_us = int(sheet_of(core).ts_us[-1]) + 3_600_000_000
    lengths = np.diff(np.append(times.to_physical().to_numpy(), end_us))
    mean = found.heights[found.names.index("a")].mean()
    assert mean == pytest.approx(100.0 * np.average(a, weights=lengths), rel=1e-6)
    assert found.heights[-1].max() < 1e-6
