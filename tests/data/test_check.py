"""What is wrong with bars is counted and located."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from barstep.data.check import check_bars
from barstep.data.findings import Finding

MakeBars = Callable[..., pl.DataFrame]
HOUR = 3600


def found(frame: pl.DataFrame, code: str, **options: int) -> Finding:
    return next(finding for finding in check_bars(frame, HOUR, **options) if finding.code == code)


def test_good_bars_have_no_findings(make_bars: MakeBars) -> None:
    """Bars in order, on the grid and possible give nothing to say."""
    assert check_bars(make_bars([1.0, 1.1, 1.2, 1.1]), HOUR) == []


def test_a_gap_is_located_where_the_first_bar_is_missing(make_bars: MakeBars) -> None:
    """A gap is named by its first missing bar and how many are missing."""
    gap = found(make_bars([1.0] * 6).remove(pl.int_range(pl.len()).is_in([2, 3])), "gaps")
    assert (gap.severity, gap.count, gap.locations) == ("warning", 1, ("2024-01-01T02:00:00Z +2",))


@pytest.mark.parametrize(
    ("change", "code", "severity", "places"),
    [
        (pl.col("close") * float("nan"), "nan-price", "error", ("2024-01-01T01:00:00Z",)),
        (pl.lit(None, dtype=pl.Float64).alias("close"), "null-price", "error", ("2024-01-01T01:00:00Z",)),
        (pl.lit(0.0).alias("low"), "nonpositive-price", "error", ("2024-01-01T01:00:00Z",)),
        (pl.lit(0.5).alias("high"), "impossible-ohlc", "error", ("2024-01-01T01:00:00Z",)),
        (pl.lit(9.0).alias("low"), "impossible-ohlc", "error", ("2024-01-01T01:00:00Z",)),
        (pl.lit(9.0).alias("high"), "outlier", "warning", ("2024-01-01T01:00:00Z",)),
        (pl.lit(0.0).alias("volume"), "zero-volume", "warning", ("2024-01-01T01:00:00Z",)),
        (pl.lit(-1.0).alias("volume"), "negative-volume", "error", ("2024-01-01T01:00:00Z",)),
        (pl.lit(None, dtype=pl.Float64).alias("volume"), "null-volume", "warning", ("2024-01-01T01:00:00Z",)),
    ],
)
def test_a_bad_value_is_located(
    make_bars: MakeBars, change: pl.Expr, code: str, severity: str, places: tuple[str, ...]
) -> None:
    """Each kind of bad value is found in the one bar that has it."""
    name = change.meta.output_name()
    frame = make_bars([1.0, 1.1, 1.2]).with_columns(
        pl.when(pl.int_range(pl.len()) == 1).then(change).otherwise(pl.col(name)).alias(name)
    )
    finding = found(frame, code)
    assert (finding.severity, finding.count, finding.locations) == (severity, len(places), places)


def test_disorder_and_repeats_are_found_in_raw_rows(make_bars: MakeBars) -> None:
    """Rows may lie in any order; repeats say how many differ."""
    frame = make_bars([1.0, 1.1, 1.2])
    other = frame.tail(1).with_columns(close=pl.lit(1.15))
    raw = pl.concat([frame, frame.head(1), other])
    assert found(raw, "out-of-order").locations == ("2024-01-01T00:00:00Z",)
    repeats = found(raw, "duplicates")
    assert (repeats.count, repeats.locations) == (2, ("2024-01-01T00:00:00Z", "2024-01-01T02:00:00Z"))
    assert "1 with other values" in repeats.text


def test_off_grid_and_grid_offset(make_bars: MakeBars) -> None:
    """The grid is where most bars open; one that does not is named, and a grid off the full hour is a fact."""
    half_hour = 1_704_069_000_000_000
    frame = make_bars([1.0] * 5, start_us=half_hour)
    assert [finding.code for finding in check_bars(frame, HOUR)] == ["grid-offset"]
    shifted = frame.with_columns(
        timestamp=pl.when(pl.int_range(pl.len()) == 4)
        .then(pl.col("timestamp") + pl.duration(minutes=7))
        .otherwise("timestamp")
    )
    assert found(shifted, "off-grid").locations == ("2024-01-01T04:37:00Z",)


def test_an_unfinished_bar_needs_a_present(make_bars: MakeBars) -> None:
    """Only a given present tells that the last bar has not ended; no clock is read."""
    frame = make_bars([1.0, 1.0, 1.0])
    assert check_bars(frame, HOUR) == []
    now_us = int(frame["timestamp"].to_physical()[-1]) + 60_000_000
    assert found(frame, "unfinished-bar", now_us=now_us).locations == ("2024-01-01T02:00:00Z",)


def test_a_new_level_is_no_outlier(make_bars: MakeBars) -> None:
    """A jump that holds is a move of the market, and a print that reverts is an outlier."""
    codes = [finding.code for finding in check_bars(make_bars([1.0, 1.0, 5.0, 5.0]), HOUR)]
    assert codes == []


def test_errors_come_first(make_bars: MakeBars) -> None:
    """The gravest finding is read first."""
    frame = make_bars([1.0] * 5).with_columns(volume=pl.lit(0.0), high=pl.lit(0.5))
    assert [finding.severity for finding in check_bars(frame, HOUR)] == ["error", "warning"]
