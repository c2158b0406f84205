"""Funding rates laid onto bars: which open pays which time, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import barstep as bs
import polars as pl
import pytest
from barstep.engine.funding import funding_by_bar
from barstep.errors import DataError
from making import HOUR_US, START_US, bars_of

BARS = bars_of([10.0] * 4)
START = datetime(2024, 1, 1, tzinfo=UTC)


def table(*rows: tuple[float, float]) -> pl.DataFrame:
    """Rates at hours after the first bar."""
    return pl.DataFrame(
        {"timestamp": [START_US + int(hour * HOUR_US) for hour, _ in rows], "rate": [rate for _, rate in rows]},
        schema={"timestamp": pl.Int64, "rate": pl.Float64},
    )


def laid(*rows: tuple[float, float]) -> list[float]:
    return funding_by_bar(BARS, table(*rows)).tolist()


def test_a_time_at_an_open_is_paid_there() -> None:
    """Rates at the opens of bars 1 and 3 stand at these bars."""
    assert laid((1, 0.01), (3, -0.02)) == [0.0, 0.01, 0.0, -0.02]


def test_a_time_between_two_opens_is_paid_at_the_later() -> None:
    """Half past the first hour waits for the second bar's open, and a microsecond past an open for the next one."""
    assert laid((0.5, 0.01)) == [0.0, 0.01, 0.0, 0.0]
    assert laid((1 + 1 / HOUR_US, 0.01)) == [0.0, 0.0, 0.01, 0.0]


def test_several_times_before_one_open_add_up() -> None:
    """Three rates within an hour are paid at once; the order of rows does not matter."""
    assert laid((1.0, 0.5), (0.25, 1.0), (0.75, 2.0)) == [0.0, 3.5, 0.0, 0.0]


def test_times_outside_are_left_out() -> None:
    """What was due before the first open or after the last is not paid."""
    assert laid((-0.001, 1.0), (3.5, 1.0), (100, 1.0)) == [0.0] * 4
    assert laid() == [0.0] * 4


def test_over_a_gap_the_next_bar_pays() -> None:
    """Where hours are missing, what fell due in them is paid at the open that follows."""
    bars = bars_of([10.0] * 3, hours=[0, 1, 9])
    assert funding_by_bar(bars, table((4, 0.01), (8, 0.02))).tolist() == pytest.approx([0.0, 0.0, 0.03])


def test_without_bars_nothing_is_paid() -> None:
    """No bars, no rates."""
    assert funding_by_bar(bars_of([]), table((0, 1.0))).tolist() == []


@pytest.mark.parametrize("zone", ["UTC", None, "Europe/Berlin"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_may_be_times(zone: str | None, unit: Any) -> None:
    """Times of any grain and zone are the instants that they stand for; without a zone they are UTC."""
    times = pl.Series([START + timedelta(hours=2)]).cast(pl.Datetime(unit, "UTC"))
    times = times.dt.replace_time_zone(None) if zone is None else times.dt.convert_time_zone(zone)
    given = pl.DataFrame({"timestamp": times, "rate": [0.5]})
    assert funding_by_bar(BARS, given).tolist() == [0.0, 0.0, 0.5, 0.0]


def test_a_missing_column_is_refused() -> None:
    """The text names the column, what was found and what is allowed."""
    with pytest.raises(
        DataError, match=r"^funding: no column 'rate'\. Found: timestamp, fee\. Allowed: timestamp, rate"
    ):
        funding_by_bar(BARS, pl.DataFrame({"timestamp": [1], "fee": [0.1]}))


@pytest.mark.parametrize(
    ("time", "rate"), [(None, 0.1), (START_US, None), (START_US, float("nan")), (START_US, float("inf"))]
)
def test_a_missing_time_or_rate_is_refused(time: int | None, rate: float | None) -> None:
    """Nothing, NaN and infinity are no rates; a row without a time has no bar."""
    given = pl.DataFrame(
        {"timestamp": [START_US, time], "rate": [0.1, rate]}, schema={"timestamp": pl.Int64, "rate": pl.Float64}
    )
    with pytest.raises(DataError, match=r"^funding: a time or a rate is missing; each row needs both$"):
        funding_by_bar(BARS, given)


def test_a_long_position_pays_and_a_short_one_earns() -> None:
    """10 units at an open of 10 and a rate of 1 % are 1, which a long pays and a short earns; the entry bar is free."""
    for side in (1.0, -1.0):
        result = bs.backtest(
            BARS, [side] * 4, funding=table((1, 0.01), (2, 0.01)), capital=1000.0, units=10.0, lot=1.0, fee_bps=0.0
        )
        assert result.costs["funding"] == pytest.approx(side)
        assert result.final_equity == pytest.approx(1000.0 - side)
        assert result.fills["kind"].to_list() == ["market", "funding"]
