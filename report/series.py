"""The lines of a report at two levels: a coarse one that is drawn at once, a fine one to zoom into."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from ..engine.bars import Floats
from .downsample import m4
from .sheet import Sheet

COARSE = 750
"""Spans of the line that is drawn at once: with four points each, as many as a wide screen has pixels."""

FINE = 2_500
"""Spans of the line to zoom into, which keeps the file of a million bars small."""

MILLISECONDS = 1_000


@dataclass(frozen=True)
class Line:
    """A named series.

    Attributes:
        name: `equity`, `benchmark`, `drawdown` or `position`.
        x: float64[n], milliseconds since the epoch, as browsers count.
        y: float32[n].
        fine: Base64 of the fine level: `x` uint32 seconds since the first point, `y` float32; None where all is drawn.
    """

    name: str
    x: Floats
    y: np.ndarray
    fine: dict[str, str] | None


def lines(sheet: Sheet) -> dict[str, Line]:
    """The series by name. A drawdown is drawn downwards."""
    return {
        "equity": _line(sheet, "equity", sheet.equity["equity"].to_numpy()),
        "benchmark": _line(sheet, "benchmark", sheet.buy_and_hold),
        "drawdown": _line(sheet, "drawdown", -sheet.equity["drawdown_pct"].to_numpy()),
        "position": _line(sheet, "position", sheet.position),
    }


def _line(sheet: Sheet, name: str, values: Floats) -> Line:
    ts_us = sheet.ts_us
    coarse = m4(ts_us, values, COARSE)
    fine = None
    if coarse.size < ts_us.size:
        places = m4(ts_us, values, FINE)
        fine = {
            "x": _base64(((ts_us[places] - ts_us[0]) // 1_000_000).astype("<u4")),
            "y": _base64(values[places].astype("<f4")),
        }
    return Line(name, ts_us[coarse] / MILLISECONDS, values[coarse].astype(np.float32), fine)


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def least_span_ms(sheet: Sheet) -> float:
    """The shortest stretch worth zooming into: some thirty bars, or thirty spans of the fine level."""
    ts_us = sheet.ts_us
    span = int(ts_us[-1] - ts_us[0]) / FINE if ts_us.size > 4 * FINE else 0.0
    return 30.0 * max(sheet.interval_seconds * 1e6, span) / MILLISECONDS
