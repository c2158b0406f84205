"""Histograms of the paths of a Monte Carlo, with the result's own value marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, NumeralTickFormatter

from ..engine.bars import Floats
from ..engine.montecarlo_result import MonteCarloResult
from .figures import add_hover, new_plain_figure

BINS = 61
_HEIGHT = 220
_OUTER = 0.005
"""Share of the paths beyond each end of a histogram: a few paths that went far would leave it a single bar."""

_TOLD = "0,0.00"


@dataclass(frozen=True)
class Histogram:
    """A histogram of the page: the name of its box, its heading, what its axes are of, and the figure."""

    name: str
    title: str
    unit: str
    figure: Any


def histograms(found: MonteCarloResult) -> list[Histogram]:
    """Those of final equity and of the greatest drawdown."""
    return [
        _histogram(found, "final_equity", "Final equity", "% of the paths by account currency", "0.[000]a"),
        _histogram(found, "max_drawdown_pct", "Greatest drawdown", "% of the paths by % under the peak", "0.[00]"),
    ]


def _histogram(found: MonteCarloResult, name: str, title: str, unit: str, ticks: str) -> Histogram:
    values, observed = found.path_table[name].to_numpy(), found.observed[name]
    heights, edges = _counts(values[np.isfinite(values)], observed)
    shares = heights / values.size * 100.0
    figure = new_plain_figure(f"montecarlo_{name}", _HEIGHT)
    figure.y_range.start = 0.0
    columns = {"left": edges[:-1], "right": edges[1:], "top": shares}
    bars = ColumnDataSource({key: column.tolist() for key, column in columns.items()})
    quads = figure.quad(left="left", right="right", top="top", bottom=0.0, source=bars, name="paths", line_width=0)
    add_hover(figure, quads, [("from", f"@left{{{_TOLD}}}"), ("to", f"@right{{{_TOLD}}}"), ("paths", "@top{0.00} %")])
    if np.isfinite(observed):
        own = ColumnDataSource({"x": [observed, observed], "y": [0.0, 1.06 * float(shares.max(initial=0.0))]})
        line = figure.line("x", "y", source=own, name="equity", line_width=2)
        add_hover(figure, line, [("this result", f"@x{{{_TOLD}}}")], mode="mouse")
    figure.xaxis.formatter = NumeralTickFormatter(format=ticks)
    figure.yaxis.formatter = NumeralTickFormatter(format="0.[0]")
    return Histogram(f"montecarlo_{name}", title, unit, figure)


def _counts(values: Floats, observed: float) -> tuple[Floats, Floats]:
    """Counts, float64[BINS], and edges, float64[BINS + 1], of all but the outermost paths, wide enough for the mark."""
    ends = np.quantile(values, (_OUTER, 1.0 - _OUTER), method="inverted_cdf") if values.size else np.zeros(2)
    known = [*ends, observed] if np.isfinite(observed) else [*ends]
    low, high = float(min(known)), float(max(known))
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # all paths end alike: a bar in the middle
        room = max(abs(high) * 0.01, 0.5)
        low, high = low - room, high + room
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    return counts.astype(np.float64), edges
