"""Rows of a source into bars of a dataset: instants, order, one row a time, times at the open, finished bars."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .dataset import VALUE_COLUMNS
from .durations import DAY, MICROSECONDS, format_interval
from .findings import Finding, counted, iso_times, line_places, some
from .formats.bars import RawBars
from .formats.labels import weigh_labels
from .formats.table import LINE, Hints, Layout
from .zones import localise

LabelChoice = Literal["auto", "start", "end"]

_SESSION_OPEN, _SESSION_CLOSE, _SESSION_LATE = time(9, 30), time(16, 0), time(15, 0)


def place_in_time(raw: RawBars, timezone: str | None) -> tuple[pl.DataFrame, list[Finding]]:
    """Timestamps as instants in UTC; rows whose written time does not exist are dropped and named."""
    written = raw.frame["timestamp"]
    zone, severity, code = "UTC", "info", "time-zone"
    if raw.times.clock == "date":
        code, text = "dates-only", "rows carry dates without a time: each is stamped 00:00 UTC"
    elif raw.times.clock == "utc":
        ignored = f"; the time zone {timezone} was not needed" if timezone else ""
        text = f"times are instants ({raw.times.written}){ignored}"
    elif timezone is not None:
        zone, text = timezone, f"times were read as {timezone}, as asked for"
    elif raw.layout.zone is not None:
        zone = raw.layout.zone
        text = f"times are in {zone}, as {raw.layout.name} has them"
    elif _is_new_york_session(written):
        zone, severity, code = "America/New_York", "warning", "time-zone-assumed"
        text = (
            "the times name no zone; every day lies within 9:30 and 16:00, the New York session, so America/New_York "
            "was assumed (--timezone says otherwise)"
        )
    else:
        severity, code = "warning", "time-zone-assumed"
        text = "the times name no zone; UTC was assumed (--timezone says otherwise)"
    instants, findings = localise(written, zone)
    frame = raw.frame.with_columns(timestamp=instants)
    note = Finding(code=code, severity="warning" if severity == "warning" else "info", text=text)
    return frame.filter(pl.col("timestamp").is_not_null()), [note, *findings]


def _is_new_york_session(written: pl.Series) -> bool:
    """Whether every day begins at 9:30 and ends in the last hour before 16:00."""
    days = (
        pl.DataFrame({"at": written})
        .group_by(pl.col("at").dt.date().alias("day"))
        .agg(first=pl.col("at").min().dt.time(), last=pl.col("at").max().dt.time())
    )
    within = (pl.col("first") == _SESSION_OPEN) & (pl.col("last") >= _SESSION_LATE) & (pl.col("last") <= _SESSION_CLOSE)
    return bool(days.select(within.all()).item())


def sort_rows(frame: pl.DataFrame, place: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Rows from the oldest to the newest; rows of one time stay in the source's order."""
    steps = np.diff(frame["timestamp"].to_physical().to_numpy())
    back = np.flatnonzero(steps < 0)
    if back.size == 0:
        return frame, []
    ordered = frame.sort("timestamp", maintain_order=True)
    if back.size > 0.9 * steps.size:
        forward = int(np.count_nonzero(steps > 0))
        besides = f", but for {forward:,} steps forward" if forward else ""
        text = f"the source has the newest row first{besides}; sorted"
        return ordered, [Finding(code="newest-first", severity="info", text=text)]
    places = line_places((frame[LINE].gather(back + 1)).to_list(), place)
    text = f"{counted(back.size, 'row')} dated before the row above; sorted ({some(places)})"
    return ordered, [Finding(code="out-of-order", severity="warning", count=back.size, text=text, locations=places)]


def drop_duplicates(frame: pl.DataFrame, place: str) -> tuple[pl.DataFrame, list[Finding]]:
    """One row a time, the last of the source: a repeated download ends with the finished bar.

    Args:
        frame: Sorted rows with their place of origin in `__line__`.
        place: What `__line__` counts: lines, rows or files.
    """
    repeated = ~frame["timestamp"].is_last_distinct()
    if not repeated.any():
        return frame, []
    values = pl.concat_list([pl.col(name).cast(pl.String).fill_null("") for name in VALUE_COLUMNS])
    marked = frame.with_columns(same=values == values.last().over("timestamp"))
    dropped = marked.filter(repeated)
    findings = []
    for same, code, severity, what in (
        (True, "duplicate-rows", "warning", "the same as a later row"),
        (False, "conflicting-rows", "error", "of the time of a later row, which has other values and was kept"),
    ):
        rows = dropped.filter(pl.col("same") == same)
        if rows.is_empty():
            continue
        times = iso_times(rows["timestamp"].to_physical().to_numpy())
        places = tuple(f"{place} {line}, {at}" for line, at in zip(rows[LINE].to_list(), times, strict=True))
        findings.append(
            Finding(
                code=code,
                severity="error" if severity == "error" else "warning",
                count=rows.height,
                text=f"{counted(rows.height, 'row')} dropped, {what} ({some(places)})",
                locations=places,
            )
        )
    return frame.filter(~repeated), findings


def shift_to_open(
    frame: pl.DataFrame, interval_seconds: int, *, choice: LabelChoice, layout: Layout, dates: bool
) -> tuple[pl.DataFrame, Finding]:
    """Timestamps at the open of their bars, and what was known or assumed about the label.

    Args:
        frame: Sorted rows.
        interval_seconds: Length of a bar.
        choice: What a person said, or `auto`.
        layout: What is known of the format.
        dates: Whether times are dates, which name a day and mark neither end of it.
    """
    shift = f"moved back by {format_interval(interval_seconds)} to their open"
    if choice != "auto":
        label, reason = choice, "as asked for"
    elif dates:
        return frame, Finding(code="bar-label-start", severity="info", text="a date names its whole day")
    elif layout.label is not None:
        label, reason = layout.label, f"as {layout.name} has them"
    else:
        evidence = weigh_labels(frame["timestamp"].to_physical().to_numpy(), interval_seconds)
        if evidence.label is None:
            text = "nothing tells whether times mark a bar's start or end; start was assumed (--label says otherwise)"
            return frame, Finding(code="bar-label-assumed", severity="warning", text=text)
        label = evidence.label
        votes = evidence.for_end if label == "end" else evidence.for_start
        reason = f"told from {votes} of {evidence.breaks} session breaks that meet the half hour only this way"
    if label == "start":
        return frame, Finding(code="bar-label-start", severity="info", text=f"times mark the start of bars, {reason}")
    moved = frame.with_columns(pl.col("timestamp") - pl.duration(seconds=interval_seconds))
    return moved, Finding(
        code="bar-label-end", severity="info", count=frame.height, text=f"times mark the end of bars, {reason}: {shift}"
    )


def find_unfinished(frame: pl.DataFrame, interval_seconds: int, hints: Hints) -> list[Finding]:
    """Bars that had not ended when the file was made, as far as the file itself says so."""
    opens_us = frame["timestamp"].to_physical().to_numpy()
    ends_us = opens_us + interval_seconds * MICROSECONDS
    if hints.last_complete is not None:
        late = opens_us > hints.last_complete * MICROSECONDS
        return _unfinished(opens_us[late], "error", "after the last one that the venue calls complete")
    if hints.made_at is None:
        return []
    by_date = re.fullmatch(r"(\d\d)-(\d\d)-(\d{4})", hints.made_at)
    if by_date is None:
        try:
            made = datetime.fromisoformat(hints.made_at)
        except ValueError:
            return []
        made = made if made.tzinfo is not None else made.replace(tzinfo=UTC)
        late = ends_us > int(made.timestamp() * MICROSECONDS)
        return _unfinished(opens_us[late], "error", f"not ended when the file was made ({hints.made_at})")
    month, day, year = (int(part) for part in by_date.groups())
    midnight_us = int(datetime(year, month, day, tzinfo=UTC).timestamp()) * MICROSECONDS
    late = (ends_us > midnight_us) & (opens_us < midnight_us + DAY * MICROSECONDS)
    return _unfinished(
        opens_us[late][-1:], "warning", f"perhaps not ended: the file was made that day ({hints.made_at})"
    )


def _unfinished(opens_us: NDArray[np.int64], severity: Literal["error", "warning"], reason: str) -> list[Finding]:
    if opens_us.size == 0:
        return []
    places = iso_times(opens_us)
    text = f"{counted(len(places), 'bar')} {reason} ({some(places)})"
    return [Finding(code="unfinished-bar", severity=severity, count=len(places), text=text, locations=places)]
