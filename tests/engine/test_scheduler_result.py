"""What a scheduler's result counts and adds up by schedule."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from barstep.config.commands import DisableStrategy, SuspendSchedule
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler import backtest_scheduler
from barstep.engine.scheduler_result import By, SchedulerResult


@pytest.fixture(scope="module")
def result() -> SchedulerResult:
    """A month of the packaged scheduler, with one schedule suspended and one disabled from its beginning."""
    begin = datetime(2023, 8, 1, tzinfo=UTC)
    return backtest_scheduler(
        PACKAGED,
        "core_multi",
        start=begin,
        end="2023-09-01",
        commands=[
            SuspendSchedule(at=begin, schedule="grid_schedule"),
            DisableStrategy(at=begin, strategy="volatility_target"),
        ],
    )


def test_signals_by_schedule_are_the_decisions(result: SchedulerResult) -> None:
    """Each count is that of the rows of `decisions`, and together they are `signals`."""
    table = result.signals_by_schedule
    assert table["schedule"].to_list() == list(result.setup.schedules)
    for row in table.iter_rows(named=True):
        own = result.decisions.filter(schedule=row.pop("schedule"))
        assert (row.pop("seen"), row.pop("accepted")) == (own.height, own.filter(status="accepted").height)
        assert row == {reason: own.filter(reason=reason).height for reason in row}
    assert table.drop("schedule").sum().to_dicts() == [result.signals]


@pytest.mark.parametrize("by", ["schedule", "instrument", "tag", "strategy", "risk_profile"])
def test_profits_name_everybody_and_add_up(result: SchedulerResult, by: By) -> None:
    """At each close the profits sum to the account's; who never traded stands among them with 0."""
    table = result.equity_by(by)
    names = result.panel.names if by == "instrument" else result.setup.labels[by]
    assert table.columns == ["timestamp", *sorted(set(names))]
    total = table.drop("timestamp").sum_horizontal().to_numpy()
    np.testing.assert_allclose(total, result.equity_values - result.execution.capital, atol=1e-6)


def test_who_never_traded_has_no_profit(result: SchedulerResult) -> None:
    """Suspended and disabled schedules have a column of zeros, all others have not."""
    table = result.equity_by("schedule").drop("timestamp")
    still = {name for name in table.columns if (table[name] == 0.0).all()}
    assert {"grid_schedule", "volatility_schedule"} <= still
    assert "trend_schedule" not in still


def test_the_document_tells_both_weights(result: SchedulerResult) -> None:
    """Each schedule with its raw and its held weight of the last refresh, and what the governor does."""
    document = result.to_dict()
    for name, weights in (("raw_weight", result.raw_capital_weights), ("weight", result.capital_weights)):
        told = {one["schedule"]: one[name] for one in document["schedules"]}
        assert told == weights.tail(1).drop("time").to_dicts()[0]
    assert document["on_breach"] == "scale"
    assert pl.DataFrame(document["signals_by_schedule"]).equals(result.signals_by_schedule)
