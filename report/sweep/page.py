"""The page of a sweep: one HTML file with everything in it, which asks the network for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.metrics import is_less_better
from ..embedding import embedded, library
from ..packing import packed
from ..templates import assets, template
from ..texts import counted, label, unit
from . import charts
from .distribution import Distribution, distribution
from .distribution import words as distribution_words
from .heading import heading
from .maps import AGGREGATES, QUANTITIES, Line, Map, lines, maps
from .metrics import centre_of
from .parallel import ALWAYS, MOST_LINES, Parallel, parallel
from .sheet import SweepSheet
from .tables import formulas, tables


def page(sheet: SweepSheet) -> str:
    """The HTML of a sweep; the same sweep gives the same text."""
    spread = distribution(sheet)
    drawn, left_out = _drawn(sheet, spread) if spread.known else (None, 0)
    return template("sweep.html").render(
        heading=heading(sheet),
        by=label(sheet.by),
        rows=sheet.table.height,
        tables=tables(sheet),
        formulas=formulas(sheet),
        distribution_words=distribution_words(sheet, spread),
        map_words=_map_words(left_out),
        parallel_words=_parallel_words(sheet, spread),
        heights=charts.HEIGHTS,
        drawn=drawn,
        library=library() if drawn else "",
        style=assets("page.css", "sweep.css"),
        script=assets("common.js", "sweep.js"),
    )


def _drawn(sheet: SweepSheet, spread: Distribution) -> tuple[dict[str, Any], int]:
    """What the page's script draws, and how many maps were left out."""
    found, left_out = maps(sheet)
    across = parallel(sheet) if len(sheet.varied) > 1 else None
    figures = {"distribution": charts.distribution_figure(spread), "line": charts.line_figure()}
    if found:
        figures["map"] = charts.map_figure()
    if across is not None:
        figures["parallel"] = charts.parallel_figure(across)
    drawn = {
        **embedded(figures),
        "metrics": [_told(name) for name in sheet.ranked_metrics],
        "maps": [_map(each, sheet.ranked_metrics) for each in found],
        "lines": [_line(sheet, each) for each in lines(sheet)],
        "parallel": _parallel(across) if across is not None else None,
    }
    return drawn, left_out


def _told(name: str) -> dict[str, Any]:
    """How the script tells and colours a metric."""
    return {
        "label": label(name),
        "unit": unit(name),
        "centre": centre_of(name),
        "less": is_less_better(name),
    }


def _map(each: Map, metrics: tuple[str, ...]) -> dict[str, Any]:
    """A map: of each metric its aggregates, in the order of their names."""
    first = each.values[metrics[0]]
    return {
        "x": each.x.axis, "y": each.y.axis, "group": each.group, "x_labels": each.x.labels, "y_labels": each.y.labels,
        "aggregates": [name for name in AGGREGATES if name in first],
        "rows": _numbers(each.rows),
        "values": [
            [_numbers(each.values[metric][name]) for name in AGGREGATES if name in first] for metric in metrics
        ],
    }  # fmt: skip


def _line(sheet: SweepSheet, each: Line) -> dict[str, Any]:
    """A line: of each metric its quantities; `ordered` is how many places stand in an order that a line may follow."""
    axis, count = each.places.axis, each.places.count
    is_number = axis in sheet.axes and sheet.table[axis].dtype.is_numeric()
    return {
        "axis": axis,
        "labels": each.places.labels,
        "ordered": (count - (not sheet.counts(axis).all())) * is_number,
        "rows": _numbers(each.rows),
        "values": [
            {name: _numbers(each.values[metric][name]) for name in QUANTITIES} for metric in sheet.ranked_metrics
        ],
    }


def _parallel(found: Parallel) -> dict[str, Any]:
    return {
        "heights": [_numbers(found.heights[name]) for name in found.names],
        "rows": found.rows.tolist(),
        "ranks": _numbers(found.ranks),
        "values": _numbers(found.values),
    }


def _numbers(values: np.ndarray) -> Any:
    return packed(0, {}, {"y": values})["y"]


def _map_words(left_out: int) -> str:
    told = "An outline marks the best cell."
    more = f" The file has no room for {counted(left_out, 'map')} more, of parameters that tell less."
    return told + more * (left_out > 0)


def _parallel_words(sheet: SweepSheet, spread: Distribution) -> str:
    drawn = f"Each line is a row, coloured by its rank by {label(sheet.by)}."
    if spread.known > MOST_LINES:
        others = f"{MOST_LINES - ALWAYS} spread evenly over the others"
        drawn += f" Of {spread.known:,} rows the best {ALWAYS} are drawn, and {others}."
    return f"{drawn} Drag along an axis to keep the lines that pass there."
