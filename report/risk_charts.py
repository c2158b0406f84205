"""The charts of the printed risk simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..engine.bars import Floats
from ..engine.risk.tails import quantile, value_at_risk
from ..engine.risk.verdict import worst_of
from .printed_charts import AMBER, BLUE, GREEN, GREY, ORANGE
from .printed_tables import INK, MUTED

if TYPE_CHECKING:
    from ..engine.risk.result import ProfileRisk, RiskSimulation

_BINS = 40
_DAY_SECONDS = 86_400
_BANDS = ((1.0, 99.0, 0.12), (5.0, 95.0, 0.16), (25.0, 75.0, 0.3))
"""Quantiles between which the fan is shaded, and how deep."""
_PATHS_SHOWN = 12
_COLORS = (BLUE, ORANGE, GREEN, AMBER, "#cc79a7", "#56b4e9", "#7a5c3e", "#d7c92f", GREY)


def scenario_losses(axes: Axes, one: ProfileRisk) -> None:
    """A bar a scenario: the loss at its worst mark; a mark for its deepest drawdown."""
    names = [runs.name for runs in one.stressed]
    places = np.arange(len(names))
    losses = [runs.worst_loss_pct for runs in one.stressed]
    falls = [worst_of(runs.measures, "max_drawdown_pct")[0] for runs in one.stressed]
    axes.barh(places, losses, 0.55, color=BLUE, alpha=0.75, label="loss")
    axes.scatter(falls, places, marker="D", s=18, color=INK, zorder=3, label="deepest drawdown")
    limit = one.limits.max_drawdown_pct
    if limit is not None:
        axes.axvline(limit, color=ORANGE, linewidth=1.2, label=f"max_drawdown_pct {limit:g}")
    axes.set_yticks(places, [_spaced(name) for name in names])
    axes.tick_params(axis="y", labelsize=7, labelcolor=INK)
    axes.invert_yaxis()
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0.0)
    axes.margins(x=0.06)
    _legend(axes, 0.47)
    _title(axes, "Worst of each scenario, % of equity")


def scenario_paths(axes: Axes, one: ProfileRisk) -> None:
    """Equity through the worst moment of each scenario."""
    interval = one.bars[0].interval_seconds
    for color, runs in zip(_COLORS, one.stressed, strict=False):
        growth = np.append(1.0, runs.worst.measures.growth)
        axes.plot(
            np.arange(growth.size) * interval / 3_600, 100.0 * growth, color=color, linewidth=0.9,
            label=_spaced(runs.name),
        )  # fmt: skip
    axes.axhline(100.0, color=MUTED, linewidth=0.5)
    axes.set_xlabel("hours from its first bar on", color=MUTED, size=7)
    axes.margins(x=0.0)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.4, -0.13), frameon=False, ncols=4, fontsize=6.5, handlelength=1.2,
        columnspacing=1.2,
    )  # fmt: skip
    _title(axes, "Equity through the worst moment of each scenario, % of what it was before")


def fan(axes: Axes, found: RiskSimulation, one: ProfileRisk) -> None:
    """Equity over the horizon: bands, the median, and some paths."""
    growth = 100.0 * np.concatenate([np.ones((one.growth.shape[0], 1)), one.growth], axis=1)
    step = max(1, growth.shape[1] // 240)
    shown = np.unique(np.append(np.arange(0, growth.shape[1], step), growth.shape[1] - 1))
    days = shown * one.bars[0].interval_seconds / _DAY_SECONDS
    ordered = np.sort(growth[:, shown], axis=0)
    for low, high, depth in _BANDS:
        axes.fill_between(
            days, _row(ordered, low), _row(ordered, high), color=BLUE, alpha=depth, linewidth=0,
            label=f"{high - low:g} % of paths",
        )  # fmt: skip
    for path in range(min(_PATHS_SHOWN, growth.shape[0])):
        axes.plot(days, growth[path, shown], color=GREY, linewidth=0.35, alpha=0.7)
    axes.plot(days, _row(ordered, 50.0), color=INK, linewidth=1.1, label="median")
    axes.axhline(100.0, color=MUTED, linewidth=0.5)
    axes.set_xlabel("days", color=MUTED, size=7)
    axes.margins(x=0.0)
    _legend(axes, 0.4)
    _title(axes, f"Equity, % of the begin; {found.paths:,} paths")


def distribution(axes: Axes, losses: Floats, title: str, levels: Sequence[float]) -> None:
    """How losses are spread, with value at risk."""
    counts, edges = np.histogram(losses, _BINS)
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=GREY, alpha=0.6)
    for color, level in zip((AMBER, ORANGE, "#cc79a7"), levels, strict=False):
        value = value_at_risk(losses, level)
        axes.axvline(value, color=color, linewidth=1.2, label=f"VaR {level:g} %: {value:.2f}")
    axes.axvline(0.0, color=MUTED, linewidth=0.5)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.legend(loc="upper right", frameon=False, fontsize=6.5, handlelength=1.2)
    _title(axes, title)


def drawdowns(axes: Axes, one: ProfileRisk) -> None:
    """How many paths fall deeper than so much."""
    falls = np.sort(one.drawdowns)
    share = 100.0 * (1.0 - np.arange(falls.size) / falls.size)
    axes.fill_between(falls, share, step="pre", color=ORANGE, alpha=0.25, linewidth=0)
    axes.step(falls, share, where="pre", color=ORANGE, linewidth=1.0)
    limit, tolerated = one.limits.max_drawdown_pct, one.tolerated.max_drawdown_pct
    if limit is not None:
        axes.axvline(limit, color=INK, linewidth=1.2, label=f"limit {limit:g} %")
        axes.axhline(tolerated, color=MUTED, linewidth=0.8, linestyle=":", label=f"tolerated {tolerated:g} %")
        axes.legend(loc="upper right", bbox_to_anchor=(0.86, 1.0), frameon=False, fontsize=6.5, handlelength=1.2)
    axes.set_ylim(0.0, 100.0)
    axes.set_xlim(left=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("deepest drawdown, %", color=MUTED, size=7)
    _title(axes, "Paths that fall deeper, %")


def exposures(axes: Axes, one: ProfileRisk) -> None:
    """The greatest position and the leverage of each path, beside their limits."""
    positions = np.array([float(each.positions_pct.max(initial=0.0)) for each in one.resampled])
    leverage = np.array([100.0 * float(each.leverage.max(initial=0.0)) for each in one.resampled])
    limits = one.limits
    rows = (
        ("position", positions, limits.max_position_pct),
        ("together", leverage, None if limits.max_leverage is None else 100.0 * limits.max_leverage),
    )
    for place, (_, values, limit) in enumerate(rows):
        low, inner, middle, outer, high = (quantile(values, percent) for percent in (5.0, 25.0, 50.0, 75.0, 95.0))
        axes.plot([low, high], [place, place], color=BLUE, linewidth=1.2)
        axes.barh(place, outer - inner, 0.34, inner, color=BLUE, alpha=0.5)
        axes.plot([middle, middle], [place - 0.17, place + 0.17], color=INK, linewidth=1.4)
        if limit is not None:
            axes.plot([limit, limit], [place - 0.3, place + 0.3], color=ORANGE, linewidth=1.6)
            axes.text(limit, place - 0.36, f"limit {limit:g}", color=ORANGE, size=6.5, ha="right", va="bottom")
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.tick_params(axis="y", labelsize=7, labelcolor=INK)
    axes.set_ylim(1.6, -0.8)
    axes.set_xlim(left=0.0)
    axes.margins(x=0.05)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("5, 25, 50, 75 and 95 % of paths", color=MUTED, size=7)
    _title(axes, "Greatest exposure of a path, % of equity")


def _row(ordered: Floats, percent: float) -> Floats:
    """The quantile of each column of sorted values."""
    count = ordered.shape[0]
    row: Floats = ordered[min(max(int(np.ceil(percent * count / 100.0)) - 1, 0), count - 1)]
    return row


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _legend(axes: Axes, left: float) -> None:
    axes.legend(
        loc="lower left", frameon=False, ncols=10, borderpad=0, bbox_to_anchor=(left, 1.0), fontsize=6.5,
        handlelength=1.0, handletextpad=0.4, columnspacing=1.0,
    )  # fmt: skip


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", size=9, weight="bold")
