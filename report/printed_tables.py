"""The tables of the printed sheet."""

from __future__ import annotations

from textwrap import shorten

from matplotlib.axes import Axes

from .attribution import attribution
from .printed_charts import BLUE, ORANGE
from .sheet import Sheet
from .tables import MONTHS, Table, metrics, months

YEARS = 16
"""Of the monthly returns: more do not fit the page."""

PARTS = 10
"""Rows of an attribution: likewise."""

INK, MUTED, RULE = "#1b1f23", "#57606a", "#d8dde2"


def monthly_returns(axes: Axes, sheet: Sheet) -> None:
    """A row a year, a cell a month, the deeper in colour the further from 0."""
    rows = months(sheet)
    shown = rows[-YEARS:]
    part = f", the last {YEARS} of {len(rows)} years" if len(rows) > YEARS else ""
    _title(axes, f"Monthly returns, %, UTC{part}")
    axes.set_xlim(-1.3, 12.5)
    axes.set_ylim(max(len(shown), 1) + 0.5, -0.9)
    for place, name in enumerate((*MONTHS, "total")):
        axes.text(place + 0.45, -0.4, name, ha="right", va="center", color=MUTED, size=7)
    for down, row in enumerate(shown):
        axes.text(-1.3, down + 0.5, str(row["year"]), va="center", color=MUTED, size=7)
        axes.text(12.45, down + 0.5, row["total"], ha="right", va="center", weight="bold", size=7)
        for place, (text, shade) in enumerate(row["months"]):
            axes.text(place + 0.4, down + 0.5, text, ha="right", va="center", size=7)
            if shade:
                color = BLUE if shade >= 0.0 else ORANGE
                strength = 0.06 + 0.5 * abs(shade)
                axes.barh(down + 0.5, 0.96, height=0.92, left=place - 0.48, color=color, alpha=strength, linewidth=0)


def attributed(axes: Axes, sheet: Sheet) -> None:
    """By schedule and by instrument, side by side: profit, costs, trades."""
    _title(axes, "Attribution: profit, fees and borrow, trades")
    axes.set_xlim(0, 2)
    by_schedule, by_instrument = attribution(sheet)[:2]
    rows = attributed_rows(sheet)
    axes.set_ylim(rows, 0)
    for left, table in ((0.0, by_schedule), (1.03, by_instrument)):
        for down, texts in enumerate(_largest(table)):
            for shift, text, side in zip((0.0, 0.57, 0.82, 0.97), texts, ("left", *["right"] * 3), strict=True):
                axes.text(left + shift, down + 0.55, text, va="center", ha=side, size=7)
            axes.plot([left, left + 0.97], [down + 1.0] * 2, color=RULE, linewidth=0.5, clip_on=False)


def attributed_rows(sheet: Sheet) -> int:
    """How many rows the longer side has."""
    return max(1, *(len(_largest(table)) for table in attribution(sheet)[:2]))


def _largest(table: Table) -> list[list[str]]:
    """Name, profit, costs and trades of the first rows, and how many there are more."""
    shown = [table.headings.index(name) for name in ("profit", "fees, borrow", "trades")]
    cells = [[shorten(row[0], 30, placeholder=" …"), *(row[place] for place in shown)] for row in table.rows]
    more = len(cells) - PARTS
    return cells if more <= 0 else [*cells[: PARTS - 1], [f"and {more + 1} more", "", "", ""]]


def all_metrics(axes: Axes, sheet: Sheet, columns: int) -> None:
    """Every metric with its value, in `columns` columns."""
    _title(axes, "Metrics")
    axes.set_xlim(0, 1)
    told = metrics(sheet)
    down_to = -(-len(told) // columns)
    axes.set_ylim(down_to, 0)
    width, size = 1.0 / columns, 8.0 if columns < 3 else 6.5
    for place, each in enumerate(told):
        left, down = divmod(place, down_to)
        start, end = left * width, (left + 1) * width - (0.0 if left == columns - 1 else 0.03)
        axes.text(start, down + 0.6, each["label"], va="center", size=size)
        axes.text(end, down + 0.6, each["value"], va="center", ha="right", weight="bold", size=size)
        axes.plot([start, end], [down + 1.05] * 2, color=RULE, linewidth=0.5, clip_on=False)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", size=9, weight="bold")
    axes.set_axis_off()
