"""Inputs of the gate's cases, made from a fixed seed: a second run times the same work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..config.core import CoreConfig
from ..engine.bars import MICROSECONDS, Bars, Floats

SEED = 20
MINUTE = 60
START_PRICE = 50_000.0
FIRST_US = 1_700_000_040 * MICROSECONDS


_LINE, _PAGE = 64, 4_096
"""Bytes of a line of the cache, and of a page."""


def laid_out(rows: Sequence[Floats]) -> list[Floats]:
    """Copies whose addresses stand to each other alike in every process.

    Rows that begin at the same place of a page are taken for each other by loads after stores, and vectors that cross
    lines cost twice: by chance of the allocator momentum took 0.5 or 0.7 ns a bar. Each row begins on a line, 29 lines
    on from where the row before would have begun in its page.
    """
    stride = max(-(-row.nbytes // _PAGE) for row in rows) * _PAGE + 29 * _LINE
    block = np.zeros(stride * len(rows) + _PAGE, dtype=np.uint8)
    first = -block.ctypes.data % _PAGE
    places = (block[first + k * stride :] for k in range(len(rows)))
    copies = [place[: row.nbytes].view(np.float64) for place, row in zip(places, rows, strict=True)]
    for copied, row in zip(copies, rows, strict=True):
        copied[:] = row
    return copies


def candles(count: int, step: float = 2e-3, seed: int = SEED) -> dict[str, Floats]:
    """Columns of a random walk with relative steps of deviation `step`: every engine trades on it."""
    rng = np.random.default_rng(seed)
    close = START_PRICE * np.exp(np.cumsum(step * rng.standard_normal(count)))
    opens = np.concatenate(([START_PRICE], close[:-1]))
    high = np.maximum(opens, close) * (1.0 + 0.5 * step * rng.random(count))
    low = np.minimum(opens, close) * (1.0 - 0.5 * step * rng.random(count))
    return {"open": opens, "high": high, "low": low, "close": close, "volume": rng.uniform(1.0, 9.0, count)}


def second_venue(first: Mapping[str, Floats], seed: int = SEED) -> dict[str, Floats]:
    """The same bars at a venue whose prices swing 0.4 % about the first's."""
    count = first["close"].size
    noise = np.random.default_rng(seed + 1).standard_normal(count)
    off = 1.0 + 4e-3 * np.sin(np.arange(count) / 300.0) + 5e-4 * noise
    moved = {name: first[name] * off for name in ("open", "close")}
    tops, bottoms = np.maximum(moved["open"], moved["close"]), np.minimum(moved["open"], moved["close"])
    return {**moved, "high": 1.0005 * tops, "low": 0.9995 * bottoms, "volume": first["volume"]}


def bars_of(columns: Mapping[str, Floats], symbol: str = "X", venue: str = "one") -> Bars:
    """Bars of one minute."""
    times = FIRST_US + np.arange(columns["close"].size, dtype=np.int64) * (MINUTE * MICROSECONDS)
    prices = (columns[name] for name in ("open", "high", "low", "close", "volume"))
    return Bars.from_arrays(times, *prices, interval_seconds=MINUTE, symbol=symbol, venue=venue)


def scheduler_config(schedules: Mapping[str, str], instruments: tuple[str, ...]) -> CoreConfig:
    """A scheduler of these engines by schedule, all due every minute on all instruments."""
    plain: dict[str, Any] = {
        "runtime": {
            "multi_strategy_schedulers": {
                "gate": {
                    "capital_policy": {"name": "smoothed", "alpha": 0.3, "base": "signal_strength"},
                    "allocation_rebalance_seconds": MINUTE,
                    "schedules": {
                        name: {"strategy": engine, "cadence_seconds": MINUTE, "interval": MINUTE, "warmup_bars": 100}
                        for name, engine in schedules.items()
                    },
                }
            }
        },
        "risk_profiles": {"all": {}},
        "environments": {
            "gate": {
                "type": "demo",
                "venue": "one",
                "risk_profile": "all",
                "instrument_universe": "all",
                "scheduler": "gate",
                "capital": 1e6,
            }
        },
        "instrument_universes": {"all": {"instruments": {name: {"primary": "one"} for name in instruments}}},
    }
    return msgspec.convert(plain, CoreConfig)
