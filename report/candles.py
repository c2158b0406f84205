"""Candles with the entries and exits of trades, over some windows of bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from bokeh.models import ColumnDataSource, DataRange1d, NumeralTickFormatter, Range1d
from bokeh.models.annotations import Span

from .charts import add_hover, new_figure
from .series import MILLISECONDS
from .sheet import Sheet
from .texts import price_places
from .windows import own_trades, shown_bars, windows

_HEIGHT = 380
_WIDTH = 0.7
"""Of a candle, as a share of its bar."""


def window_ranges(sheet: Sheet) -> list[dict[str, Any]]:
    """The windows as a page's script wants them: `label`, and `start` and `end` in milliseconds."""
    ts_us, half = sheet.ts_us, sheet.interval_seconds * 500.0
    return [
        {
            "label": window.label,
            "start": float(ts_us[window.start]) / MILLISECONDS - 2 * half,
            "end": float(ts_us[window.stop - 1]) / MILLISECONDS + 2 * half,
        }
        for window in windows(sheet)
    ]


def candle_chart(sheet: Sheet) -> Any:
    """The candles of the shown bars and the trades among them; the page's script keeps to those in view."""
    first = window_ranges(sheet)[0]
    x_range = Range1d(start=first["start"], end=first["end"], name="candle_time")
    chart = new_figure("candles", x_range, _HEIGHT, Span(dimension="height", line_dash="dotted", line_color="#888888"))
    places = shown_bars(sheet)
    bars = sheet.bars[places]
    digits = "0" * price_places(bars["close"].tail(300))
    chart.y_range = DataRange1d(renderers=_draw_candles(chart, sheet, bars, digits))
    _draw_trades(chart, _trades_among(sheet, places), digits)
    chart.yaxis.formatter = NumeralTickFormatter(format=f"0,0.[{digits}]")
    return chart


def _draw_candles(chart: Any, sheet: Sheet, bars: pl.DataFrame, digits: str) -> list[Any]:
    """Draw the bars and return the wicks, which are as high as the chart has to be."""
    wicks = []
    width = sheet.interval_seconds * MILLISECONDS * _WIDTH
    rising = pl.col("close") >= pl.col("open")
    hover = [
        *((name, f"@{name}{{0,0.[{digits}]}}") for name in ("open", "high", "low", "close")),
        ("time", "@x{%F %R}"),
    ]
    for name, part in (("rise", bars.filter(rising)), ("fall", bars.filter(~rising))):
        columns = {column: part[column].to_numpy().astype(np.float32) for column in ("open", "high", "low", "close")}
        source = ColumnDataSource({"x": _milliseconds(part["timestamp"]), **columns}, name=f"{name}_points")
        wicks.append(chart.segment("x", "high", "x", "low", source=source, name=name, line_width=1))
        body = chart.vbar("x", width, "open", "close", source=source, name=name, line_width=1)
        add_hover(chart, body, hover, mode="mouse")
    return wicks


def _draw_trades(chart: Any, trades: pl.DataFrame, digits: str) -> None:
    """A line from each entry to its exit; a triangle shows the side of the entry, a diamond the exit."""
    for name, part in (
        ("gain", trades.filter(pl.col("profit") > 0.0)),
        ("loss", trades.filter(pl.col("profit") <= 0.0)),
    ):
        source = ColumnDataSource(
            {
                "x": _milliseconds(part["entry_time"]),
                "exit": _milliseconds(part["exit_time"]),
                "entry_price": part["entry_price"].to_numpy(),
                "exit_price": part["exit_price"].to_numpy(),
                "profit": part["profit"].to_numpy(),
                "marker": np.where(part["side"].to_numpy() == "long", "triangle", "inverted_triangle").tolist(),
            },
            name=f"{name}_points",
        )
        chart.segment(
            "x", "entry_price", "exit", "exit_price", source=source, name=name, line_width=1.5, line_dash="dashed"
        )
        hover = [
            ("profit", "@profit{+0,0.00}"),
            ("entry", f"@entry_price{{0,0.[{digits}]}}"),
            ("exit", f"@exit_price{{0,0.[{digits}]}}"),
        ]
        for x, y, marker in (("x", "entry_price", "marker"), ("exit", "exit_price", "diamond")):
            points = chart.scatter(x, y, marker=marker, source=source, name=f"{name}_mark", size=12, line_width=1.5)
            add_hover(chart, points, hover, mode="mouse")


def _trades_among(sheet: Sheet, places: np.ndarray) -> pl.DataFrame:
    """The trades whose entry and exit are both among the shown bars."""
    times = sheet.bars["timestamp"][places].implode()
    return own_trades(sheet).filter(pl.col("entry_time").is_in(times) & pl.col("exit_time").is_in(times))


def _milliseconds(times: pl.Series) -> np.ndarray:
    return times.to_physical().to_numpy() / MILLISECONDS
