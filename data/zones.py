"""Written times into instants: time zones, fixed offsets, and the two days a year on which clocks change."""

from __future__ import annotations

import re

import polars as pl

from ..errors import UsageError
from .durations import HOUR, MICROSECONDS, MINUTE
from .findings import Finding, iso_times, some

_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?$")


def fixed_offset_seconds(zone: str) -> int | None:
    """Seconds east of UTC of a zone written `UTC`, `UTC-05:00`, `+0200` or `GMT+3`; None for a place's name."""
    if zone.upper() in ("UTC", "GMT", "Z"):
        return 0
    match = _OFFSET.match(zone.upper())
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    seconds = int(hours) * HOUR + int(minutes or 0) * MINUTE
    return -seconds if sign == "-" else seconds


def check_zone(zone: str) -> None:
    """Refuse a zone that nobody knows.

    Raises:
        UsageError: The zone is neither an offset nor in the time zone database.
    """
    if fixed_offset_seconds(zone) is not None:
        return
    try:
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(zone)
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            f"time zone {zone!r} is not known. "
            "Allowed: a name such as America/New_York, or an offset such as UTC-05:00."
        ) from error


def localise(written: pl.Series, zone: str) -> tuple[pl.Series, list[Finding]]:
    """Instants of times that were written in a zone.

    In the hour that occurs twice in autumn the first row with a time is the earlier one (the later one where the
    source runs backwards); a time that occurs once is taken as the earlier. Times that the clock skips in spring
    have no instant: they come back as null.

    Args:
        written: Datetimes in microseconds without a zone, in the source's order.
        zone: A name from the time zone database, or an offset.
    """
    offset = fixed_offset_seconds(zone)
    if offset is not None:
        return (written.to_physical() - offset * MICROSECONDS).cast(pl.Datetime("us", "UTC")), []
    early = written.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    late = written.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    frame = pl.DataFrame({"written": written, "early": early, "late": late}).with_columns(
        twofold=pl.col("early") != pl.col("late"),
        repeat=pl.int_range(pl.len()).over("written"),
        times=pl.len().over("written"),
    )
    backwards = len(written) > 1 and written[0] > written[-1]
    take_late = pl.col("repeat") == 0 if backwards else pl.col("repeat") > 0
    instants = frame.select(
        pl.when(pl.col("twofold") & take_late & (pl.col("times") > 1)).then("late").otherwise("early").alias("times")
    )["times"].dt.convert_time_zone("UTC")
    return instants, _clock_change_findings(frame, zone)


def _clock_change_findings(frame: pl.DataFrame, zone: str) -> list[Finding]:
    findings = []
    unsure = frame.filter(pl.col("twofold") & (pl.col("times") == 1))["written"]
    if len(unsure):
        places = _written_places(unsure)
        findings.append(
            Finding(
                code="ambiguous-time",
                severity="warning",
                count=len(places),
                text=f"{len(places)} times occur twice in {zone} when clocks go back and were read as the earlier "
                f"({some(places)})",
                locations=places,
            )
        )
    skipped = frame.filter(pl.col("early").is_null() & pl.col("written").is_not_null())["written"]
    if len(skipped):
        places = _written_places(skipped)
        findings.append(
            Finding(
                code="nonexistent-time",
                severity="error",
                count=len(places),
                text=f"{len(places)} rows dropped: their times do not exist in {zone}, where clocks skip that hour; "
                f"is it the right zone? ({some(places)})",
                locations=places,
            )
        )
    return findings


def _written_places(written: pl.Series) -> tuple[str, ...]:
    return tuple(text.removesuffix("Z") for text in iso_times(written.to_physical().to_numpy()))
