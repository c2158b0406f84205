"""Two schedules that wish the same; the engine of one raises at the bars that a test says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scheduler_making import TOLD, config_of

FAILING = str(Path(__file__).with_name("failing_engine.py"))
BARS = 60
RNG = np.random.default_rng(7)
CLOSES = 100.0 + np.cumsum(RNG.normal(size=BARS))
WISHES = np.repeat(RNG.choice([-1.0, -0.5, 0.0, 0.5, 1.0], BARS // 2), 2)


def config_with_a_failing_engine(**scheduler: Any) -> Any:
    return config_of(
        {"good": {}, "bad": {"strategy": "failing"}},
        engine_files=(TOLD, FAILING),
        health_check_interval=7200.0,
        **scheduler,
    )
