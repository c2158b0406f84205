"""Backtests of small schedulers, made to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import barstep as bs
import msgspec
import numpy as np
from barstep.config.commands import Command
from barstep.config.core import CoreConfig
from barstep.engine.scheduler.backtest import backtest_scheduler
from barstep.engine.scheduler.result import SchedulerResult

HOUR_US = 3_600_000_000
START_US = 1_704_067_200_000_000
"""2024-01-01T00:00Z."""


def walks(names: Sequence[str], n: int, seed: int = 5) -> dict[str, bs.Bars]:
    """A random walk of `n` hours for each name."""
    rng = np.random.default_rng(seed)
    return {name: _walk(rng, name, n) for name in names}


def _walk(rng: np.random.Generator, name: str, n: int) -> bs.Bars:
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal(n) * 0.006))
    opens = np.append(close[:1], close[:-1])
    return bs.Bars.from_arrays(
        START_US + np.arange(n) * HOUR_US, opens, np.maximum(opens, close) * 1.002, np.minimum(opens, close) * 0.998,
        close, interval_seconds=3600, symbol=name, venue="one",
    )  # fmt: skip


def governed(
    bars: Mapping[str, bs.Bars],
    schedules: Sequence[str] = ("fast", "slow"),
    *,
    tags: Sequence[str] = ("t",),
    commands: Sequence[Command] = (),
    without: Sequence[Any] = (),
    warmup_bars: int = 10,
    **scheduler: Any,
) -> SchedulerResult:
    """Schedules of moving averages, each with a strategy of its name, on the same instruments."""
    config = {
        "runtime": {
            "multi_strategy_schedulers": {
                "many": {
                    "capital_policy": "equal_weight",
                    "allocation_rebalance_seconds": 3600,
                    "schedules": {
                        name: {
                            "strategy": f"{name}_averages",
                            "cadence_seconds": 3600,
                            "interval": 3600,
                            "warmup_bars": warmup_bars,
                        }
                        for name in schedules
                    },
                    **scheduler,
                }
            }
        },
        "risk_profiles": {"all": {}},
        "strategies": {
            f"{name}_averages": {
                "engine": "sma_crossover",
                "parameters": {"fast_ma": 3 + k, "slow_ma": 9 + 3 * k},
                "risk_profile": "all",
                "tags": list(tags),
            }
            for k, name in enumerate(schedules)
        },
        "environments": {
            "demo": {
                "type": "demo",
                "venue": "one",
                "risk_profile": "all",
                "instrument_universe": "all",
                "scheduler": "many",
                "capital": 100_000,
            }
        },
        "instrument_universes": {"all": {"instruments": {name: {"primary": "one"} for name in bars}}},
    }
    core = msgspec.convert(config, CoreConfig)
    return backtest_scheduler(core, bars=bars, commands=commands, without=without)
