"""Longer bars out of shorter ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

import numpy as np
import polars as pl
import pytest
from barstep.data.dataset import Dataset, DatasetInfo
from barstep.data.resample import Resampled, resample
from barstep.errors import UsageError

MakeBars = Callable[..., pl.DataFrame]
MINUTE_US = 60_000_000
INFO = DatasetInfo(symbol="X", venue="v", interval_seconds=60)


def minutes(make_bars: MakeBars, count: int, start_minute: int = 0) -> Dataset:
    draw = np.random.Generator(np.random.PCG64(5))
    closes = np.round(100 + np.cumsum(draw.normal(size=count)), 2).tolist()
    start_us = 1_704_067_200_000_000 + start_minute * MINUTE_US
    return Dataset(make_bars(closes, start_us=start_us, step_us=MINUTE_US), INFO)


def codes(resampled: Resampled) -> list[str]:
    return [finding.code for finding in resampled.findings]


def test_a_longer_bar_joins_its_parts(make_bars: MakeBars) -> None:
    """Open is the first, high the highest, low the lowest, close the last, volume the sum, stamped with the open."""
    source = minutes(make_bars, 10)
    joined = resample(source, 300)
    parts = source.frame[5:10]
    row = joined.dataset.frame.row(1, named=True)
    assert row["timestamp"] == parts["timestamp"][0]
    assert (row["open"], row["close"]) == (parts["open"][0], parts["close"][4])
    assert (row["high"], row["low"], row["volume"]) == (parts["high"].max(), parts["low"].min(), 5.0)
    assert joined.findings == ()
    assert joined.dataset.info.interval_seconds == 300


def test_the_way_does_not_matter(make_bars: MakeBars) -> None:
    """Minutes to hours are the same hours by way of five minutes."""
    source = minutes(make_bars, 600)
    direct = resample(source, 3600).dataset.frame
    assert resample(resample(source, 300).dataset, 3600).dataset.frame.equals(direct)


def test_volumes_are_added_in_order_of_time(make_bars: MakeBars) -> None:
    """To the last bit as one after another, wherever a bar stands among the others."""
    volumes = np.random.Generator(np.random.PCG64(6)).random(6000) * 1e6
    source = minutes(make_bars, 6000)
    joined = resample(Dataset(source.frame.with_columns(volume=volumes), INFO), 420).dataset.frame["volume"].to_list()
    parts = volumes.tolist()
    first = (-int(source.frame["timestamp"].to_physical()[0]) // MINUTE_US) % 7
    assert joined == [reduce(add, parts[start : start + 7]) for start in range(first, 6000 - 6, 7)]
    assert len(joined) > 800


def test_partial_ends_are_dropped_and_named(make_bars: MakeBars) -> None:
    """A first and last bar that the source covers in part are named, and kept only when that is wanted."""
    source = minutes(make_bars, 12, start_minute=3)
    dropped = resample(source, 300)
    assert dropped.dataset.frame.height == 2
    assert dropped.findings[0].locations == ("2024-01-01T00:00:00Z",)
    kept = resample(source, 300, keep_partial=True)
    assert kept.dataset.frame.height == 3
    assert (kept.dataset.frame["volume"].sum(), codes(kept)) == (12.0, ["partial-bar", "thin-bar"])


def test_a_gap_stays_a_gap(make_bars: MakeBars) -> None:
    """No bar is made where there is no source bar, and a bar of few parts is named."""
    source = minutes(make_bars, 20)
    holed = Dataset(source.frame.remove(pl.int_range(pl.len()).is_between(4, 9)), INFO)
    joined = resample(holed, 300)
    assert joined.dataset.frame["timestamp"].dt.minute().to_list() == [0, 10, 15]
    assert next(found for found in joined.findings if found.code == "thin-bar").count == 1


def test_absent_values_are_passed_over(make_bars: MakeBars) -> None:
    """A null or NaN price is passed over, and unknown volumes stay unknown."""
    frame = minutes(make_bars, 5).frame.with_columns(
        open=pl.when(pl.int_range(pl.len()) == 0).then(float("nan")).otherwise("open"),
        volume=pl.lit(None, dtype=pl.Float64),
    )
    row = resample(Dataset(frame, INFO), 300).dataset.frame.row(0, named=True)
    assert row["open"] == frame["open"][1]
    assert row["volume"] is None


def test_weeks_begin_on_monday(make_bars: MakeBars) -> None:
    """A week opens on Monday at midnight UTC."""
    day_us = 86_400_000_000
    daily = Dataset(make_bars([1.0] * 21, step_us=day_us), DatasetInfo(symbol="X", venue="v", interval_seconds=86400))
    assert resample(daily, 604800).dataset.frame["timestamp"].dt.weekday().to_list() == [1, 1, 1]


@pytest.mark.parametrize("seconds", [60, 30, 90])
def test_only_longer_multiples_are_allowed(make_bars: MakeBars, seconds: int) -> None:
    """An interval that is no longer multiple is refused."""
    with pytest.raises(UsageError, match="not a longer multiple"):
        resample(minutes(make_bars, 10), seconds)


def test_no_whole_bar_is_refused(make_bars: MakeBars) -> None:
    """A dataset shorter than one bar gives none."""
    with pytest.raises(UsageError, match="--keep-partial"):
        resample(minutes(make_bars, 10), 3600)
