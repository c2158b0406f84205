"""The figures of a sweep's report. The page's script fills in colours and, of what can be chosen, the points."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import (
    BasicTicker,
    BoxSelectTool,
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    NumeralTickFormatter,
    Range1d,
)

from ..figures import add_hover, new_plain_figure
from ..texts import label
from .distribution import Distribution
from .maps import QUANTITIES
from .parallel import Parallel

HEIGHTS = {"distribution": 240, "map": 320, "line": 300, "parallel": 420}
"""In pixels; that of a map follows its cells."""

_ROOM = 0.06


def line_figure() -> Any:
    """A metric along one axis: the middle half as a bar, the median on a line, the best as a mark."""
    figure = _figure("line")
    figure.x_range, figure.y_range = Range1d(start=0.0, end=1.0), Range1d(start=0.0, end=1.0)
    figure.xaxis.ticker = FixedTicker(ticks=[])
    source = _empty("line", ("x", "trend", *QUANTITIES), ("label", "told", "half", "best_told", "rows"))
    bars = figure.vbar("x", 0.7, "high", "low", source=source, name="half", line_width=0)
    figure.line("x", "trend", source=source, name="middle", line_width=1.25)
    dots = figure.scatter("x", "median", source=source, name="middle", size=7, line_width=0)
    figure.scatter("x", "best", source=source, name="finest", marker="dash", size=14, line_width=2.5)
    told = [("", "@label"), ("median", "@told"), ("middle half", "@half"), ("best", "@best_told"), ("rows", "@rows")]
    _hover(figure, [bars, dots], told)
    return figure


def map_figure() -> Any:
    """A metric over two axes, a cell each."""
    figure = _figure("map")
    figure.x_range, figure.y_range = Range1d(start=0.0, end=1.0), Range1d(start=0.0, end=1.0)
    figure.ygrid.grid_line_color = None
    figure.xaxis.ticker, figure.yaxis.ticker = FixedTicker(ticks=[]), FixedTicker(ticks=[])
    source = _empty("map", ("x", "y", "width"), ("color", "edge", "x_label", "y_label", "told", "rows"))
    cells = figure.rect(
        "x", "y", 0.96, 0.94, source=source, fill_color="color", line_color="edge", line_width="width",
    )  # fmt: skip
    _hover(figure, [cells], [("", "@told"), ("", "@x_label"), ("", "@y_label"), ("rows", "@rows")])
    return figure


def parallel_figure(found: Parallel) -> Any:
    """Rows as lines across upright axes, the metric at the right."""
    figure = _figure("parallel")
    count = len(found.names)
    figure.x_range, figure.y_range = Range1d(start=0.0, end=1.0), Range1d(start=-_ROOM, end=1.0 + _ROOM)
    figure.min_border_left = 12
    figure.ygrid.grid_line_color = None
    figure.yaxis.visible = False
    figure.xaxis.ticker = FixedTicker(ticks=list(range(count)))
    figure.xaxis.major_label_overrides = dict(enumerate((*found.names[:-1], label(found.names[-1]))))
    figure.xaxis.axis_line_color = figure.xaxis.major_tick_line_color = None
    lines = _empty("parallel", ("xs", "ys", "alpha"), ("color", "told", "row"))
    figure.multi_line("xs", "ys", source=lines, line_color="color", line_alpha="alpha", line_width=1.25)
    figure.segment("x", 0.0, "x", 1.0, source=ColumnDataSource({"x": list(range(count))}), name="candle", line_width=1)
    marks = [(place, *tick) for place, name in enumerate(found.names) for tick in found.ticks[name]]
    places, heights, texts = zip(*marks, strict=True)
    figure.text(
        "x", "y", "text", source=ColumnDataSource({"x": places, "y": heights, "text": texts}), name="tick",
        x_offset=5, text_baseline="middle", text_font_size="12px", text_font=value("system-ui, sans-serif"),
        background_fill_alpha=0.75,
    )  # fmt: skip
    brushed = _empty("brush", ("x", "low", "high"), ())
    figure.vbar("x", 0.12, "high", "low", source=brushed, name="brush", fill_alpha=0.3, line_width=1)
    _hover(figure, [figure.renderers[0]], [("row", "@row"), ("", "@told")])
    brush = BoxSelectTool(dimensions="both", continuous=False, renderers=[])
    figure.add_tools(brush)
    figure.toolbar.active_drag = brush
    return figure


def distribution_figure(found: Distribution) -> Any:
    """How many rows have how much of the metric, with the median and the best marked."""
    figure = _figure("distribution")
    bars = ColumnDataSource({"left": found.edges[:-1], "right": found.edges[1:], "top": found.counts})
    quads = figure.quad("left", "right", "top", 0.0, source=bars, name="known", line_width=0)
    add_hover(figure, quads, [("from", "@left{0,0.00}"), ("to", "@right{0,0.00}"), ("rows", "@top{0,0}")])
    height = 1.06 * float(found.counts.max(initial=1.0))
    for name, place in (("middle", found.median), ("finest", found.best)):
        if np.isfinite(place):
            mark = ColumnDataSource({"x": [place, place], "y": [0.0, height]})
            figure.line("x", "y", source=mark, name=name, line_width=2)
    figure.y_range = Range1d(start=0.0, end=height)
    figure.xaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
    figure.yaxis.formatter, figure.yaxis.ticker = NumeralTickFormatter(format="0,0"), BasicTicker(min_interval=1)
    return figure


def _figure(name: str) -> Any:
    figure = new_plain_figure(name, HEIGHTS[name])
    for axis in (*figure.xaxis, *figure.yaxis):
        axis.axis_label_text_font, axis.axis_label_text_font_style = "system-ui, sans-serif", "normal"
    return figure


def _empty(name: str, numbers: tuple[str, ...], words: tuple[str, ...]) -> ColumnDataSource:
    return ColumnDataSource({column: [] for column in (*numbers, *words)}, name=f"{name}_points")


def _hover(figure: Any, glyphs: list[Any], tooltips: list[tuple[str, str]]) -> HoverTool:
    """The words of at most three points of glyphs where the pointer is."""
    tool = add_hover(figure, glyphs[0], tooltips, mode="mouse")
    tool.renderers, tool.limit = glyphs, 3
    return tool
