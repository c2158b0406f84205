"""The charts of the printed sheet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..engine.bars import Integers
from .downsample import means
from .series import Series
from .stack import bases, parts
from .texts import short

BLUE, GREY, ORANGE, GREEN, AMBER = "#0072b2", "#8a8f94", "#d55e00", "#009e73", "#e69f00"
_PARTS = (BLUE, AMBER, GREEN, "#cc79a7", "#56b4e9", ORANGE, "#d7c92f", "#7a5c3e", GREY)
_AREAS = 300
"""Spans of time of the stacked areas: narrower ones are hard to see."""
_NAME, _FEW = 10, 5
"""Letters of a name in a legend, and names that need no smaller ones."""

Drawn = Mapping[str, Series]


def equity(axes: Axes, drawn: Drawn) -> None:
    """Equity, buy and hold, and the band where bars were ambiguous."""
    for name, color, text in (("benchmark", GREY, "buy and hold"), ("equity", BLUE, "equity")):
        axes.plot(_times(drawn[name].ts_us), drawn[name].columns["y"], color=color, linewidth=0.8, label=text)
    if "band" in drawn:
        band = drawn["band"]
        axes.fill_between(
            _times(band.ts_us), band.columns["worse"], band.columns["better"], color=AMBER, alpha=0.35, linewidth=0.4,
            label="between the worse and the better order in ambiguous bars",
        )  # fmt: skip
    _legend(axes, 0.09)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _thousands(float(value))))
    _dress(axes, "Equity")


def drawdown(axes: Axes, drawn: Drawn) -> None:
    """The fall from the peak so far, downwards."""
    times, values = _times(drawn["drawdown"].ts_us), drawn["drawdown"].columns["y"]
    axes.fill_between(times, values, 0.0, color=ORANGE, alpha=0.25, linewidth=0)
    axes.plot(times, values, color=ORANGE, linewidth=0.8)
    _dress(axes, "Drawdown, % under the peak so far")


def exposure(axes: Axes, drawn: Drawn) -> None:
    """Gross and net exposure, in percent of equity."""
    for name, color in (("gross", GREY), ("net", GREEN)):
        axes.step(
            _times(drawn[name].ts_us), drawn[name].columns["y"], where="post", color=color, linewidth=0.6, label=name
        )
    _legend(axes, 0.15)
    _dress(axes, "Exposure, %")


def weights(axes: Axes, held: pl.DataFrame) -> None:
    """Percent of equity by instrument, as areas that stand on one another."""
    ts_us, heights = means(held["timestamp"].to_physical().to_numpy(), parts(held), _AREAS)
    for color, (name, height), base in zip(_PARTS, heights.items(), bases(heights).values(), strict=False):
        axes.fill_between(
            _times(ts_us), base, base + height, step="post", color=color, linewidth=0, alpha=0.9,
            label=name if len(name) <= _NAME else f"{name[:_NAME - 1]}…",
        )  # fmt: skip
    _legend(axes, 0.15, small=len(heights) > _FEW)
    _dress(axes, "Weights, %")


def _times(ts_us: Integers) -> np.ndarray:
    return ts_us.astype("datetime64[us]")


def _legend(axes: Axes, left: float, *, small: bool = False) -> None:
    axes.legend(
        loc="lower left", frameon=False, ncols=10, borderpad=0, bbox_to_anchor=(left, 1.0),
        fontsize=5.5 if small else 6.5, handlelength=1.0, handletextpad=0.4, columnspacing=1.0,
    )  # fmt: skip


def _thousands(value: float) -> str:
    """A number on an axis: `400k`, `1.5m`."""
    for size, sign in ((1e9, "b"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return short(value / size) + sign
    return short(value)


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", size=9, weight="bold")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.margins(x=0.005)
