"""What risk profiles and the governor did, as stretches."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from barstep.report.governance import governance
from barstep.report.stretches import Stretch

Event = tuple[int, str, str, float, float]
"""Hour, kind, name, value, limit."""


def found(*events: Event, on_breach: str | None = "scale") -> list[Stretch]:
    """The stretches of events in hours of a day."""
    columns = list(zip(*events, strict=True)) or [[]] * 5
    times = pl.Series([datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in columns[0]], dtype=pl.Datetime("us", "UTC"))
    names = ("kind", "name", "value", "limit")
    table = pl.DataFrame({"time": times, **dict(zip(names, columns[1:], strict=True))})
    return list(governance(table, on_breach))


def hours(stretch: Stretch) -> tuple[str, str]:
    return stretch.since[11:13], stretch.until[11:13]


def test_nothing_happened() -> None:
    """No events, no stretches."""
    assert found() == []


def test_profiles_reduce_and_recover() -> None:
    """Two profiles at once are two stretches, with what was measured and the limit; one that goes on has no end."""
    told = found(
        (1, "profile_reduces", "a", 0.0216, 0.02),
        (2, "profile_reduces", "b", 0.16, 0.15),
        (5, "profile_recovers", "a", 0.0, 0.15),
    )
    assert [(each.what, hours(each), each.told) for each in told] == [
        ("profile a reducing", ("01", "05"), "2.16 %, limit 2 %"),
        ("profile b reducing", ("02", ""), "16 %, limit 15 %"),
    ]
    assert [(each.kind, each.source) for each in told] == [("profile", "risk profile")] * 2


def test_scales_until_targets_are_whole_again() -> None:
    """Changes of the scale are one stretch, with the lowest one and what it was for, until the scale is 1."""
    told = found(
        (1, "governor_scales", "gross exposure", 0.9, 1.0),
        (2, "governor_scales", "drawdown", 0.72, 1.0),
        (3, "governor_scales", "gross exposure", 0.8, 1.0),
        (4, "governor_scales", "", 1.0, 1.0),
        (6, "governor_scales", "drawdown", 0.5, 1.0),
    )
    assert [(hours(each), each.told, each.reason) for each in told] == [
        (("01", "04"), "× 0.72 at the lowest", "drawdown"), (("06", ""), "× 0.5 at the lowest", "drawdown"),
    ]  # fmt: skip


def test_limits_until_the_governor_relaxes() -> None:
    """A governor that limits signals does so from the breach until it relaxes."""
    events: list[Event] = [(1, "governor_limits", "turnover", 5.25, 5.0), (3, "governor_relaxes", "", 0.0, 0.0)]
    told = found(*events, on_breach="limit")
    assert [(each.what, hours(each), each.told, each.reason) for each in told] == [
        ("governor limits signals", ("01", "03"), "5.25, limit 5", "turnover")
    ]


def test_halts_are_told_as_interventions() -> None:
    """Where the governor halts, its breaches are no stretches here."""
    assert found((1, "governor_limits", "drawdown", 0.3, 0.2), on_breach="halt") == []
