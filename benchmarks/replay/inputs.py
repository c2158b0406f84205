"""What is replayed: one schedule on one instrument, or fifty on twenty pairs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import barstep as bs
import msgspec
import numpy as np
from barstep.config.core import CoreConfig
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.setup import SchedulerSetup

sys.path.append(str(Path(__file__).parents[1] / "scheduler"))
from making import MINUTE_US, make_bars, make_config  # the fifty of the other benchmark

SCHEDULES_AN_ENGINE, INSTRUMENTS = 10, 20


def one_schedule(count: int) -> SchedulerSetup:
    """`sma_crossover` every minute on `count` minutes of one instrument."""
    arrays = minutes(count)
    times = arrays.pop("ts_us")
    bars = bs.Bars.from_arrays(times, **arrays, interval_seconds=60, symbol="BTCUSDT", venue="one")
    return set_up_scheduler(one_schedule_config(), bars={"BTCUSDT": bars}, fee_bps=1)


def fifty_schedules(count: int) -> SchedulerSetup:
    """Ten of each of five engines on twenty pairs, all due every minute; one signal a run at most."""
    config = make_config(SCHEDULES_AN_ENGINE, INSTRUMENTS, mixed=False, max_signals=1, rebalance_seconds=900)
    return set_up_scheduler(config, bars=make_bars(INSTRUMENTS, count), fee_bps=1)


def minutes(count: int, seed: int = 7) -> dict[str, np.ndarray[Any, Any]]:
    """Bars of one minute as columns, prices in whole cents."""
    rng = np.random.default_rng(seed)
    close = np.round(50_000.0 * np.exp(np.cumsum(rng.normal(0.0, 6e-4, count))), 2)
    opens = np.concatenate((close[:1], close[:-1]))
    return {
        "ts_us": 1_700_000_040_000_000 + np.arange(count) * MINUTE_US,
        "open": opens,
        "high": np.maximum(opens, close) + 1.0,
        "low": np.minimum(opens, close) - 1.0,
        "close": close,
        "volume": np.round(rng.uniform(1.0, 9.0, count), 3),
    }


def one_schedule_config() -> CoreConfig:
    schedule = {"strategy": "sma_crossover", "cadence_seconds": 60, "interval": 60, "warmup_bars": 100}
    environment = {
        "type": "demo", "venue": "one", "risk_profile": "all", "instrument_universe": "all", "scheduler": "one",
        "capital": 1e6,
    }  # fmt: skip
    scheduler = {"capital_policy": "equal_weight", "schedules": {"only": schedule}}
    plain = {
        "runtime": {"multi_strategy_schedulers": {"one": scheduler}},
        "risk_profiles": {"all": {}},
        "environments": {"demo": environment},
        "instrument_universes": {"all": {"instruments": {"BTCUSDT": {"primary": "one"}}}},
    }
    return msgspec.convert(plain, CoreConfig)
