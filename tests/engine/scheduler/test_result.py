"""What a scheduler's result counts and adds up by schedule."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from barstep.config.commands import DisableStrategy, SuspendSchedule
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.backtest import backtest_scheduler
from barstep.engine.scheduler.result import By, SchedulerResult


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


def test_decisions_name_bucket_and_weight(result: SchedulerResult) -> None:
    """The bucket is the profile's that holds the instrument, `manual` once disabled; the weight is that of the time."""
    table = result.decisions
    assert set(table.filter(reason="disabled")["risk_budget_bucket"]) == {"manual"}
    majors = table.filter(pl.col("instrument").is_in(["BTCUSDT", "ETHUSDT"]), pl.col("reason") != "disabled")
    assert set(majors["risk_budget_bucket"]) == {"majors"}
    row = table.filter(schedule="trend_schedule", status="accepted").row(3, named=True)
    held = result.capital_weights.filter(pl.col("time") <= row["due_time"])["trend_schedule"][-1]
    assert row["weight"] == held > 0.0


def test_the_state_of_capital_is_the_last_refresh(result: SchedulerResult) -> None:
    """Weights are the last row; raw ones are before the ceilings; profiles and tags add the weights up."""
    last = result.capital_weights.row(-1, named=True)
    last.pop("time")
    state = result.capital_allocation_state()
    assert result.allocation_snapshot() == last == state["weights"]
    assert state["weights"]["grid_schedule"] == state["weights"]["volatility_schedule"] == 0.0
    assert sum(state["raw"].values()) == pytest.approx(1.0)
    assert any(state["weights"][name] < state["smoothed"][name] for name in last)  # ceilings cut
    for by in ("profile", "tag"):
        assert sum(state[by].values()) == pytest.approx(sum(last.values()))
    assert result.capital_policy_diagnostics()["name"] == "risk_profile"


def test_interventions_say_from_when_to_when() -> None:
    """What expires has its end at its instant, what still holds has none, and a command's reason is kept."""
    begin = datetime(2023, 8, 1, 10, 7, tzinfo=UTC)
    command = SuspendSchedule(at=begin, schedule="trend_schedule", reason="news", duration_seconds=90 * 60.0)
    run = backtest_scheduler(PACKAGED, "core_multi", start="2023-08-01", end="2023-08-03", commands=[command])
    row = run.interventions.filter(kind="suspension").row(0, named=True)
    assert (row["name"], row["reason"], row["source"]) == ("trend_schedule", "news", "schedule")
    assert (row["begin"], row["end"]) == (begin, datetime(2023, 8, 1, 11, 37, tzinfo=UTC))
    assert run.interventions.filter(kind="signal_limit")["end"].null_count() == 2


def test_left_out_interventions_change_what_they_governed() -> None:
    """Without limits no signal is refused for one; without suspensions a suspended schedule trades."""
    span = {"start": "2023-08-01", "end": "2023-09-01"}
    suspended = [SuspendSchedule(at=datetime(2023, 8, 1, tzinfo=UTC), schedule="grid_schedule")]
    governed = backtest_scheduler(PACKAGED, commands=suspended, **span)
    free = backtest_scheduler(PACKAGED, commands=suspended, without=("limits", "suspensions"), **span)
    assert governed.signals["suspended"] > 0 == free.signals["suspended"]
    assert free.signals["limit"] == 0
    assert "grid_schedule" in free.fills["schedule"].to_list()
    assert "grid_schedule" not in governed.fills["schedule"].to_list()


def test_digests_tell_runs_apart() -> None:
    """The same run has the same digests, whatever the block; another fee has another equity and the same weights."""
    span = {"start": "2023-08-01", "end": "2023-08-10"}
    one, same = backtest_scheduler(PACKAGED, **span), backtest_scheduler(PACKAGED, block_bars=7, **span)
    other = backtest_scheduler(PACKAGED, fee_bps=3, **span)
    assert one.digests == same.digests
    assert other.digests["equity"] != one.digests["equity"]


def test_a_start_inside_a_bar_is_its_close() -> None:
    """A run at half past would know the hour's close: the first one is at the full hour."""
    inside = backtest_scheduler(PACKAGED, start="2023-08-01T10:30:00Z", end="2023-08-05")
    whole = backtest_scheduler(PACKAGED, start="2023-08-01T11:00:00Z", end="2023-08-05")
    assert inside.decisions["due_time"][0] == datetime(2023, 8, 1, 11, tzinfo=UTC)
    assert inside.digests == whole.digests
