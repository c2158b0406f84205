"""A table and its layout into bars: numbers are read, damage is named, nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from ...errors import DataError
from ..findings import Finding, counted, line_places, some
from .clocks import Times, read_times
from .refusals import refuse_funding_rates
from .table import LINE, Layout, Table

_NO_VALUE = ["", "null", "nan", "none", "n/a", "na", "-"]

# A spreadsheet of Russian or Ukrainian tongue turns 16.08 into the eighth month's sixteenth, and 6.66 into June 1966.
_SPREADSHEET_DATE = re.compile(r"^(\d{1,2}\.[^\W\d]{3,}|[^\W\d]{3,}\.\d{1,2})\.?$")


@dataclass(frozen=True, kw_only=True)
class RawBars:
    """Bars in the source's own order and time.

    Attributes:
        frame: `timestamp` (datetime without zone), the prices, `volume`, and the source line in `__line__`.
        times: How the times were written.
        layout: What the columns are.
        table: Where the rows came from.
        notes: What was found while reading.
    """

    frame: pl.DataFrame
    times: Times
    layout: Layout
    table: Table
    notes: tuple[Finding, ...]


def read_bars(table: Table, layout: Layout) -> RawBars:
    """Read times, prices and volumes.

    Raises:
        DataError: A time or a price that cannot be read, or rows that are funding rates.
    """
    times = read_times(table, layout)
    columns = [times.series.alias("timestamp")]
    for name, column in zip(("open", "high", "low", "close"), layout.prices, strict=True):
        columns.append(_prices(table, column).alias(name))
    volume, volume_notes = _volumes(table, layout.volume)
    frame = pl.DataFrame([*columns, volume.alias("volume"), table.frame[LINE]])
    refuse_funding_rates(table, layout, frame)
    notes = (*table.notes, *layout.notes, *times.notes, *volume_notes, *_incomplete(table, layout))
    return RawBars(frame=frame, times=times, layout=layout, table=table, notes=notes)


def _numbers(table: Table, column: str) -> tuple[pl.Series, pl.Series]:
    """A column as float64, and which rows hold something that is no number."""
    values = table.frame[column]
    if values.dtype.is_numeric() or values.dtype == pl.Null:
        return values.cast(pl.Float64), pl.Series([False]).new_from_index(0, len(values))
    if values.dtype != pl.String:
        raise DataError(f"{table.where}: column {table.titles[column]!r} is {values.dtype}; it must hold numbers.")
    absent = values.is_null() | values.str.to_lowercase().is_in(_NO_VALUE)
    numbers = values.cast(pl.Float64, strict=False)
    return numbers.set(absent, None), numbers.is_null() & ~absent


def _prices(table: Table, column: str) -> pl.Series:
    numbers, bad = _numbers(table, column)
    if bad.any():
        _refuse_text(table, column, bad, "a price is a decimal number such as 101.25")
    return numbers


def _volumes(table: Table, column: str | None) -> tuple[pl.Series, tuple[Finding, ...]]:
    if column is None:
        nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, table.frame.height)
        return nothing, _absent()
    numbers, bad = _numbers(table, column)
    if not bad.any():
        return numbers, _absent() if numbers.null_count() == len(numbers) else ()
    texts = table.frame[column].filter(bad).to_list()
    if not all(_SPREADSHEET_DATE.match(text) for text in texts):
        _refuse_text(table, column, bad, "a volume is a decimal number such as 12.5")
    places = line_places(table.frame[LINE].filter(bad).to_list(), table.place)
    return numbers, (
        Finding(
            code="spreadsheet-dates",
            severity="warning",
            count=len(places),
            text=f"a spreadsheet turned {len(places)} volumes into dates such as {texts[0]!r}; they are null "
            f"({some(places)})",
            locations=places,
        ),
    )


def _absent() -> tuple[Finding, ...]:
    return (Finding(code="volume-absent", severity="info", text="the source has no volumes; they are null"),)


def _refuse_text(table: Table, column: str, bad: pl.Series, wanted: str) -> None:
    places = line_places(table.frame[LINE].filter(bad).to_list(), table.place)
    value = table.frame[column].filter(bad)[0]
    raise DataError(
        f"{table.where}: {places[0]}, column {table.titles[column]!r}: {value!r} is not a number; {wanted} "
        f"({len(places)} such rows: {some(places)})."
    )


def _incomplete(table: Table, layout: Layout) -> tuple[Finding, ...]:
    """Bars that the source itself marks as not complete yet."""
    if layout.complete is None:
        return ()
    flags = table.frame[layout.complete].cast(pl.String)
    places = line_places(table.frame[LINE].filter(flags == "0").to_list(), table.place)
    if not places:
        return ()
    text = f"{counted(len(places), 'bar')} marked by the source as not complete ({some(places)})"
    return (Finding(code="unfinished-bar", severity="error", count=len(places), text=text, locations=places),)
