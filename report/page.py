"""The page: one HTML file with everything in it, which asks the network for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import candles, interventions, refusals, schedules, tables
from .attribution import attribution
from .charts import Chart, time_charts
from .costs import costs, signals
from .embedding import embedded, library
from .heading import heading
from .packing import packed
from .policy import policy
from .series import Series, series_of
from .sheet import Governed, Sheet
from .templates import assets, template


def page(sheet: Sheet) -> str:
    """The HTML of a sheet; the same sheet gives the same text."""
    has_bars = sheet.equity.height > 0
    series = series_of(sheet) if has_bars else {}
    charts = time_charts(sheet, series) if has_bars else []
    return template("page.html").render(
        heading=heading(sheet),
        tiles=tables.tiles(sheet),
        metrics=tables.metrics(sheet),
        charts=charts,
        month_names=tables.MONTHS,
        months=tables.months(sheet),
        governed=_governed(sheet, sheet.governed) if sheet.governed is not None else None,
        attribution=attribution(sheet) if sheet.is_portfolio else [],
        candle_words=candles.words(sheet),
        trades=tables.trades(sheet),
        shown_trades=tables.SHOWN_TRADES,
        all_trades=sheet.trades.height,
        left_out=tables.left_out(sheet),
        costs=costs(sheet),
        signals=signals(sheet),
        drawn=_drawn(sheet, series, charts) if has_bars else None,
        library=library() if has_bars else "",
        style=assets("page.css"),
        script=assets("common.js", "page.js"),
    )


def _governed(sheet: Sheet, governed: Governed) -> dict[str, Any]:
    """What a scheduler's page tells besides its charts."""
    found = interventions.stretches(sheet, governed)
    return {
        "schedules": schedules.schedules(sheet),
        "refreshed": schedules.refreshed(governed),
        "policy": policy(sheet),
        "interventions": interventions.interventions(found),
        "not_listed": interventions.left_out(found),
        "by_schedule": refusals.by_schedule(sheet),
    }


def _drawn(sheet: Sheet, series: Mapping[str, Series], charts: Sequence[Chart]) -> dict[str, Any]:
    """What the page's script draws."""
    figures = {name: figure for chart in charts for name, figure in chart.figures.items()}
    first_us = int(sheet.ts_us[0])
    return {
        **embedded({**figures, "candles": candles.candle_chart(sheet)}),
        "series": {name: packed(first_us, {"x": each.ts_us}, each.columns) for name, each in series.items()},
        "first": first_us / 1_000,
        "last": float(sheet.ts_us[-1]) / 1_000,
        "interval": sheet.interval_seconds * 1_000,
        "candles": [candles.candle_data(each, first_us) for each in candles.shown(sheet)],
        "whole": candles.holds_all(sheet),
    }
