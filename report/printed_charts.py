"""The charts of the printed sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..engine.bars import Floats, Integers
from .capital import shares
from .downsample import means
from .profits import profits
from .series import Series
from .sheet import Governed, Sheet
from .stack import bases, parts
from .stretches import Stretch
from .texts import short

BLUE, GREY, ORANGE, GREEN, AMBER = "#0072b2", "#8a8f94", "#d55e00", "#009e73", "#e69f00"
_PARTS = (BLUE, AMBER, GREEN, "#cc79a7", "#56b4e9", ORANGE, "#d7c92f", "#7a5c3e", GREY)
_AREAS = 300
"""Spans of time of the stacked areas: narrower ones are hard to see."""
_NAME, _FEW = 10, 5
"""Letters of a name in a legend, and names that need no smaller ones."""
_ROOM = 0.005
"""At both ends of the axis of time, as a share of it."""
_CASH = "#e3e6e9"
_KINDS = {
    "halted": ORANGE, "reducing": AMBER, "governor": "#cc79a7", "profile": "#b8860b", "suspended": BLUE,
    "disabled": "#57606a", "limit": GREEN,
}  # fmt: skip
LANES = 6
"""Of interventions: more do not fit the page."""

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
    _areas(axes, ts_us, list(heights), list(heights.values()), _PARTS)
    _legend(axes, 0.15, small=len(heights) > _FEW)
    _dress(axes, "Weights, %")


def capital(axes: Axes, sheet: Sheet, governed: Governed) -> None:
    """Percent of capital by schedule, and what is left in cash."""
    found = shares(sheet, governed.capital_weights, _AREAS)
    end_us = int(sheet.ts_us[-1]) + sheet.interval_seconds * 1_000_000
    heights = [np.append(height, height[-1]) for height in found.heights]  # the last step has an end too
    colors = (*_PARTS[: len(heights) - 1], _CASH)
    _areas(axes, np.append(found.ts_us, end_us), found.names, heights, colors)
    axes.set_ylim(0.0, 100.0)
    _legend(axes, 0.21, small=len(heights) > _FEW)
    _dress(axes, "Shares of capital, %")


def profit(axes: Axes, sheet: Sheet, governed: Governed, drawn: Drawn) -> None:
    """Profit so far, by schedule."""
    names = list(profits(sheet, governed)["schedule"])
    for place, (color, name) in enumerate(zip(_PARTS, names, strict=False)):
        line = drawn[f"profit_schedule{place}"]
        axes.plot(_times(line.ts_us), line.columns["y"], color=color, linewidth=0.8, label=_shortened(name))
    _legend(axes, 0.21, small=len(names) > _FEW)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _thousands(float(value))))
    _dress(axes, "Profit by schedule")


def interventions(axes: Axes, sheet: Sheet, lanes: Sequence[Sequence[Stretch]]) -> None:
    """A lane for each thing that held the scheduler back, its name above its bars."""
    first_us, end_us = int(sheet.ts_us[0]), int(sheet.ts_us[-1]) + sheet.interval_seconds * 1_000_000
    for down, lane in enumerate(lanes[:LANES]):
        axes.text(0.006, down + 0.42, lane[0].what, transform=axes.get_yaxis_transform(), size=5.5, va="center")
        begins = np.array([max(each.begin_us, first_us) for each in lane])
        ends = np.array([end_us if each.end_us is None else each.end_us for each in lane])
        color = _KINDS[lane[0].kind]  # its edge keeps a short one in sight
        axes.hlines([down + 0.8] * len(lane), _times(begins), _times(ends), color=color, linewidth=2.5)
        axes.scatter(_times(begins), [down + 0.8] * len(lane), marker="|", s=9, color=color, linewidth=0.6)
    room_us = round((end_us - first_us) * _ROOM)
    axes.set_xlim(*_times(np.array([first_us - room_us, end_us + room_us])))
    axes.set_ylim(min(len(lanes), LANES) + 0.1, 0.0)
    more = f", {LANES} of {len(lanes)}" if len(lanes) > LANES else ""
    _dress(axes, f"What held it back{more}")
    axes.set_yticks([])


def _areas(axes: Axes, ts_us: Integers, names: Sequence[str], heights: Sequence[Floats], colors: Iterable[str]) -> None:
    """Areas that stand on one another."""
    places = bases(dict(enumerate(heights))).values()
    for color, name, height, base in zip(colors, names, heights, places, strict=False):
        axes.fill_between(
            _times(ts_us), base, base + height, step="post", color=color, linewidth=0, alpha=0.9,
            label=_shortened(name),
        )  # fmt: skip


def _shortened(name: str) -> str:
    """A name in a legend; of a long one both ends, since names often have one of them in common."""
    return name if len(name) <= _NAME else f"{name[:4]}…{name[5 - _NAME :]}"


def _times(ts_us: Integers) -> np.ndarray:
    return ts_us.astype("datetime64[us]")


def _legend(axes: Axes, left: float, *, small: bool = False) -> None:
    axes.legend(
        loc="lower left", frameon=False, ncols=10, borderpad=0, bbox_to_anchor=(left, 1.0),
        fontsize=5.5 if small else 6.5, handlelength=1.0, handletextpad=0.4, columnspacing=0.7 if small else 1.0,
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
    axes.margins(x=_ROOM)
