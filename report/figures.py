"""What the charts have in common: the axis of time, the look, the words at the pointer."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

from bokeh.models import CrosshairTool, DatetimeTickFormatter, HoverTool, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from .series import MILLISECONDS, least_span_ms
from .sheet import Sheet

LEFT = 66
"""Pixels for the labels of the y-axis, the same in all charts, so that they stand under one another."""


_TOLD = "font: 14px system-ui, sans-serif; color: #1b1f23; max-width: 300px; overflow-wrap: anywhere"
"""The look of what is said at the pointer: long reasons have several lines."""


def time_axis(sheet: Sheet) -> Range1d:
    """The range of time that the charts share, a little wider than the bars."""
    ts_us = sheet.ts_us
    step = sheet.interval_seconds * 1e6
    room = max(step, (float(ts_us[-1]) - float(ts_us[0])) * 0.005)
    start, end = (float(ts_us[0]) - room) / MILLISECONDS, (float(ts_us[-1]) + room) / MILLISECONDS
    least = min(least_span_ms(sheet), end - start)
    return Range1d(start=start, end=end, bounds=(start, end), min_interval=least, name="time")


def new_pointer() -> Span:
    """The upright line at the pointer; charts that share one show it at the same time."""
    return Span(dimension="height", line_width=1, line_dash="dotted", line_color="#888888")


def new_figure(name: str, x_range: Range1d, height: int, pointer: Span) -> Any:
    """An empty chart over time: no frame, no toolbar, drag to zoom. Colours are set by the page's script."""
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
    chart.xaxis.formatter = time_ticks()
    return _dressed(chart)


def new_plain_figure(name: str, height: int) -> Any:
    """An empty chart of something else than time, in the same look; there is nothing to zoom."""
    return _dressed(
        figure(
            name=name,
            height=height,
            sizing_mode="stretch_width",
            toolbar_location=None,
            tools="",
            background_fill_color=None,
            border_fill_color=None,
            outline_line_color=None,
            min_border_left=LEFT,
            min_border_right=12,
            min_border_top=6,
        )
    )


def _dressed(chart: Any) -> Any:
    """The chart with the letters and the few lines that all of them have."""
    chart.xgrid.grid_line_color = None
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


def add_hover(
    chart: Any, glyph: Any, tooltips: list[tuple[str, str]], mode: Literal["mouse", "vline"] = "vline"
) -> HoverTool:
    """Say a glyph's values where the pointer is, times in UTC; return the tool that does."""
    told = "<br>".join(f"{_as_text(name)} <b>{shown}</b>" for name, shown in tooltips)
    tool = HoverTool(
        renderers=[glyph],
        tooltips=f'<div style="{_TOLD}">{told}</div>',
        formatters={"@x": "datetime"},
        mode=mode,
        point_policy="snap_to_data",
    )
    chart.add_tools(tool)
    return tool


def _as_text(name: str) -> str:
    """A name as a tooltip shows it: Bokeh fills in what follows an @ or a $."""
    return escape(name).replace("@", "&#64;").replace("$", "&#36;")
