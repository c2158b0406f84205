"""A small scheduler in event time: two strategies under two profiles, and bars that say what is wished."""

from __future__ import annotations

from typing import Any

import numpy as np
from barstep.config.core import CoreConfig
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.replay.clock import Clock
from barstep.replay.multi_strategy_scheduler import MultiStrategyScheduler
from barstep.replay.session import Session
from replays import open_session
from scheduler_making import config_of, told_bars
from simulated_disk import SimulatedDisk

BARS = 48
_RNG = np.random.default_rng(3)
CLOSES = {name: 100.0 + np.cumsum(_RNG.normal(size=BARS)) for name in ("X", "Y")}
WISHES = {name: np.repeat(_RNG.choice([-0.5, 0.0, 0.5], BARS // 2), 2) for name in ("X", "Y")}


def small_config(**scheduler: Any) -> CoreConfig:
    """Schedules `fast` (every hour, tag quick) and `slow` (every four, tags quick and calm)."""
    return config_of(
        {
            "fast": {"strategy": "hare", "max_signals": 2},
            "slow": {"strategy": "tortoise", "cadence_seconds": 14_400.0, "risk_profile": "q"},
        },
        ["X", "Y"],
        {"p": {}, "q": {}},
        {
            "hare": {"engine": "told", "tags": ["quick"]},
            "tortoise": {"engine": "told", "tags": ["calm", "quick"]},
        },
        **scheduler,
    )


def small_setup(config: CoreConfig, **more: Any) -> SchedulerSetup:
    bars = {name: told_bars(CLOSES[name], WISHES[name]) for name in CLOSES}
    return set_up_scheduler(config, "s", environment="e", bars=bars, **more)


def small_runtime(
    disk: SimulatedDisk | None = None, clock: Clock | None = None, config: CoreConfig | None = None, **more: Any
) -> MultiStrategyScheduler:
    """Without a journal where no disk is given."""
    config = config or small_config()
    setup = small_setup(config)
    session = Session(setup, block_bars=1, observed=True) if disk is None else open_session(setup, disk, block_bars=1)
    return MultiStrategyScheduler(config, session, clock=clock, **more)
