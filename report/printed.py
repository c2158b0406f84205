"""The printed sheet: one A4 page with equity, drawdown, monthly returns and metrics, as PDF or PNG."""

from __future__ import annotations

import io
from textwrap import shorten, wrap
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import tables
from .series import Line, lines
from .sheet import Sheet
from .texts import short

_A4_INCHES = (8.27, 11.69)
_LEFT = 0.095
_YEARS = 16
"""Of the monthly returns: more do not fit the page."""

_INK, _MUTED, _RULE = "#1b1f23", "#57606a", "#d8dde2"
_BLUE, _GREY, _ORANGE = "#0072b2", "#8a8f94", "#d55e00"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that the page is the same everywhere
    "font.size": 8,
    "text.color": _INK,
    "text.parse_math": False,  # a dollar sign in a symbol is a dollar sign
    "pdf.fonttype": 42,
    "axes.edgecolor": _RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _RULE,
    "grid.linewidth": 0.5,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.major.size": 2,
    "ytick.major.size": 0,
}
_WITHOUT_DATES: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    "png": {"Software": None},
}


def printed(sheet: Sheet, kind: str) -> bytes:
    """The page as `pdf` or `png`; the same sheet gives the same bytes."""
    with rc_context(_STYLE):
        figure = Figure(figsize=_A4_INCHES)
        top = _title(figure, sheet)
        years = min(len(tables.months(sheet)), _YEARS)
        grid = figure.add_gridspec(
            4, 1, left=_LEFT, right=0.95, top=top, bottom=0.04, hspace=0.26,
            height_ratios=(3.2, 1.5, 0.45 + 0.22 * years, 3.6),
        )  # fmt: skip
        if sheet.bars.height:
            drawn = lines(sheet)
            _equity(figure.add_subplot(grid[0]), drawn)
            _drawdown(figure.add_subplot(grid[1]), drawn["drawdown"])
        _months(figure.add_subplot(grid[2]), sheet)
        _metrics(figure.add_subplot(grid[3]), sheet)
        content = io.BytesIO()
        figure.savefig(content, format=kind, dpi=150, metadata=_WITHOUT_DATES[kind])
    return content.getvalue()


def _title(figure: Figure, sheet: Sheet) -> float:
    """Write what was backtested on what; return how high on the page the charts may begin."""
    head = tables.heading(sheet)
    title = f"{head['strategy']} on {' and '.join(head['instruments'])}"
    figure.text(_LEFT, 0.962, shorten(title, 64, placeholder=" …"), size=15, weight="bold")
    figure.text(_LEFT, 0.945, f"{head['span']}. {tables.final_equity(sheet)}.")
    settings = "   ".join(
        f"{name} {value}".replace(" ", "\N{NO-BREAK SPACE}")
        for name, value in (*head["parameters"], *head["execution"])
    )
    told = wrap(settings, 118, break_long_words=False, drop_whitespace=True)[:6]
    for place, line in enumerate(told):
        figure.text(_LEFT, 0.928 - 0.0125 * place, line, color=_MUTED, size=6.5)
    origin = " · ".join(f"{name} {text}" for name, text, _ in head["origin"])
    figure.text(_LEFT, 0.018, shorten(origin, 160, placeholder=" …"), color=_MUTED, size=6)
    return 0.905 - 0.0125 * len(told)


def _equity(axes: Axes, drawn: dict[str, Line]) -> None:
    for name, color, text in (("benchmark", _GREY, "buy and hold"), ("equity", _BLUE, "equity")):
        axes.plot(_times(drawn[name]), drawn[name].y, color=color, linewidth=0.8, label=text)
    axes.legend(loc="lower left", frameon=False, ncols=2, borderpad=0, bbox_to_anchor=(0.09, 1.012))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _thousands(float(value))))
    _dress(axes, "Equity")


def _thousands(value: float) -> str:
    """A number on an axis: `400k`, `1.5m`."""
    for size, sign in ((1e9, "b"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return short(value / size) + sign
    return short(value)


def _drawdown(axes: Axes, line: Line) -> None:
    axes.fill_between(_times(line), line.y, 0.0, color=_ORANGE, alpha=0.25, linewidth=0)
    axes.plot(_times(line), line.y, color=_ORANGE, linewidth=0.8)
    _dress(axes, "Drawdown, % under the peak so far")


def _times(line: Line) -> np.ndarray:
    return line.x.astype("datetime64[ms]")


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", size=9, weight="bold")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.margins(x=0.005)


def _months(axes: Axes, sheet: Sheet) -> None:
    rows = tables.months(sheet)
    shown = rows[-_YEARS:]
    part = f", the last {_YEARS} of {len(rows)} years" if len(rows) > _YEARS else ""
    axes.set_title(f"Monthly returns, %, UTC{part}", loc="left", size=9, weight="bold")
    axes.set_axis_off()
    axes.set_xlim(-1.3, 12.5)
    axes.set_ylim(max(len(shown), 1) + 0.5, -0.9)
    for place, name in enumerate((*tables.MONTHS, "total")):
        axes.text(place + 0.45, -0.4, name, ha="right", va="center", color=_MUTED, size=7)
    for down, row in enumerate(shown):
        axes.text(-1.3, down + 0.5, str(row["year"]), va="center", color=_MUTED, size=7)
        axes.text(12.45, down + 0.5, row["total"], ha="right", va="center", weight="bold", size=7)
        for place, (text, shade) in enumerate(row["months"]):
            axes.text(place + 0.4, down + 0.5, text, ha="right", va="center", size=7)
            if shade:
                color = _BLUE if shade >= 0.0 else _ORANGE
                strength = 0.06 + 0.5 * abs(shade)
                axes.barh(down + 0.5, 0.96, height=0.92, left=place - 0.48, color=color, alpha=strength, linewidth=0)


def _metrics(axes: Axes, sheet: Sheet) -> None:
    axes.set_title("Metrics", loc="left", size=9, weight="bold")
    axes.set_axis_off()
    axes.set_xlim(0, 2)
    told = tables.metrics(sheet)
    half = (len(told) + 1) // 2
    axes.set_ylim(half, 0)
    for place, each in enumerate(told):
        left, down = divmod(place, half)
        start, end = left * 1.03, left * 1.03 + 0.97
        axes.text(start, down + 0.6, each["label"], va="center")
        axes.text(end, down + 0.6, each["value"], va="center", ha="right", weight="bold")
        axes.plot([start, end], [down + 1.05] * 2, color=_RULE, linewidth=0.5, clip_on=False)
