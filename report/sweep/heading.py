"""What the report of a sweep says first: what was varied on what, what was not, and what the best of many is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...data.durations import format_interval
from ..heading import listed, origin
from ..texts import counted, label, moment
from .places import value_text
from .sheet import SweepSheet

_DIGITS = 10
_NAMED = 8
"""Values of an axis that are named before the rest is counted."""

_SAMPLINGS = {
    "grid": "All combinations of the values",
    "random": "Drawn at random",
    "sobol": "Drawn by Sobol' points",
    "latin_hypercube": "Drawn by a Latin hypercube",
}


def heading(sheet: SweepSheet) -> dict[str, Any]:
    """What was swept on what: `title`, `instruments`, `lead`, `axes`, `fixed`, `warning`, `origin`."""
    document = sheet.document
    names = [f"{each['venue']} {each['symbol']}" for each in document["data"]]
    return {
        "title": f"Sweep of {document['strategy']}",
        "instruments": listed(names),
        "lead": f"{_rows(sheet)} {_span(document)} {_left_out(document)}".strip(),
        "axes": [(name, _values(name, axis)) for name, axis in sheet.axes.items()],
        "fixed": [
            (name, value_text(name, value)) for name, value in document["fixed"].items() if value not in (None, [], {})
        ],
        "warning": warning(sheet),
        "origin": [*origin(document), ("sweep", document["sweep_sha384"][:_DIGITS], document["sweep_sha384"])],
    }


def warning(sheet: SweepSheet) -> str:
    """What the best of many rows is worth."""
    rows = sheet.table.height
    if rows == 1:
        return "There is one row, and so nothing was chosen."
    return (
        f"The best of {rows:,} rows was chosen after all of them were seen: its {label(sheet.by)} is biased in its "
        "favour, the more so the more rows were tried."
    )


def _rows(sheet: SweepSheet) -> str:
    document, instruments = sheet.document, len(sheet.instruments)
    over = f" on {counted(instruments, 'instrument')}, {document['rows']:,} rows" if instruments > 1 else ""
    seed = "" if sheet.is_grid else f", seed {document['seed']}"
    sampling = _SAMPLINGS.get(document["sampling"], str(document["sampling"]))
    return f"{counted(document['sets'], 'parameter set')}{over}. {sampling}{seed}."


def _span(document: Mapping[str, Any]) -> str:
    data = document["data"]
    step = int(data[0]["interval_seconds"])
    bars = sorted({each["bars"] for each in data})
    count = counted(bars[0], "bar") if len(bars) == 1 else f"{bars[0]:,} to {bars[-1]:,} bars"
    first = min((each["first"] for each in data if each["first"]), default=None)
    last = max((each["last"] for each in data if each["last"]), default=None)
    span = f", {moment(first, step)} to {moment(last, step)} UTC" if first and last else ""
    return f"{count} of {format_interval(step)}{span}."


def _left_out(document: Mapping[str, Any]) -> str:
    count = document["left_out"]
    return f"{counted(count, 'set')} left out, since their parameters contradict each other." if count else ""


def _values(name: str, axis: Mapping[str, Any]) -> str:
    """What an axis was varied over, and when."""
    if "low" in axis:
        low, high = value_text(name, axis["low"]), value_text(name, axis["high"])
        told = f"{low} to {high}, drawn{' evenly in its logarithm' if axis['log'] else ''}"
    else:
        values = [value_text(name, value) for value in axis["values"]]
        many = f"{values[0]} to {values[-1]}, {len(values)} values"
        told = many if len(values) > _NAMED else ", ".join(values)
    conditions = " and ".join(f"{other} is {value_text(other, value)}" for other, value in axis.get("when", {}).items())
    return f"{told}, where {conditions}" if conditions else told
