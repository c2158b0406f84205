"""What an operator did, as stretches of time: from when to when each suspension, limit and halt held."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from .effects import Noted

_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,
    "name": pl.String,
    "reason": pl.String,
    "source": pl.String,
    "value": pl.Float64,
    "begin": pl.Datetime("us", "UTC"),
    "end": pl.Datetime("us", "UTC"),
}
_ENDS = ("ended", "replaced", "expired")


def interventions_of(notes: Iterable[tuple[int, Noted]]) -> pl.DataFrame:
    """One row for each that began: kind, name, reason, source, value, begin and end (null: it still held)."""
    rows: list[dict[str, object]] = []
    open_rows: dict[tuple[str, str, str], dict[str, object]] = {}
    for instant, note in notes:
        key = (note.kind, note.what, note.source)
        if note.change in _ENDS and key in open_rows:
            open_rows.pop(key)["end"] = instant
        if note.change == "began":
            row: dict[str, object] = {
                "kind": note.kind,
                "name": note.what,
                "reason": note.reason,
                "source": note.source,
                "value": note.value,
                "begin": instant,
                "end": None,
            }
            rows.append(row)
            open_rows[key] = row
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
