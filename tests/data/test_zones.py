"""Written times become instants."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from barstep.data.zones import check_zone, fixed_offset_seconds, localise
from barstep.errors import UsageError


def written(*texts: str) -> pl.Series:
    return pl.Series([datetime.fromisoformat(text) for text in texts], dtype=pl.Datetime("us"))


def utc(series: pl.Series) -> list[str | None]:
    return series.dt.strftime("%Y-%m-%d %H:%M").to_list()


@pytest.mark.parametrize(
    ("zone", "seconds"),
    [("UTC", 0), ("UTC-05:00", -18000), ("+0200", 7200), ("GMT+3", 10800), ("America/New_York", None)],
)
def test_offsets_are_read(zone: str, seconds: int | None) -> None:
    """An offset gives seconds east of UTC; a place's name gives none."""
    assert fixed_offset_seconds(zone) == seconds


def test_an_unknown_zone_is_refused() -> None:
    """A zone that nobody knows is wrong use."""
    with pytest.raises(UsageError, match="Mars/Olympus"):
        check_zone("Mars/Olympus")


def test_a_place_follows_its_summer_time() -> None:
    """New York is five hours behind in winter and four in summer."""
    instants, findings = localise(written("2024-01-15T09:30", "2024-07-15T09:30"), "America/New_York")
    assert utc(instants) == ["2024-01-15 14:30", "2024-07-15 13:30"]
    assert findings == []


def test_the_repeated_hour_is_told_apart_by_order() -> None:
    """An hour that is written twice in autumn is first the earlier and then the later one, whichever way rows run."""
    times = written("2024-11-03T00:30", "2024-11-03T01:30", "2024-11-03T01:30", "2024-11-03T02:30")
    instants, findings = localise(times, "America/New_York")
    assert utc(instants) == ["2024-11-03 04:30", "2024-11-03 05:30", "2024-11-03 06:30", "2024-11-03 07:30"]
    assert findings == []
    backwards, _ = localise(times.reverse(), "America/New_York")
    assert backwards.sort().to_list() == instants.to_list()
    assert utc(backwards)[1] == "2024-11-03 06:30"


def test_an_ambiguous_time_is_named() -> None:
    """A time of the repeated hour that is written once is taken as the earlier, and said."""
    instants, findings = localise(written("2024-11-03T01:30"), "America/New_York")
    assert utc(instants) == ["2024-11-03 05:30"]
    assert [(found.code, found.count) for found in findings] == [("ambiguous-time", 1)]


def test_a_skipped_time_is_named() -> None:
    """A time that the clock skips in spring has no instant, and is located."""
    instants, findings = localise(written("2024-03-10T01:30", "2024-03-10T02:30"), "America/New_York")
    assert utc(instants) == ["2024-03-10 06:30", None]
    assert [(found.code, found.locations) for found in findings] == [("nonexistent-time", ("2024-03-10T02:30:00",))]
