"""Repairs do what they say, and say what they did."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from barstep.data.check import check_bars
from barstep.data.findings import has_errors
from barstep.data.repair import POLICIES, repair_bars
from barstep.errors import UsageError

MakeBars = Callable[..., pl.DataFrame]
HOUR = 3600


def changed(frame: pl.DataFrame, policy: str, **options: int) -> tuple[pl.DataFrame, int, tuple[str, ...]]:
    repaired = repair_bars(frame, HOUR, [policy], **options)
    (change,) = repaired.changes
    return repaired.frame, change.count, change.locations


def test_sort_orders_rows(make_bars: MakeBars) -> None:
    """Rows are put in order of time, and those that went back are located."""
    frame = make_bars([1.0, 1.1, 1.2])
    repaired, count, places = changed(frame[[1, 0, 2]], "sort")
    assert repaired.equals(frame)
    assert (count, places) == (1, ("2024-01-01T00:00:00Z",))


def test_of_duplicates_the_last_stays(make_bars: MakeBars) -> None:
    """Of bars of one time the last row is kept."""
    frame = make_bars([1.0, 1.1])
    later = frame.tail(1).with_columns(close=pl.lit(1.05))
    repaired, count, _ = changed(pl.concat([frame, later]), "drop-duplicates")
    assert repaired["close"].to_list() == [1.0, 1.05]
    assert count == 1


@pytest.mark.parametrize(
    ("policy", "bad"),
    [
        ("drop-nan", pl.lit(float("nan")).alias("open")),
        ("drop-nan", pl.lit(None, dtype=pl.Float64).alias("open")),
        ("drop-nan", pl.lit(float("inf")).alias("open")),
        ("drop-nonpositive", pl.lit(-1.0).alias("open")),
    ],
)
def test_bad_bars_are_dropped_and_located(make_bars: MakeBars, policy: str, bad: pl.Expr) -> None:
    """A dropped bar is counted and named."""
    frame = make_bars([1.0, 1.1, 1.2])
    frame = frame.with_columns(open=pl.when(pl.int_range(pl.len()) == 1).then(bad).otherwise("open"))
    repaired, count, places = changed(frame, policy)
    assert repaired.height == 2
    assert (count, places) == (1, ("2024-01-01T01:00:00Z",))


def test_clip_widens_high_and_low(make_bars: MakeBars) -> None:
    """High and low are widened to hold every price, and open and close are left alone."""
    frame = make_bars([1.0, 1.1]).with_columns(high=pl.lit(0.9), low=pl.lit(2.0))
    repaired, count, _ = changed(frame, "clip-ohlc")
    assert count == 2
    assert not has_errors(check_bars(repaired, HOUR))
    assert repaired["close"].to_list() == [1.0, 1.1]


def test_gaps_are_filled_flat(make_bars: MakeBars) -> None:
    """Missing bars are added at the last close with a volume of zero, and every one is located."""
    frame = make_bars([1.0, 2.0, 3.0, 4.0, 5.0])
    repaired, count, places = changed(frame[[0, 1, 4]], "fill-gaps")
    assert (count, places) == (2, ("2024-01-01T02:00:00Z", "2024-01-01T03:00:00Z"))
    assert repaired["timestamp"].equals(frame["timestamp"])
    assert repaired["close"].to_list() == [1.0, 2.0, 2.0, 2.0, 5.0]
    assert repaired["open"].to_list()[2:4] == [2.0, 2.0]
    assert repaired["volume"].to_list() == [1.0, 1.0, 0.0, 0.0, 1.0]


def test_off_grid_and_unfinished_bars_are_dropped(make_bars: MakeBars) -> None:
    """Bars off the grid go, and bars that had not ended at the given present."""
    frame = make_bars([1.0, 1.0, 1.0, 1.0])
    odd = pl.concat([frame, make_bars([1.0], start_us=1_704_067_200_000_000 + 10 * HOUR * 1_000_000 + 7)])
    assert changed(odd, "drop-off-grid")[1] == 1
    now_us = int(frame["timestamp"].to_physical()[-1])
    assert changed(frame, "drop-unfinished", now_us=now_us)[2] == ("2024-01-01T03:00:00Z",)


def test_all_repairs_leave_no_error(make_bars: MakeBars) -> None:
    """Every repair together, in whatever order they were asked for, makes bars without errors."""
    frame = make_bars([1.0, -1.0, 1.2, None, 1.4, 1.5]).with_columns(high=pl.lit(1.21))
    raw = pl.concat([frame, frame.tail(1)]).reverse()
    policies = [name for name in reversed(POLICIES) if name != "drop-unfinished"]
    repaired = repair_bars(raw, HOUR, policies)
    assert not has_errors(check_bars(repaired.frame, HOUR))
    assert [change.code for change in repaired.changes] == [name for name in POLICIES if name != "drop-unfinished"]


def test_wrong_requests_are_refused(make_bars: MakeBars) -> None:
    """An unknown repair names the nearest, and a repair that lacks what it needs says what to type."""
    frame = make_bars([1.0, 1.1])
    with pytest.raises(UsageError, match="Did you mean 'sort'"):
        repair_bars(frame, HOUR, ["sorted"])
    with pytest.raises(UsageError, match="--now"):
        repair_bars(frame, HOUR, ["drop-unfinished"])
    with pytest.raises(UsageError, match="sort,drop-duplicates"):
        repair_bars(frame.reverse(), HOUR, ["fill-gaps"])
    with pytest.raises(UsageError, match="at most"):
        repair_bars(
            frame[[0, 1]].with_columns(pl.Series("timestamp", [0, 10**17]).cast(pl.Datetime("us", "UTC"))),
            1,
            ["fill-gaps"],
        )
