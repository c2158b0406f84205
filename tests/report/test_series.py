"""The lines of a report, coarse and fine."""

from __future__ import annotations

import base64
from collections.abc import Callable

import barstep as bs
import numpy as np
from barstep.report.series import COARSE, FINE, least_span_ms, lines
from barstep.report.sheet import sheet_of


def test_fine_points_are_the_data(hours: bs.Result) -> None:
    """Every fine point is a bar's time and value, extremes included."""
    sheet = sheet_of(hours)
    line = lines(sheet)["equity"]
    assert line.fine is not None
    seconds = np.frombuffer(base64.b64decode(line.fine["x"]), "<u4").astype(np.int64)
    values = np.frombuffer(base64.b64decode(line.fine["y"]), "<f4")
    places = np.searchsorted(sheet.ts_us, sheet.ts_us[0] + seconds * 1_000_000)
    np.testing.assert_array_equal(values, hours.equity_values[places].astype(np.float32))
    assert values.max() == np.float32(hours.equity_values.max())
    assert 4 * COARSE < values.size <= 4 * FINE


def test_a_coarse_line_has_the_extremes(hours: bs.Result) -> None:
    """The deepest drawdown is on the line that is drawn first, downwards."""
    line = lines(sheet_of(hours))["drawdown"]
    assert line.y.min() == np.float32(-hours.metrics["max_drawdown_pct"])
    assert line.x.size <= 4 * COARSE


def test_a_short_history_has_one_level(made: Callable[..., bs.Result]) -> None:
    """Where every bar is drawn at once there is nothing finer to embed."""
    sheet = sheet_of(made(300))
    assert all(line.fine is None and line.x.size == 300 for line in lines(sheet).values())
    assert least_span_ms(sheet) == 30 * 3_600_000
