"""The printed page of a sweep: one map, the best rows and the distribution on one A4 page, as PDF or PNG."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten, wrap
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, Normalize, TwoSlopeNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...engine.metrics import is_less_better
from ..printed import A4_INCHES, LEFT, STYLE, saved
from ..printed_charts import BLUE, GREEN, GREY, ORANGE
from ..printed_tables import MUTED, RULE
from ..texts import label, short, unit
from .distribution import distribution
from .distribution import words as distribution_words
from .heading import heading
from .maps import Line, Map, lines, telling_map
from .metrics import centre_of
from .sheet import SweepSheet
from .tables import top

ROWS = 15
_METRICS = ("total_return_pct", "sharpe", "sortino", "max_drawdown_pct", "trades", "profit_factor")
_AXES = 6
"""Columns of values in the table: more do not fit the page."""

_ACROSS, _UPWARDS = 110, 16
"""Letters along a chart, and labels up it."""


def printed(sheet: SweepSheet, kind: str) -> bytes:
    """The page as `pdf` or `png`; the same sweep gives the same bytes."""
    with rc_context({**STYLE, "xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "axes.axisbelow": True}):
        figure = Figure(figsize=A4_INCHES)
        high = _title(figure, sheet)
        grid = figure.add_gridspec(
            3, 1, left=0.13, right=0.95, top=high, bottom=0.085, hspace=0.25, height_ratios=(1.0, 1.0, 0.6)
        )
        found = telling_map(sheet)
        if found is not None:
            _map(figure, figure.add_subplot(grid[0]), sheet, found)
        else:
            _line(figure.add_subplot(grid[0]), sheet, lines(sheet)[0])
        _table(figure.add_subplot(grid[1]), sheet)
        _distribution(figure.add_subplot(grid[2]), sheet)
        return saved(figure, kind)


def _title(figure: Figure, sheet: SweepSheet) -> float:
    """Write what was swept on what; return how high on the page the charts may begin."""
    head = heading(sheet)
    title = f"{head['title']} on {head['instruments']}"
    figure.text(LEFT, 0.962, shorten(title, 74, placeholder=" …"), size=15 if len(title) < 50 else 11, weight="bold")
    given = "; ".join(f"{name} {values}" for name, values in head["axes"])
    fixed = "; ".join(f"{name} {value}" for name, value in head["fixed"])
    told = [
        *wrap(head["lead"], 140),
        *wrap(f"varied: {given}", 140)[:5],
        *wrap(fixed and f"fixed: {fixed}", 140)[:3],
        *wrap(head["warning"], 140),
    ]
    for place, line in enumerate(told):
        figure.text(LEFT, 0.942 - 0.0125 * place, line, color=MUTED, size=6.5)
    origin = " · ".join(f"{name} {text}" for name, text, _ in head["origin"])
    figure.text(LEFT, 0.018, shorten(origin, 145, placeholder=" …"), color=MUTED, size=6)
    return 0.91 - 0.0125 * len(told)


def _map(figure: Figure, axes: Axes, sheet: SweepSheet, found: Map) -> None:
    """The two axes that explain most of the metric."""
    cells = found.values[sheet.by]["median"].reshape(found.y.count, found.x.count)
    known = cells[np.isfinite(cells)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    centre = centre_of(sheet.by)
    if centre is not None and low < centre < high:
        reach = max(high - centre, centre - low)
        norm: Normalize = TwoSlopeNorm(centre, centre - reach, centre + reach)
        colors: tuple[Any, ...] = (ORANGE, "white", BLUE)
    else:
        norm = Normalize(low, high)
        is_bad = is_less_better(sheet.by)
        deep = ORANGE if is_bad or (centre is not None and high <= centre) else BLUE
        pale = tuple(0.92 + 0.08 * part for part in to_rgb(deep))  # the palest cell is no empty one
        colors = (deep, pale) if centre is not None and high <= centre else (pale, deep)
    scale = LinearSegmentedColormap.from_list("metric", colors)
    mesh = axes.pcolormesh(cells, cmap=scale, norm=norm, edgecolors="white", linewidth=0.6)
    bar: Any = figure.colorbar(mesh, ax=axes, fraction=0.03, pad=0.015)
    bar.outline.set_visible(False)
    axes.grid(visible=False)
    longest = max(map(len, map(_short, found.x.labels)))
    _tick(axes.xaxis, found.x.labels, _ACROSS // (longest + 2))
    _tick(axes.yaxis, found.y.labels, _UPWARDS)
    axes.set_xlabel(found.x.axis, color=MUTED, size=7)
    axes.set_ylabel(found.y.axis, color=MUTED, size=7)
    over = ", median over all others" if len(found.values[sheet.by]) > 1 else ""
    _heading(axes, f"{_named(sheet)} over {found.x.axis} and {found.y.axis}{over}")


def _line(axes: Axes, sheet: SweepSheet, found: Line) -> None:
    """The metric along the only axis."""
    values = found.values[sheet.by]
    places = np.arange(found.places.count) + 0.5
    axes.bar(places, values["high"] - values["low"], 0.7, values["low"], color=GREEN, alpha=0.3)
    axes.plot(places, values["median"], color=GREEN, linewidth=0.8, marker="o", markersize=3)
    longest = max(map(len, map(_short, found.places.labels)))
    _tick(axes.xaxis, found.places.labels, _ACROSS // (longest + 2))
    axes.set_xlabel(found.places.axis, color=MUTED, size=7)
    axes.margins(y=0.05)
    _heading(axes, f"{_named(sheet)} over {found.places.axis}")


def _table(axes: Axes, sheet: SweepSheet) -> None:
    """The best rows."""
    shown = tuple(name for name in _METRICS if name in sheet.metrics)
    table = top(sheet, ROWS, shown, tuple(sheet.axes)[:_AXES])
    _heading(axes, table.title)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(ROWS, -1)
    columns = list(zip(table.headings, *table.rows, strict=True))
    widths = np.cumsum([0.0, *(max(len(_short(text)) for text in column) + 2.5 for column in columns)])
    for place, column in enumerate(columns):
        right = widths[place + 1] / widths[-1]
        axes.text(right, -0.45, _short(column[0]), ha="right", va="center", color=MUTED, size=5.4)
        for down, text in enumerate(column[1:]):
            axes.text(right, down + 0.5, _short(text), ha="right", va="center", size=6.5)
    for down in range(len(table.rows)):
        axes.plot([0, 1], [down, down], color=RULE, linewidth=0.5, clip_on=False)


def _distribution(axes: Axes, sheet: SweepSheet) -> None:
    """How many rows have how much of it."""
    found = distribution(sheet)
    axes.bar(found.edges[:-1], found.counts, np.diff(found.edges), align="edge", color=GREY, alpha=0.6)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    for value, color, name in ((found.median, GREEN, "median"), (found.best, BLUE, "best")):
        if np.isfinite(value):
            axes.axvline(value, color=color, linewidth=1.2, label=f"{name} {short(float(f'{value:.3g}'))}")
    if found.known:
        axes.legend(loc="upper left", frameon=False, fontsize=6.5)
    _heading(axes, f"{_named(sheet)} of all rows")
    for place, line in enumerate(wrap(distribution_words(sheet, found), 140)):
        axes.text(0.0, -0.2 - 0.08 * place, line, transform=axes.transAxes, color=MUTED, size=6.5)


def _named(sheet: SweepSheet) -> str:
    return label(sheet.by) + unit(sheet.by).replace(" ", ", ", 1)


def _heading(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", size=9, weight="bold")


def _tick(axis: Axis, labels: Sequence[str], most: int) -> None:
    """Labels at the middle of places, at most so many of them."""
    shown = range(0, len(labels), max(1, -(-len(labels) // max(most, 1))))
    axis.set_ticks([place + 0.5 for place in shown], [_short(labels[place]) for place in shown])


def _short(text: str) -> str:
    return text if len(text) <= 18 else f"{text[:17]}…"
