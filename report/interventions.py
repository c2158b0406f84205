"""What held a scheduler back, and until when: its operator, its configuration, risk profiles and the governor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from .governance import governance
from .series import SPANS
from .sheet import Governed, Sheet
from .stretches import KINDS, Stretch, merged
from .tables import Table
from .texts import NOTHING, counted

LISTED = 500
"""Rows of the table; a browser is slow with many more."""

_LEFT_OUT_WITH = {
    "halted": "suspensions", "reducing": "suspensions", "suspended": "suspensions", "disabled": "suspensions",
    "limit": "limits",
}  # fmt: skip


def stretches(sheet: Sheet, governed: Governed) -> list[Stretch]:
    """All of them, by kind, then in order of time."""
    found = [*_interventions(governed.interventions), *governance(governed.governance, sheet.document["on_breach"])]
    without = sheet.document["without"]
    marked = [replace(each, is_left_out=_is_left_out(each, without)) for each in found]
    return sorted(marked, key=lambda each: (KINDS.index(each.kind), each.begin_us))


def _is_left_out(each: Stretch, without: Sequence[str]) -> bool:
    """Whether a run left it out; a halt of the governor is the governor's, not a suspension."""
    return each.source != "governor" and _LEFT_OUT_WITH.get(each.kind) in without


def lanes(sheet: Sheet, found: Sequence[Stretch]) -> list[list[Stretch]]:
    """What is drawn, by lane, in the order of the page; what is too close to be told apart is one."""
    ts_us = sheet.ts_us
    least_us = float(ts_us[-1] - ts_us[0]) / SPANS
    by_what: dict[str, list[Stretch]] = {}
    for each in found:
        if each.is_drawn:
            by_what.setdefault(each.what, []).append(each)
    return [merged(each, least_us) for each in by_what.values()]


def interventions(found: list[Stretch]) -> Table:
    """A row each, as many as there is room for."""
    rows = [
        [
            each.what,
            each.reason or NOTHING,
            each.since,
            "left out of this run" if each.is_left_out else each.until,
            each.told or NOTHING,
            each.source,
        ]
        for each in found[:LISTED]
    ]
    headings = ("what held", "reason", "from, UTC", "until, UTC", "how much", "source")
    return Table("Interventions", headings, rows, texts=headings)


def left_out(found: list[Stretch]) -> str:
    """How many the table does not hold and where they are; empty where it holds all."""
    more = len(found) - LISTED
    if more <= 0:
        return ""
    return f"{more:,} more are in interventions.parquet and governance.parquet of the saved result."


def _interventions(table: pl.DataFrame) -> Iterator[Stretch]:
    begins, ends = (table[name].to_physical().to_list() for name in ("begin", "end"))
    for row, begin_us, end_us in zip(table.iter_rows(named=True), begins, ends, strict=True):
        kind, what = _named(row)
        yield Stretch(
            kind=kind,
            what=what,
            told=f"{counted(round(row['value']), 'signal')} a run" if kind == "limit" else "",
            reason=row["reason"],
            source=row["source"],
            begin_us=begin_us,
            end_us=end_us,
        )


def _named(row: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and words of an intervention."""
    name, source = row["name"], row["source"]
    match row["kind"]:
        case "mode":
            return name, f"loop {name}"
        case "suspension":
            return "suspended", f"{source} {name} suspended"
        case "disabled_strategy":
            return "disabled", f"strategy {name} disabled"
        case _:
            return "limit", f"limit of {name}" + (", configured" if source == "configuration" else "")
