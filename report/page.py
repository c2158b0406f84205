"""The page: one HTML file with everything in it, which asks the network for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import tables
from .candles import candle_chart, window_ranges
from .charts import time_charts
from .embedding import embedded, library
from .sheet import Sheet
from .windows import holds_all

_ASSETS = Path(__file__).resolve().parent / "assets"


def page(sheet: Sheet) -> str:
    """The HTML of a sheet; the same sheet gives the same text."""
    templates = Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies[
        "json.dumps_kwargs"
    ] = {}  # by default it sorts, and Bokeh's models come before references to them
    headings, rows = tables.trade_rows(sheet)
    return templates.get_template("page.html").render(
        heading=tables.heading(sheet),
        final_equity=tables.final_equity(sheet),
        tiles=tables.tiles(sheet),
        metrics=tables.metrics(sheet),
        month_names=tables.MONTHS,
        months=tables.months(sheet),
        trade_headings=headings,
        trades=rows[: tables.SHOWN_TRADES],
        more_trades=rows[tables.SHOWN_TRADES :],
        all_trades=sheet.trades.height,
        left_out=tables.left_out(sheet),
        costs=tables.costs(sheet),
        whole=holds_all(sheet),
        charts=_charts(sheet),
        library=library() if sheet.bars.height else "",
        style=(_ASSETS / "page.css").read_text("utf-8"),
        script=(_ASSETS / "page.js").read_text("utf-8"),
    )


def _charts(sheet: Sheet) -> dict[str, Any] | None:
    """What the page's script draws; None where there is not one bar."""
    if not sheet.bars.height:
        return None
    charts, lines = time_charts(sheet)
    return {
        **embedded({**charts, "candles": candle_chart(sheet)}),
        "fine": {name: line.fine for name, line in lines.items() if line.fine},
        "first": float(sheet.ts_us[0]) / 1_000,
        "last": float(sheet.ts_us[-1]) / 1_000,
        "interval": sheet.interval_seconds * 1_000,
        "windows": window_ranges(sheet),
        "whole": holds_all(sheet),
    }
