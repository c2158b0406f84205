"""Two venues side by side: which bar of the second one is seen, how old it is, and what a unit of both is worth."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.pairing import pair
from barstep.errors import DataError
from barstep.kernels.columns import BAR_COLUMNS, CLOSE, SECONDARY_CLOSE, SECONDARY_DELAY_MS
from making import bars_of

NAN = np.nan
HOUR_MS = 3_600_000.0


def test_bars_of_the_same_times_lie_side_by_side() -> None:
    """With equal times each close meets the other's, no delay, and both may fill at every open."""
    first, second = bars_of([10.0, 11.0, 12.0]), bars_of([9.0, 11.5, 12.0])
    both = pair(first, second)
    np.testing.assert_array_equal(both.values[:BAR_COLUMNS], first.values)
    assert both.values[SECONDARY_CLOSE].tolist() == [9.0, 11.5, 12.0]
    assert both.values[SECONDARY_DELAY_MS].tolist() == [0.0, 0.0, 0.0]
    assert both.secondary_open.tolist() == [9.0, 9.0, 11.5]
    assert both.marks.tolist() == [1.0, -0.5, 0.0]


def test_a_missing_bar_leaves_the_close_before_it() -> None:
    """Where the second venue has no bar its last close is seen, its age grows, and nothing can fill there."""
    first = bars_of([10.0, 11.0, 12.0, 13.0, 14.0])
    second = bars_of([20.0, 21.0, 22.0], [19.0, 20.5, 21.5], hours=[1, 2, 4])
    both = pair(first, second)
    np.testing.assert_array_equal(both.values[SECONDARY_CLOSE], [NAN, 20.0, 21.0, 21.0, 22.0])
    np.testing.assert_array_equal(both.values[SECONDARY_DELAY_MS], [NAN, 0.0, 0.0, HOUR_MS, 0.0])
    np.testing.assert_array_equal(both.secondary_open, [NAN, 19.0, 20.5, NAN, 21.5])
    assert both.marks.tolist() == [0.0, -9.0, -9.0, -8.0, -8.0]


def test_a_bar_of_the_primary_may_be_missing() -> None:
    """A bar that only the second venue has is seen by the primary's next one as long as none is newer."""
    both = pair(bars_of([10.0, 12.0], hours=[0, 2]), bars_of([1.0, 2.0], hours=[0, 1]))
    assert both.values[SECONDARY_CLOSE].tolist() == [1.0, 2.0]
    assert both.values[SECONDARY_DELAY_MS].tolist() == [0.0, HOUR_MS]
    np.testing.assert_array_equal(both.secondary_open, [1.0, NAN])


def test_a_longer_interval_is_seen_from_its_close() -> None:
    """Of a two-hour bar nothing is seen before it has closed; then it ages until the next one has."""
    first = bars_of([10.0, 11.0, 12.0, 13.0])
    second = bars_of([20.0, 30.0], [19.0, 20.0], interval_seconds=7200)
    both = pair(first, second)
    np.testing.assert_array_equal(both.values[SECONDARY_CLOSE], [NAN, 20.0, 20.0, 30.0])
    np.testing.assert_array_equal(both.values[SECONDARY_DELAY_MS], [NAN, 0.0, HOUR_MS, 0.0])
    np.testing.assert_array_equal(both.secondary_open, [19.0, NAN, 20.0, NAN])


def test_a_shorter_interval_gives_the_last_bar_inside() -> None:
    """Of four quarter hours the one that closes with the hour is seen, and the first one's open is filled at."""
    first = bars_of([10.0, 11.0])
    second = bars_of(np.arange(1.0, 9.0), np.arange(1.0, 9.0) + 0.5, interval_seconds=900)
    both = pair(first, second)
    assert both.values[SECONDARY_CLOSE].tolist() == [4.0, 8.0]
    assert both.values[SECONDARY_DELAY_MS].tolist() == [0.0, 0.0]
    assert both.secondary_open.tolist() == [1.5, 5.5]


def test_delay_is_event_time_in_milliseconds() -> None:
    """Half an hour between the two closes is 1,800,000 ms."""
    both = pair(bars_of([10.0, 11.0], hours=[1, 2]), bars_of([20.0, 21.0], hours=[0.5, 1.5]))
    assert both.values[SECONDARY_DELAY_MS].tolist() == [1_800_000.0, 1_800_000.0]
    assert np.isnan(both.secondary_open).all()


@pytest.mark.parametrize("hours", [[10, 11], [-9, -8]])
def test_venues_without_a_common_time_are_refused(hours: list[float]) -> None:
    """A second venue that begins after the first one ends, or ends before it begins, is refused with both spans."""
    with pytest.raises(DataError, match=r"^Bars\(v X 1h, 2 bars, .*\) and Bars\(w X 1h, .*\) have no time in common"):
        pair(bars_of([10.0, 11.0]), bars_of([20.0, 21.0], hours=hours, venue="w"))


def test_empty_histories_have_no_common_time() -> None:
    """Without bars on either side there is nothing to pair."""
    some, none = bars_of([1.0, 2.0]), bars_of([])
    for first, second in ((some, none), (none, some), (none, none)):
        with pytest.raises(DataError, match="have no time in common"):
            pair(first, second)


def test_pairing_reads_no_later_bar() -> None:
    """What the second venue does later changes nothing that was laid beside an earlier bar."""
    first = bars_of(np.arange(1.0, 21.0))
    closes = np.arange(2.0, 22.0)
    before = pair(first, bars_of(closes, venue="w"))
    closes[12:] *= 5.0
    after = pair(first, bars_of(closes, venue="w"))
    assert before.values[:, :12].tobytes() == after.values[:, :12].tobytes()
    assert before.values[CLOSE].tobytes() == after.values[CLOSE].tobytes()
    assert before.marks[12] != after.marks[12]
