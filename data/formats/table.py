"""A vendor's rows before anyone has said what they mean, and the description that says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from ..dataset import Side
from ..findings import Finding

LINE = "__line__"

Label = Literal["start", "end"]


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What the content itself says about the bars; None where it says nothing.

    Attributes:
        symbol: The instrument.
        venue: Where it trades.
        made_at: When the file was made, as written: an ISO time, or a date as month-day-year.
        last_complete: Epoch seconds of the last bar that the venue calls complete.
    """

    symbol: str | None = None
    venue: str | None = None
    made_at: str | None = None
    last_complete: int | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows as a container held them.

    Attributes:
        where: The file, and the member of an archive, for messages.
        frame: The columns, named by `column_key` of their header or `column_1`, ...; text where the container was
            text. The column `__line__` holds the source line of each row.
        kind: What the container was: `csv`, `json`, `parquet` or `feather`.
        has_header: Whether the columns were named.
        titles: From the key of a column to its name as written.
        preamble: Comment and banner lines above the header.
        separator: What divides the columns, in text.
        place: `line` where places in the source have line numbers, else `row`.
        hints: What the container said about the bars.
        notes: What was found while reading.
    """

    where: str
    frame: pl.DataFrame
    kind: Literal["csv", "json", "parquet", "feather"]
    has_header: bool
    titles: Mapping[str, str]
    preamble: tuple[str, ...] = ()
    separator: str = ""
    place: Literal["line", "row"] = "row"
    hints: Hints = field(default_factory=Hints)
    notes: tuple[Finding, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The vendor's columns, by key."""
        return [name for name in self.frame.columns if name != LINE]

    def first(self, column: str) -> str:
        """The first value of a column as text; empty when there is none."""
        value = self.frame[column][0]
        return "" if value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which column is what, and what is known of a vendor's habits.

    Attributes:
        name: The format, as a person would call it.
        time: The column of times, or those of date and time.
        prices: The columns of open, high, low and close, in this order.
        volume: The column of volumes; None where the source has none.
        label: Whether times mark a bar's start or its end; None where the format does not say.
        zone: Time zone of the written times; None where the format does not say.
        day: The date that times count from, for times written as milliseconds since midnight.
        side: What the prices are.
        complete: The column that is `0` for a bar that is not complete yet.
        hints: What the content says about the bars.
        notes: What is to be reported besides.
    """

    name: str
    time: tuple[str, ...]
    prices: tuple[str, str, str, str]
    volume: str | None
    label: Label | None = "start"
    zone: str | None = None
    day: str | None = None
    side: Side = "trade"
    complete: str | None = None
    hints: Hints = field(default_factory=Hints)
    notes: tuple[Finding, ...] = ()


def column_key(title: str) -> str:
    """A column's name for comparing: lower case, words divided by one space; `<TICKVOL>` is `tickvol`."""
    return re.sub(r"[^a-z0-9]+", " ", title.lower()).strip()


def named_columns(titles: list[str]) -> dict[str, str]:
    """From unique keys to the titles as written; a blank or repeated title gets its position."""
    keys: dict[str, str] = {}
    for position, title in enumerate(titles, start=1):
        key = column_key(title) or f"column_{position}"
        keys[key if key not in keys else f"{key}_{position}"] = title
    return keys


def numbered_columns(width: int) -> dict[str, str]:
    """Names for columns that have none: `column_1`, `column_2`, ..."""
    return {f"column_{position}": f"column_{position}" for position in range(1, width + 1)}
