"""The engine that is told its wishes, and raises at some bars as often as `FAILS` says."""

from __future__ import annotations

import math
from typing import Any

from barstep.engine.strategy import StrategyEngine
from barstep.kernels.columns import CONFIDENCE, TARGET, VOLATILITY, VOLUME

FAILS: dict[int, int] = {}
"""By a bar's place, how often it is still to fail there."""
SEEN = 1
"""Slot of the carry: bars that were seen."""


def _failing(bars: Any, params: Any, carry: Any, out: Any, start: int, stop: int, at: int) -> None:
    for bar in range(start, stop):
        carry[SEEN] += 1.0
        if FAILS.get(bar, 0) > 0:
            FAILS[bar] -= 1
            raise ValueError(f"bar {bar}\nis not to my taste")
        if carry[SEEN] != bar + 1:
            raise AssertionError("a bar was seen twice, or not at all")
        hundredths = math.floor(bars[VOLUME, bar] / 10.0)
        out[TARGET, at + bar - start] = (hundredths - 1000) / 100.0
        out[CONFIDENCE, at + bar - start] = (bars[VOLUME, bar] - 10.0 * hundredths) / 10.0
        out[VOLATILITY, at + bar - start] = math.nan


ENGINE = StrategyEngine(
    name="failing", kernel=_failing, parameters=(), carry_size=3, diagnostics=(), history=lambda _: 1
)
