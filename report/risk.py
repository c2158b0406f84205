"""The risk simulation on paper: a front page with the verdicts, then two pages a profile, as PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from . import risk_charts, risk_tables
from .printed import A4_INCHES, LEFT, STYLE
from .printed_charts import GREEN, ORANGE
from .printed_tables import MUTED

if TYPE_CHECKING:
    from ..engine.risk.result import ProfileRisk, RiskSimulation

_RIGHT = 0.95
_TOP_OF_TABLES, _ROW, _BETWEEN = 0.76, 0.024, 0.045


def risk_pages(found: RiskSimulation) -> bytes:
    """The report as PDF; the same simulation gives the same bytes."""
    content = io.BytesIO()
    undated = {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None}
    with rc_context({**STYLE, "axes.axisbelow": True}), PdfPages(content, metadata=undated) as pages:
        figures = list(_figures(found))
        for number, figure in enumerate(figures, start=1):
            figure.text(_RIGHT, 0.018, f"{number} of {len(figures)}", color=MUTED, size=6, ha="right")
            pages.savefig(figure)
    return content.getvalue()


def _figures(found: RiskSimulation) -> Iterator[Figure]:
    yield _front(found)
    for one in found.profiles:
        yield _scenarios(found, one)
        yield _resampled(found, one)
    yield _assumptions(found)


def _front(found: RiskSimulation) -> Figure:
    figure, chosen = Figure(figsize=A4_INCHES), found.chosen
    figure.text(LEFT, 0.945, "Risk simulation", size=20, weight="bold")
    figure.text(LEFT, 0.924, f"{chosen.name} in {chosen.environment}", size=11)
    _paragraph(figure, 0.903, risk_tables.span(found))
    _verdict(figure, 0.815, found)
    heights = [len(found.profiles) + 1.0, 0.8 * max(len(found.breaches), 1), *(5.2 for _ in found.profiles)]
    bottom = max(0.06, _TOP_OF_TABLES - _ROW * sum(heights) - _BETWEEN * (len(heights) - 1))
    mean = (_TOP_OF_TABLES - bottom - _BETWEEN * (len(heights) - 1)) / len(heights)
    grid = figure.add_gridspec(
        len(heights), 1, left=LEFT, right=_RIGHT, top=_TOP_OF_TABLES, bottom=bottom, hspace=_BETWEEN / mean,
        height_ratios=heights,
    )  # fmt: skip
    risk_tables.verdicts(figure.add_subplot(grid[0]), found)
    risk_tables.breaches(figure.add_subplot(grid[1]), found)
    for place, one in enumerate(found.profiles):
        risk_tables.limits(figure.add_subplot(grid[2 + place]), one)
    _foot(figure, found)
    return figure


def _verdict(figure: Figure, y: float, found: RiskSimulation) -> None:
    color = ORANGE if found.breach else GREEN
    names = ", ".join(one.name for one in found.profiles if one.breach or not found.breach)
    said = f"BREACH of limits: {names}" if found.breach else f"No breach: limits are kept by {names}"
    figure.text(
        LEFT + 0.012, y, said, size=13, weight="bold", color="white",
        bbox={"facecolor": color, "edgecolor": "none", "pad": 7},
    )  # fmt: skip


def _scenarios(found: RiskSimulation, one: ProfileRisk) -> Figure:
    figure = _page(found, f"{one.name}: stress scenarios", risk_tables.lead_of_scenarios(found, one))
    middle = 0.84 - _ROW * (len(one.stressed) + 1)
    table = figure.add_gridspec(1, 1, left=LEFT, right=_RIGHT, top=0.86, bottom=middle)
    charts = figure.add_gridspec(2, 1, left=0.24, right=_RIGHT, top=middle - 0.05, bottom=0.12, hspace=0.32)
    risk_tables.scenarios(figure.add_subplot(table[0]), one)
    risk_charts.scenario_losses(figure.add_subplot(charts[0]), one)
    risk_charts.scenario_paths(figure.add_subplot(charts[1]), one)
    return figure


def _resampled(found: RiskSimulation, one: ProfileRisk) -> Figure:
    figure = _page(found, f"{one.name}: resampled markets", risk_tables.lead_of_paths(found, one))
    grid = figure.add_gridspec(
        4,
        2,
        left=LEFT,
        right=_RIGHT,
        top=0.87,
        bottom=0.06,
        hspace=0.42,
        wspace=0.14,
        height_ratios=(1.5, 1.1, 1.1, 0.9),
    )
    risk_charts.fan(figure.add_subplot(grid[0, :]), found, one)
    levels = found.scenarios.confidence_pct
    risk_charts.distribution(figure.add_subplot(grid[1, 0]), one.losses, "Loss over the horizon, %", levels)
    risk_charts.distribution(figure.add_subplot(grid[1, 1]), one.day_losses, "Loss of a day, %", levels)
    risk_charts.drawdowns(figure.add_subplot(grid[2, 0]), one)
    risk_charts.exposures(figure.add_subplot(grid[2, 1]), one)
    risk_tables.tails(figure.add_subplot(grid[3, :]), found, one)
    return figure


def _assumptions(found: RiskSimulation) -> Figure:
    figure = _page(found, "Limits, assumptions and provenance", "")
    y = 0.905
    for heading, lines in risk_tables.assumptions(found):
        figure.text(LEFT, y, heading, size=9, weight="bold")
        y -= 0.019
        for line in lines:
            for told in wrap(line, 132, subsequent_indent="   "):
                figure.text(LEFT, y, told, size=7.5)
                y -= 0.0145
        y -= 0.012
    return figure


def _page(found: RiskSimulation, title: str, lead: str) -> Figure:
    figure = Figure(figsize=A4_INCHES)
    figure.text(LEFT, 0.945, title, size=15, weight="bold")
    _paragraph(figure, 0.925, lead)
    _foot(figure, found)
    return figure


def _paragraph(figure: Figure, y: float, text: str) -> None:
    for place, line in enumerate(wrap(text, 138)):
        figure.text(LEFT, y - 0.0145 * place, line, color=MUTED, size=7.5)


def _foot(figure: Figure, found: RiskSimulation) -> None:
    figure.text(LEFT, 0.018, risk_tables.origin(found), color=MUTED, size=6)
