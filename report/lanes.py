"""The chart of what held a scheduler back: a lane for each, a bar from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.models import ColumnDataSource, Range1d
from bokeh.models.annotations import Label

from .figures import add_hover
from .series import MILLISECONDS
from .sheet import Sheet
from .stretches import KINDS, Stretch
from .texts import NOTHING

LANE = 36
"""Pixels of a lane: its name, and below it the bar."""

AXIS = 56
"""Pixels for the axis of time, whose labels may have two lines, and above the first lane."""

_TOP, _BOTTOM = 0.52, 0.86
"""Of a bar, in shares of its lane."""


def draw_lanes(figure: Any, sheet: Sheet, drawn: Sequence[Sequence[Stretch]]) -> None:
    """Draw them into an empty chart over time, names inside it, so that they need no room beside it."""
    figure.y_range = Range1d(start=len(drawn), end=0)
    figure.yaxis.visible = False
    figure.ygrid.grid_line_color = None
    for lane, stretches in enumerate(drawn):
        figure.add_layout(
            Label(
                x=0, x_units="screen", y=lane + _TOP - 0.06, text=stretches[0].what, text_font_size="13px",
                text_font="system-ui, sans-serif", text_baseline="bottom",
            )
        )  # fmt: skip
    for kind in KINDS:
        of_kind = [(lane, each) for lane, stretches in enumerate(drawn) for each in stretches if each.kind == kind]
        if of_kind:
            _draw_bars(figure, sheet, kind, of_kind)


def _draw_bars(figure: Any, sheet: Sheet, kind: str, found: Sequence[tuple[int, Stretch]]) -> None:
    end_us = int(sheet.ts_us[-1]) + sheet.interval_seconds * 1_000_000
    columns: dict[str, list[Any]] = {
        "left": [each.begin_us / MILLISECONDS for _, each in found],
        "right": [(end_us if each.end_us is None else each.end_us) / MILLISECONDS for _, each in found],
        "top": [lane + _TOP for lane, _ in found],
        "bottom": [lane + _BOTTOM for lane, _ in found],
    }
    told = {
        "what": [each.what for _, each in found],
        "how much": [each.told or NOTHING for _, each in found],
        "reason": [each.reason or NOTHING for _, each in found],
        "source": [each.source for _, each in found],
        "from": [each.since for _, each in found],
        "until": [each.until for _, each in found],
    }
    source = ColumnDataSource({**columns, **told})
    # The line keeps a short stretch in sight.
    bars = figure.quad("left", "right", "top", "bottom", source=source, name=kind, line_width=2, fill_alpha=0.85)
    add_hover(figure, bars, [(name, f"@{{{name}}}") for name in told], mode="mouse")
