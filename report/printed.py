"""The printed sheet: one A4 page of charts, monthly returns and metrics, as PDF or PNG."""

from __future__ import annotations

import io
from collections.abc import Callable
from textwrap import shorten, wrap
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import printed_charts, printed_tables
from .costs import band_words
from .heading import heading
from .interventions import lanes, stretches
from .luck import luck_in_a_line
from .printed_tables import INK, MUTED, RULE
from .refusals import refusals
from .series import series_of
from .sheet import Governed, Sheet
from .tables import months

A4_INCHES = (8.27, 11.69)
LEFT, _BOTTOM, _GAP = 0.095, 0.04, 0.042
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that the page is the same everywhere
    "font.size": 8,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a symbol is a dollar sign
    "pdf.fonttype": 42,
    "axes.edgecolor": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 2,
    "ytick.major.size": 0,
}
_WITHOUT_DATES: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    "png": {"Software": None},
}

_Panel = tuple[float, Callable[[Axes], None]]
"""A height, in shares of what the page has, and what draws itself into it."""


def printed(sheet: Sheet, kind: str) -> bytes:
    """The page as `pdf` or `png`; the same sheet gives the same bytes."""
    with rc_context(STYLE):
        figure = Figure(figsize=A4_INCHES)
        top = _title(figure, sheet)
        panels = [*_charts(sheet), *_tables(sheet)]
        mean_height = (top - _BOTTOM - _GAP * (len(panels) - 1)) / len(panels)
        grid = figure.add_gridspec(
            len(panels), 1, left=LEFT, right=0.95, top=top, bottom=_BOTTOM, hspace=_GAP / mean_height,
            height_ratios=[height for height, _ in panels],
        )  # fmt: skip
        for place, (_, draw) in enumerate(panels):
            draw(figure.add_subplot(grid[place]))
        return saved(figure, kind)


def saved(figure: Figure, kind: str) -> bytes:
    """A figure as `pdf` or `png` without the time at which it was made."""
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150, metadata=_WITHOUT_DATES[kind])
    return content.getvalue()


def _charts(sheet: Sheet) -> list[_Panel]:
    if not sheet.equity.height:
        return []
    drawn, held, governed = series_of(sheet), sheet.weights, sheet.governed
    if governed is not None:
        return _governed(drawn, sheet, governed)
    found: list[_Panel] = [
        (3.2, lambda axes: printed_charts.equity(axes, drawn)),
        (1.5, lambda axes: printed_charts.drawdown(axes, drawn)),
    ]
    if held is not None:
        found += [
            (1.2, lambda axes: printed_charts.exposure(axes, drawn)),
            (2.4, lambda axes: printed_charts.weights(axes, held)),
        ]
    return found


def _governed(drawn: printed_charts.Drawn, sheet: Sheet, governed: Governed) -> list[_Panel]:
    """Of a scheduler: lanes below equity; capital and profits in the place of exposure and weights."""
    found: list[_Panel] = [(2.5, lambda axes: printed_charts.equity(axes, drawn))]
    drawn_lanes = lanes(sheet, stretches(sheet, governed))
    if drawn_lanes:
        height = 0.2 + 0.3 * min(len(drawn_lanes), printed_charts.LANES)
        found.append((height, lambda axes: printed_charts.interventions(axes, sheet, drawn_lanes)))
    found.append((1.1, lambda axes: printed_charts.drawdown(axes, drawn)))
    if governed.capital_weights.height:
        found.append((1.7, lambda axes: printed_charts.capital(axes, sheet, governed)))
    return [*found, (1.8, lambda axes: printed_charts.profit(axes, sheet, governed, drawn))]


def _tables(sheet: Sheet) -> list[_Panel]:
    years = min(len(months(sheet)), printed_tables.YEARS)
    monthly: _Panel = (0.45 + 0.22 * years, lambda axes: printed_tables.monthly_returns(axes, sheet))
    if not sheet.is_portfolio:
        return [monthly, (3.6, lambda axes: printed_tables.all_metrics(axes, sheet, columns=2))]
    parts = 0.24 * printed_tables.attributed_rows(sheet)
    return [
        monthly,
        (parts, lambda axes: printed_tables.attributed(axes, sheet)),
        (2.3, lambda axes: printed_tables.all_metrics(axes, sheet, columns=3)),
    ]


def _title(figure: Figure, sheet: Sheet) -> float:
    """Write what was backtested on what; return how high on the page the charts may begin."""
    head = heading(sheet)
    title = f"{head['title']} on {head['instruments']}"
    figure.text(LEFT, 0.962, shorten(title, 74, placeholder=" …"), size=15 if len(title) < 50 else 11, weight="bold")
    figure.text(LEFT, 0.945, head["lead"])
    settings = "   ".join(
        f"{name} {value}".replace(" ", "\N{NO-BREAK SPACE}")
        for name, value in (*head["parameters"], *head["execution"])
    )
    told = [
        *wrap(settings, 118, break_long_words=False)[:6],
        *wrap(band_words(sheet), 130),
        *wrap(luck_in_a_line(sheet), 130),
    ]
    if sheet.governed is not None:
        told += wrap(refusals(sheet), 130)
    for place, line in enumerate(told):
        figure.text(LEFT, 0.928 - 0.0125 * place, line, color=MUTED, size=6.5)
    origin = " · ".join(f"{name} {text}" for name, text, _ in head["origin"])
    figure.text(LEFT, 0.018, shorten(origin, 145, placeholder=" …"), color=MUTED, size=6)
    return 0.905 - 0.0125 * len(told)
