"""Bars joined into longer ones: what they hold, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import MICROSECONDS
from barstep.engine.joining import coarser, joined_legs
from barstep.engine.panel import Panel
from barstep.errors import DataError, UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR, bars_of, part_of, walk_bars

DAY = 86_400
HOURS = walk_bars(20)


def test_longer_bars_by_hand() -> None:
    """First open, highest high, lowest low, last close, sum of volumes; the part at each end is left out."""
    bars = bars_of(
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [9.0, 8.0, 7.0, 6.0, 5.0, 4.0], hours=[3, 4, 5, 6, 7, 8],
        volume=[1.0, 2.0, np.nan, 4.0, 5.0, 6.0],
    )  # fmt: skip
    (row,) = coarser(bars, 4 * HOUR).to_frame().rows()
    assert row[1:] == (8.0, 8.0, 2.0, 5.0, 11.0)
    assert row[0] == datetime(2024, 1, 1, 4, tzinfo=UTC)


def test_minutes_of_the_embedded_data_are_its_hours() -> None:
    """The embedded minutes joined are the embedded hours of that month, bit by bit."""
    hours = coarser(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet"), HOUR)
    all_hours = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    first = int(np.searchsorted(all_hours.ts_us, hours.ts_us[0]))
    month = part_of(all_hours, first, first + len(hours))
    assert len(hours) == 31 * 24
    assert (hours.symbol, hours.venue, hours.interval_seconds) == ("BTCUSDT", "binance", HOUR)
    np.testing.assert_array_equal(hours.ts_us, month.ts_us)
    np.testing.assert_array_equal(hours.values[:4], month.values[:4])


def test_weeks_begin_on_monday() -> None:
    """The first of 2024 was one."""
    days = bars_of(np.arange(1.0, 20.0), interval_seconds=DAY)
    weeks = coarser(days, 7 * DAY)
    assert weeks.times.astype("datetime64[D]").astype(str).tolist() == ["2024-01-01", "2024-01-08"]
    assert weeks.close.tolist() == [7.0, 14.0]


def test_a_leg_that_trades_nothing_at_the_end_has_its_last_longer_bar_all_the_same() -> None:
    """What others have shows that time has gone on: nothing is missing, and a loop that was told so sees it, too."""
    full, thin = bars_of(np.arange(1.0, 9.0)), bars_of([1.0, 2.0, 3.0, 4.0, 5.0], hours=[0, 1, 2, 3, 4])
    whole, joined = joined_legs(Panel([full, thin], ["A", "B"]), [4 * HOUR])[4 * HOUR]
    assert (whole.close.tolist(), joined.close.tolist()) == ([4.0, 8.0], [4.0, 5.0])
    assert coarser(thin, 4 * HOUR).close.tolist() == [4.0]
    part = joined_legs(Panel([part_of(full, 0, 7), thin], ["A", "B"]), [4 * HOUR])[4 * HOUR]
    assert [bars.close.tolist() for bars in part] == [[4.0], [4.0]]
    none = bars_of([1.0], hours=[4])
    assert joined_legs(Panel([full, none], ["A", "B"]), [4 * HOUR, HOUR])[4 * HOUR][1].close.tolist() == [1.0]


def test_the_same_interval_is_the_same_bars() -> None:
    """Nothing is copied, nothing is left out."""
    assert coarser(HOURS, HOUR) is HOURS


@given(st.integers(0, 999), st.integers(2, 8), st.integers(0, 30), st.floats(0.0, 0.5), st.data())
def test_a_longer_bar_is_seen_from_its_close_and_never_changes(
    seed: int, hours: int, late: int, gaps: float, data: st.DataObject
) -> None:
    """Cut anywhere: the shorter history gives exactly those longer bars that have closed by then, the same bits."""
    all_bars = walk_bars(120, seed, gaps=gaps)
    bars = part_of(all_bars, late, 120)
    whole = coarser(bars, hours * HOUR)
    cut = part_of(bars, 0, data.draw(st.integers(1, len(bars))))
    closed_us = cut.ts_us[-1] + HOUR * MICROSECONDS
    count = int(np.count_nonzero(whole.ts_us + hours * HOUR * MICROSECONDS <= closed_us))
    seen = coarser(cut, hours * HOUR)
    assert seen.ts_us.tolist() == whole.ts_us[:count].tolist()
    assert seen.values.tobytes() == part_of(whole, 0, count).values.tobytes()


def test_a_longer_bar_holds_nothing_from_after_its_close() -> None:
    """Hours that open at half past would reach over it: they are refused, and the time is named."""
    off = bars_of([1.0, 2.0, 3.0, 4.0, 5.0], hours=[0.5, 1.5, 2.5, 3.5, 4.5])
    with pytest.raises(DataError, match=r"v X: the bar of 1h at 2024-01-01T01:30:00.000000Z reaches over the end of a"):
        coarser(off, 2 * HOUR)
    inside = bars_of([1.0, 2.0, 3.0], hours=[0.0, 2.25, 4.0])
    assert coarser(inside, 2 * HOUR).close.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("hours", [[], [0, 1, 2], [1, 2, 3, 4, 5], [3, 4]])
def test_too_few_bars_make_none(hours: list[float]) -> None:
    """A history without a whole longer bar has none, as the beginning of any history."""
    none = coarser(bars_of(np.ones(len(hours)), hours=hours), 4 * HOUR)
    assert (len(none), none.interval_seconds, none.symbol, none.venue) == (0, 4 * HOUR, "X", "v")


def test_three_days_do_not_make_three_weeks() -> None:
    """Blocks of three days are counted from the epoch, weeks from a Monday: one would reach over the other's end."""
    blocks = bars_of(np.ones(40), hours=(24.0 * (np.arange(40) * 3 + 2)).tolist(), interval_seconds=3 * DAY)
    assert blocks.ts_us[0] % (3 * DAY * MICROSECONDS) == 0
    with pytest.raises(DataError, match="the bar of 3d at "):
        coarser(blocks, 21 * DAY)


@pytest.mark.parametrize(
    ("interval_seconds", "text"),
    [
        (5400, r"Bars\(v X 1h, 20 bars, .*\) cannot be joined to 90m, which is no multiple\."),
        (1800, "cannot be joined to 30m"),
    ],
)
def test_bars_that_cannot_be_joined(interval_seconds: int, text: str) -> None:
    """To another length than a multiple."""
    with pytest.raises(UsageError, match=text):
        coarser(HOURS, interval_seconds)
