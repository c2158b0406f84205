"""JSON, Parquet and feather into a table."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from ...errors import DataError
from .containers import Content
from .table import LINE, Hints, Table, named_columns, numbered_columns


def read_binary(content: Content) -> Table:
    """Parquet or feather into a table.

    Raises:
        DataError: The file is damaged or has no rows.
    """
    try:
        source = io.BytesIO(content.data)
        frame = pl.read_parquet(source) if content.kind == "parquet" else pl.read_ipc(source)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{content.where}: the {content.kind} file is damaged: {reason}.") from error
    if frame.is_empty():
        raise DataError(f"{content.where}: {content.kind} file without rows: no bars.")
    titles = named_columns(frame.columns)
    frame = frame.rename(dict(zip(frame.columns, titles, strict=True))).with_row_index(LINE, offset=1)
    return Table(
        where=content.where,
        frame=frame,
        kind="parquet" if content.kind == "parquet" else "feather",
        has_header=True,
        titles=titles,
    )


def read_json(content: Content) -> Table:
    """A JSON reply into a table: rows are arrays or objects, bare or in an exchange's envelope.

    Raises:
        DataError: The text is no JSON, is an error reply, or holds no rows.
    """
    try:
        document = json.loads(content.data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{content.where}: not readable JSON: {error}. Is the file cut short?") from error
    rows, hints = _open_envelope(content.where, document)
    if not rows:
        raise DataError(f"{content.where}: empty reply: no bars.")
    if all(isinstance(row, dict) for row in rows):
        titles = named_columns(list(rows[0]))
        return _table(
            content.where, [[row.get(title) for title in titles.values()] for row in rows], titles, True, hints
        )
    if all(isinstance(row, list) for row in rows):
        return _table(content.where, rows, numbered_columns(len(rows[0])), False, hints)
    raise DataError(f"{content.where}: the rows are neither all arrays nor all objects: {str(rows[0])[:60]} …")


def _open_envelope(where: str, document: Any) -> tuple[list[Any], Hints]:
    """Rows of a reply, out of the envelopes of Kraken, Coinbase and OKX."""
    if isinstance(document, list):
        return document, Hints()
    if isinstance(document, dict):
        _refuse_error_reply(where, document)
        for key in ("candles", "data"):
            if isinstance(document.get(key), list):
                venue = "coinbase" if key == "candles" else "okx" if "code" in document else None
                return document[key], Hints(venue=venue)
        result = document.get("result")
        if isinstance(result, Mapping):
            pairs = {name: rows for name, rows in result.items() if isinstance(rows, list)}
            if len(pairs) == 1:
                symbol, rows = next(iter(pairs.items()))
                last = result.get("last")
                complete = last if isinstance(last, int) else None
                return rows, Hints(symbol=symbol, venue="kraken", last_complete=complete)
    keys = ", ".join(list(document)[:8]) if isinstance(document, dict) else type(document).__name__
    raise DataError(
        f"{where}: JSON of an unknown form ({keys}). "
        "Allowed: an array of rows, or a reply with candles, data or result."
    )


def _refuse_error_reply(where: str, document: dict[str, Any]) -> None:
    """An exchange's refusal, saved as if it were data."""
    code = document.get("code")
    told = (
        document.get("error") or document.get("message") or (document.get("msg") if code not in (None, "0") else None)
    )
    if told:
        raise DataError(f"{where}: the exchange's reply is an error: {told}. Download it again.")


def _table(where: str, rows: list[list[Any]], titles: Mapping[str, str], has_header: bool, hints: Hints) -> Table:
    width = len(titles)
    for position, row in enumerate(rows, start=1):
        if len(row) != width:
            raise DataError(
                f"{where}: row {position} has {len(row)} values and row 1 has {width}; every row must be as wide."
            )
    columns = {key: _column([row[position] for row in rows]) for position, key in enumerate(titles)}
    frame = pl.DataFrame(columns).with_row_index(LINE, offset=1)
    return Table(where=where, frame=frame, kind="json", has_header=has_header, titles=titles, hints=hints)


def _column(values: list[Any]) -> pl.Series:
    """Whole numbers stay whole (times), numbers become float64, all else is text to be judged by its meaning."""
    present = [value for value in values if value is not None]
    if all(type(value) is int and abs(value) < 2**63 for value in present):
        return pl.Series(values, dtype=pl.Int64)
    if all(type(value) in (int, float) for value in present):
        return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)
    return pl.Series([_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
