"""An engine that wishes what its bars tell it: the volume is 10 × (100 × (wish + 10)) + 10 × confidence."""

from __future__ import annotations

import math
from typing import Any

from barstep.engine.strategy import StrategyEngine
from barstep.kernels.columns import CONFIDENCE, TARGET, VOLATILITY, VOLUME


def _told(bars: Any, params: Any, carry: Any, out: Any, start: int, stop: int, at: int) -> None:
    for bar in range(start, stop):
        hundredths = math.floor(bars[VOLUME, bar] / 10.0)
        place = at + bar - start
        out[TARGET, place] = (hundredths - 1000) / 100.0
        out[CONFIDENCE, place] = (bars[VOLUME, bar] - 10.0 * hundredths) / 10.0
        out[VOLATILITY, place] = math.nan


def volume_of(wish: float, confidence: float) -> float:
    return 10.0 * round(100.0 * (wish + 10.0)) + 10.0 * confidence


def _engine(name: str, *, needs_secondary: bool) -> StrategyEngine:
    return StrategyEngine(
        name=name, kernel=_told, parameters=(), carry_size=3, diagnostics=(), history=lambda _: 1,
        needs_secondary=needs_secondary,
    )  # fmt: skip


ENGINE = _engine("told", needs_secondary=False)
PAIR_ENGINE = _engine("told_pair", needs_secondary=True)
