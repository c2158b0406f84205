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
from .histograms import Histogram, histograms
from .logits import logit_chart
from .luck import luck, split_words
from .montecarlo import quantile_table
from .packing import packed
from .policy import policy
from .series import Series, series_of
from .sheet import Governed, Sheet, Walked
from .templates import assets, template
from .walked_windows import walked_windows, window_words


def page(sheet: Sheet) -> str:
    """The HTML of a sheet; the same sheet gives the same text."""
    has_bars = sheet.equity.height > 0
    series = series_of(sheet) if has_bars else {}
    charts = time_charts(sheet, series) if has_bars else []
    drawn_paths = histograms(sheet.montecarlo) if sheet.montecarlo is not None else []
    return template("page.html").render(
        heading=heading(sheet),
        tiles=tables.tiles(sheet),
        metrics=tables.metrics(sheet),
        charts=charts,
        histograms=drawn_paths,
        quantiles=quantile_table(sheet.montecarlo) if sheet.montecarlo is not None else None,
        month_names=tables.MONTHS,
        months=tables.months(sheet),
        governed=_governed(sheet, sheet.governed) if sheet.governed is not None else None,
        walked=_walked(sheet, sheet.walked) if sheet.walked is not None else None,
        attribution=attribution(sheet) if sheet.is_portfolio else [],
        candle_words=candles.words(sheet),
        trades=tables.trades(sheet),
        shown_trades=tables.SHOWN_TRADES,
        all_trades=sheet.trades.height,
        left_out=tables.left_out(sheet),
        costs=costs(sheet),
        signals=signals(sheet),
        drawn=_drawn(sheet, series, charts, drawn_paths) if has_bars else None,
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


def _walked(sheet: Sheet, walked: Walked) -> dict[str, Any]:
    """What a walk forward's page tells besides its charts over time."""
    return {
        "luck": luck(sheet.document),
        "split_words": split_words(sheet),
        "windows": walked_windows(sheet, walked),
        "window_words": window_words(sheet),
    }


def _drawn(
    sheet: Sheet, series: Mapping[str, Series], charts: Sequence[Chart], of_paths: Sequence[Histogram]
) -> dict[str, Any]:
    """What the page's script draws."""
    figures = {name: figure for chart in charts for name, figure in chart.figures.items()}
    figures |= {each.name: each.figure for each in of_paths}
    if sheet.walked is not None and sheet.walked.splits.height:
        figures["logits"] = logit_chart(sheet.walked)
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
