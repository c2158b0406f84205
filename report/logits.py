"""The histogram of the logits of a walk forward's cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d

from .figures import add_hover, new_plain_figure
from .sheet import Walked

BINS = 24
"""Half of them on each side of 0."""

_HEIGHT = 220


def logit_chart(walked: Walked) -> Any:
    """The histogram of logits, those up to 0 in another colour."""
    logits = walked.splits["logit"].to_numpy()
    edge = max(float(np.abs(logits).max()), 1.0)
    edges = np.linspace(-edge, edge, BINS + 1)
    # A bin holds its right edge, so that 0 is among what did no better than the middle.
    place = np.clip(np.searchsorted(edges, logits, side="left") - 1, 0, BINS - 1)
    shares = np.bincount(place, minlength=BINS) / logits.size * 100.0
    y_range = Range1d(start=0.0, end=float(shares.max()) * 1.08)
    chart = new_plain_figure("logits", _HEIGHT, x_range=Range1d(start=-edge * 1.02, end=edge * 1.02), y_range=y_range)
    for name, part in (("loss", slice(None, BINS // 2)), ("gain", slice(BINS // 2, None))):
        source = ColumnDataSource({"left": edges[:-1][part], "right": edges[1:][part], "share": shares[part]})
        bars = chart.quad("left", "right", "share", 0.0, source=source, name=name, fill_alpha=0.6, line_width=1)
        add_hover(chart, bars, [("logit", "@left{0.00} to @right{0.00}"), ("splits", "@share{0.0} %")], mode="mouse")
    return chart
