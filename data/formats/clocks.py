"""How vendors write time: epochs of any unit, dates, and dates with a time, with or without an offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

from ...errors import DataError
from ..durations import DAY, MICROSECONDS
from ..findings import Finding, line_places, some
from .table import LINE, Layout, Table

Clock = Literal["utc", "local", "date"]

# Upper ends of the magnitudes that seconds, milliseconds and microseconds of our times have; above is nanoseconds.
# A millisecond epoch before March 1973 would read as seconds, and no exchange is that old.
_SECONDS_END, _MILLISECONDS_END, _MICROSECONDS_END = 10**11, 10**14, 10**17

_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_HISTORY = (-5_364_662_400, 7_258_118_400)  # the years 1800 to 2200, in seconds since 1970

_WITH_OFFSET = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z", "%d.%m.%Y %H:%M:%S%.f GMT%z")
_WITH_TIME = (
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %I:%M %p",
    "%Y.%m.%d %H:%M:%S%.f", "%Y.%m.%d %H:%M", "%Y.%m.%d,%H:%M",
    "%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M",
    "%Y%m%d %H%M%S", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M", "%Y%m%d%H%M%S",
    "%d.%m.%Y %H:%M:%S%.f", "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
)  # fmt: skip
_DATE_ONLY = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%b %d, %Y")

# CryptoDataDownload writes an hour as `11-PM`; no date parser takes an hour without minutes.
_BARE_HOUR = re.compile(r"\d-[AP]M$")


@dataclass(frozen=True, kw_only=True)
class Times:
    """Times of all rows.

    Attributes:
        series: Datetimes in microseconds without a zone; null where there is none.
        clock: `utc` when the writing fixes the instant, `local` when a zone is needed, `date` for days.
        written: How the times are written, for people.
        notes: What was found while reading.
    """

    series: pl.Series
    clock: Clock
    written: str
    notes: tuple[Finding, ...] = ()


def read_times(table: Table, layout: Layout) -> Times:
    """Read the times of a table.

    Raises:
        DataError: A time that cannot be read.
    """
    values = table.frame[layout.time[0]]
    for other in layout.time[1:]:
        values = values + " " + table.frame[other]
    if layout.day is not None:
        return _since_midnight(table, values, layout.day)
    if isinstance(values.dtype, pl.Datetime):
        zone = values.dtype.time_zone
        series = _within_history(table, values.to_physical(), _PER_SECOND[values.dtype.time_unit])
        written = "datetime without zone" if zone is None else f"datetime in {zone}"
        return Times(series=series, clock="local" if zone is None else "utc", written=written)
    if values.dtype == pl.Date:
        seconds = values.to_physical().cast(pl.Int64) * DAY
        return Times(series=_within_history(table, seconds, 1), clock="date", written="dates")
    if values.dtype.is_numeric():
        return _epochs(table, values.cast(pl.Int64))
    if values.dtype == pl.String:
        return _from_text(table, values, " ".join(layout.time))
    raise DataError(
        f"{table.where}: column {' '.join(layout.time)!r} is {values.dtype}; a time is text, a number or a datetime."
    )


def _since_midnight(table: Table, values: pl.Series, day: str) -> Times:
    milliseconds = values.cast(pl.Int64, strict=False)
    _refuse_unread(table, values, milliseconds, "milliseconds since midnight")
    midnight = pl.Series([day]).str.to_datetime("%Y%m%d", time_unit="us")
    series = _within_history(table, milliseconds + int(midnight.to_physical()[0]) // 1000, 1000)
    return Times(series=series, clock="local", written=f"milliseconds since midnight of {day}")


def _epochs(table: Table, values: pl.Series) -> Times:
    """Whole numbers as instants, the unit told from each value's size: some files change it half way."""
    epoch = pl.col("epoch")
    names = ("seconds", "milliseconds", "microseconds", "nanoseconds")
    _within_history(table, values.clip(upper_bound=0), 1)
    read = pl.DataFrame({"epoch": values, LINE: table.frame[LINE]}).with_columns(
        us=pl.when(epoch < _SECONDS_END).then(epoch * MICROSECONDS)
        .when(epoch < _MILLISECONDS_END).then(epoch * 1000)
        .when(epoch < _MICROSECONDS_END).then(epoch)
        .otherwise(epoch // 1000),
        unit=pl.when(epoch < _SECONDS_END).then(0).when(epoch < _MILLISECONDS_END).then(1)
        .when(epoch < _MICROSECONDS_END).then(2).otherwise(3),
    )  # fmt: skip
    units = read["unit"].unique().sort().to_list()
    written = f"epoch {' and '.join(names[unit] for unit in units)}"
    notes: tuple[Finding, ...] = ()
    if len(units) > 1:
        changes = read.filter(read["unit"] != read["unit"].shift(1))[LINE].to_list()
        notes = (
            Finding(
                code="mixed-epoch-units",
                severity="warning",
                count=len(changes),
                text=f"the unit of the epochs changes within the file ({written}); each was read by its size",
                locations=line_places(changes, table.place),
            ),
        )
    series = _within_history(table, read["us"], MICROSECONDS)
    return Times(series=series, clock="utc", written=written, notes=notes)


def _from_text(table: Table, values: pl.Series, column: str) -> Times:
    values = values.str.strip_chars()
    sample = values.drop_nulls().head(1).to_list()
    if not sample:
        raise DataError(f"{table.where}: column {column!r} holds no time at all.")
    if re.fullmatch(r"\d{9,19}(\.0*)?", sample[0]) and not re.fullmatch(r"(19|20)\d{12}", sample[0]):
        whole = values.str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
        _refuse_unread(table, values, whole, "an epoch")
        return _epochs(table, whole)
    if _BARE_HOUR.search(sample[0]):
        values = values.str.replace(r"-([AP]M)$", ":00 $1")
        sample = [sample[0].replace("-AM", ":00 AM").replace("-PM", ":00 PM")]
    groups: tuple[tuple[Clock, tuple[str, ...]], ...] = (
        ("utc", _WITH_OFFSET), ("local", _WITH_TIME), ("date", _DATE_ONLY),
    )  # fmt: skip
    for clock, formats in groups:
        fitting = [form for form in formats if _parses(sample[0], form)]
        if fitting:
            return _best(table, values, clock, fitting)
    raise DataError(
        f"{table.where}: {table.place} {table.frame[LINE][0]}, column {column!r}: {sample[0]!r} is no known time. "
        "Allowed: epochs, 2024-01-31 23:00:00, 2024-01-31, 31.01.2024 23:00:00, 1/31/2024 23:00 and the like."
    )


def _parses(text: str, form: str) -> bool:
    return pl.Series([text]).str.to_datetime(form, time_unit="us", strict=False).null_count() == 0


def _best(table: Table, values: pl.Series, clock: Clock, formats: list[str]) -> Times:
    """Read by the format that reads most rows; of day-first and month-first, by the one that jumps least."""
    parsed = [(form, values.str.to_datetime(form, time_unit="us", strict=False)) for form in formats]
    fewest = min(series.null_count() for _, series in parsed)
    complete = [(form, series) for form, series in parsed if series.null_count() == fewest]
    form, series = min(complete, key=lambda choice: _longest_jump(choice[1]))
    _refuse_unread(table, values, series, f"a time written as {form}")
    notes: tuple[Finding, ...] = ()
    if len({_longest_jump(other) for _, other in complete}) == 1 and len(complete) > 1 and "/" in form:
        text = "the dates could be month/day or day/month and were read as month/day"
        notes = (Finding(code="date-order-assumed", severity="warning", text=text),)
    if clock == "utc":
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    series = _within_history(table, series.to_physical(), MICROSECONDS)
    return Times(series=series, clock=clock, written=form, notes=notes)


def _within_history(table: Table, times: pl.Series, per_second: int) -> pl.Series:
    """Whole numbers of a unit as datetimes in microseconds.

    Times outside `_HISTORY` are those of a damaged file; converting them would overflow, or abort the process.
    """
    first, end = (bound * per_second for bound in _HISTORY)
    odd = ((times < first) | (times >= end)).fill_null(value=False)
    if odd.any():
        places = line_places(table.frame[LINE].filter(odd).to_list(), table.place)
        raise DataError(
            f"{table.where}: {places[0]}: the time {times.filter(odd)[0]} ({per_second:,} a second since 1970) lies "
            f"outside the years 1800 to 2200 ({len(places)} such rows: {some(places)})."
        )
    us = times * (MICROSECONDS // per_second) if per_second <= MICROSECONDS else times // (per_second // MICROSECONDS)
    return us.cast(pl.Datetime("us"))


def _longest_jump(series: pl.Series) -> int:
    longest = series.to_physical().diff().abs().max()
    return int(longest) if isinstance(longest, int) else 0


def _refuse_unread(table: Table, values: pl.Series, read: pl.Series, wanted: str) -> None:
    """Every row needs a time: one without cannot be placed, so it is an error and not a dropped row."""
    bad = read.is_null()
    if not bad.any():
        return
    lines = table.frame[LINE].filter(bad).to_list()
    value = values.filter(bad)[0]
    raise DataError(
        f"{table.where}: {table.place} {lines[0]}: {value!r} is not {wanted} "
        f"({len(lines)} such rows: {some(line_places(lines, table.place))})."
    )
