"""The charts over time, on one x-axis: equity, drawdown, position. Colours are set by the page's script."""

from __future__ import annotations

from typing import Any, Literal

from bokeh.core.properties import value
from bokeh.models import (
    ColumnDataSource,
    CrosshairTool,
    DatetimeTickFormatter,
    HoverTool,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from .series import MILLISECONDS, Line, least_span_ms, lines
from .sheet import Sheet

LEFT = 66
"""Pixels for the labels of the y-axis, the same in all charts, so that they stand under one another."""

_HEIGHTS = {"equity": 300, "equity_log": 300, "drawdown": 170, "position": 170}


def time_axis(sheet: Sheet) -> Range1d:
    """The range of time that the charts share, a little wider than the bars."""
    ts_us = sheet.ts_us
    step = sheet.interval_seconds * 1e6
    room = max(step, (float(ts_us[-1]) - float(ts_us[0])) * 0.005)
    start, end = (float(ts_us[0]) - room) / MILLISECONDS, (float(ts_us[-1]) + room) / MILLISECONDS
    least = min(least_span_ms(sheet), end - start)
    return Range1d(start=start, end=end, bounds=(start, end), min_interval=least, name="time")


def time_charts(sheet: Sheet) -> tuple[dict[str, Any], dict[str, Line]]:
    """The figures by name, and the lines that are in them."""
    drawn = lines(sheet)
    sources = {
        name: ColumnDataSource({"x": line.x, "y": line.y}, name=f"{name}_points") for name, line in drawn.items()
    }
    shared = time_axis(sheet)
    pointer = Span(dimension="height", line_width=1, line_dash="dotted", line_color="#888888")
    charts = {name: new_figure(name, shared, height, pointer) for name, height in _HEIGHTS.items()}
    _draw_equity(charts["equity"], sources)
    _draw_equity(charts["equity_log"], sources)
    _draw_area(charts["drawdown"], "drawdown", sources["drawdown"], "@y{0.00} %", step=False)
    _draw_area(charts["position"], "position", sources["position"], "@y{0,0.[000000]}", step=True)
    for name in ("equity", "equity_log"):
        charts[name].yaxis.formatter = NumeralTickFormatter(format="0.[000]a")
    charts["drawdown"].yaxis.formatter = NumeralTickFormatter(format="0.[00]")
    charts["position"].yaxis.formatter = NumeralTickFormatter(format="0.[0000]a")
    return charts, drawn


def new_figure(name: str, x_range: Range1d, height: int, pointer: Span) -> Any:
    """An empty chart over time: no frame, no toolbar, drag to zoom."""
    chart = figure(
        name=name,
        x_range=x_range,
        x_axis_type="datetime",
        y_axis_type="log" if name.endswith("_log") else "linear",
        height=height,
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="xbox_zoom",
        active_drag="xbox_zoom",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border_left=LEFT,
        min_border_right=12,
        min_border_top=6,
    )
    chart.add_tools(CrosshairTool(dimensions="height", overlay=pointer))
    chart.xgrid.grid_line_color = None
    chart.xaxis.formatter = time_ticks()
    for axis in (*chart.xaxis, *chart.yaxis):
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "14px"
        axis.major_label_text_font = "system-ui, sans-serif"
        axis.minor_tick_line_color = None
        axis.major_tick_in = 0
    chart.yaxis.axis_line_color = None
    chart.yaxis.major_tick_line_color = None
    return chart


def time_ticks() -> DatetimeTickFormatter:
    """Dates in the one form that is read alike everywhere."""
    return DatetimeTickFormatter(
        seconds="%H:%M:%S", minsec="%H:%M:%S", minutes="%H:%M", hourmin="%H:%M", hours="%H:%M", days="%d %b",
        months="%b %Y", years="%Y", context=DatetimeTickFormatter(
            seconds="%d %b %Y", minsec="%d %b %Y", minutes="%d %b %Y", hourmin="%d %b %Y", hours="%d %b %Y", days="%Y",
            months="", years="",
        ), context_which="start", hide_repeats=True,
    )  # fmt: skip


def _draw_equity(chart: Any, sources: dict[str, ColumnDataSource]) -> None:
    sides: tuple[tuple[str, str, Literal["left", "right"]], ...] = (
        ("benchmark", "buy and hold", "left"),
        ("equity", "equity", "right"),
    )
    for name, text, side in sides:
        line = chart.line("x", "y", source=sources[name], name=name, line_width=1.25)
        if len(sources[name].data["x"]) == 1:
            chart.scatter("x", "y", source=sources[name], name=name, size=6)  # a line through one point is not seen
        add_hover(chart, line, [(text, "@y{0,0.00}"), ("time", "@x{%F %R}")]).attachment = side


def _draw_area(chart: Any, name: str, source: ColumnDataSource, text: str, *, step: bool) -> None:
    if step:
        chart.varea_step("x", value(0.0), "y", source=source, name=name, fill_alpha=0.25, step_mode="after")
        line = chart.step("x", "y", source=source, name=name, line_width=1.25, mode="after")
    else:
        chart.varea("x", value(0.0), "y", source=source, name=name, fill_alpha=0.25)
        line = chart.line("x", "y", source=source, name=name, line_width=1.25)
    add_hover(chart, line, [(name, text), ("time", "@x{%F %R}")])


def add_hover(
    chart: Any, glyph: Any, tooltips: list[tuple[str, str]], mode: Literal["mouse", "vline"] = "vline"
) -> HoverTool:
    """Say a glyph's values where the pointer is, times in UTC; return the tool that does."""
    told = "<br>".join(f"{name} <b>{shown}</b>" for name, shown in tooltips)
    tool = HoverTool(
        renderers=[glyph],
        tooltips=f'<div style="font: 14px system-ui, sans-serif; color: #1b1f23">{told}</div>',
        formatters={"@x": "datetime"},
        mode=mode,
        point_policy="snap_to_data",
    )
    chart.add_tools(tool)
    return tool
