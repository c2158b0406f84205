"""Histories that bring about what a venue's rules are about, and wishes that trade them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import barstep as bs
import numpy as np
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.kernels.columns import CLOSE, HIGH, LOW, OPEN
from trades import Floats, History, Setting

MINUTE = 60
RANDOM_HISTORIES, RANDOM_BARS = 210, 300
WALK_BARS = 20_000
RECORDED = "BINANCE_BTCUSDT_1h.parquet"


def rough(seed: int) -> History:
    """Some hundred bars about 100 with gaps, spikes and bars of one price; every second one on a grid of whole prices.

    On the grid a stop 1 % under an entry at 100 is touched exactly.
    """
    rng = np.random.default_rng(seed)
    n = RANDOM_BARS
    steps = 0.006 * rng.standard_normal((3, n))
    gaps = np.where(rng.random(n) < 0.1, 0.03 * rng.standard_normal(n), 0.0)
    closes = 100.0 * np.exp(np.cumsum(steps[0] - 0.0005 * np.sign(np.cumsum(steps[0]))))
    opens = np.concatenate(([100.0], closes[:-1])) * np.exp(gaps)
    spikes = np.where(rng.random((2, n)) < 0.08, 0.05 * rng.random((2, n)), 0.0)
    highs = np.maximum(opens, closes) * (1.0 + np.abs(steps[1]) + spikes[0])
    lows = np.minimum(opens, closes) * (1.0 - np.abs(steps[2]) - spikes[1])
    still = rng.random(n) < 0.08
    opens, highs, lows = (np.where(still, closes, row) for row in (opens, highs, lows))
    rows = [np.rint(row) if seed % 2 else row for row in (opens, highs, lows, closes)]
    return _history(rows, np.arange(n, dtype=np.int64) * (MINUTE * 1_000_000), MINUTE, rng)


def walk(seed: int) -> History:
    """A long random walk that opens a little off the close before."""
    rng = np.random.default_rng(seed)
    step = 0.004 * rng.standard_normal((2, WALK_BARS))
    closes = 5_000.0 * np.exp(np.cumsum(step[0]))
    opens = np.concatenate(([5_000.0], closes[:-1])) * np.exp(0.25 * step[1])
    highs = np.maximum(opens, closes) * (1.0 + 0.003 * rng.random(WALK_BARS))
    lows = np.minimum(opens, closes) * (1.0 - 0.003 * rng.random(WALK_BARS))
    times = np.arange(WALK_BARS, dtype=np.int64) * (MINUTE * 1_000_000)
    return _history([opens, highs, lows, closes], times, MINUTE, rng)


def of_bars(bars: bs.Bars, seed: int) -> History:
    """A dataset's candles."""
    rows = [bars.values[column] for column in (OPEN, HIGH, LOW, CLOSE)]
    return _history(rows, bars.ts_us, bars.interval_seconds, np.random.default_rng(seed))


def datasets() -> Iterator[tuple[str, History]]:
    """The embedded one, and a recorded one where `BARSTEP_SHARED_DATA` names its folder."""
    files = {"embedded": EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"}
    if folder := os.environ.get("BARSTEP_SHARED_DATA"):
        files["recorded"] = Path(folder) / RECORDED
    for seed, (name, file) in enumerate(files.items()):
        bars = bs.load(file)
        yield f"{name}, {len(bars):,} bars", of_bars(bars, seed)


def through_zero(history: History, setting: Setting) -> History:
    """With limits, wishes that pass through 0 before they change side.

    A flip is a market order where a position is held and a limit order where a level has closed it, so that one trade
    that ended differently would change all that follow.
    """
    if not setting.limit_pct:
        return history
    wishes = history.wishes.copy()
    for bar in range(1, wishes.size):
        if wishes[bar] * wishes[bar - 1] < 0.0:
            wishes[bar] = 0.0
    return History(**{**vars(history), "wishes": wishes})


def _history(rows: list[Floats], times_us: Floats, seconds: int, rng: np.random.Generator) -> History:
    opens, highs, lows, closes = rows
    return History(
        opens=opens,
        highs=highs,
        lows=lows,
        closes=closes,
        times_us=times_us,
        interval_seconds=seconds,
        wishes=_wishes(closes.size, rng),
    )


def _wishes(n: int, rng: np.random.Generator) -> Floats:
    """Sides held for 1 to 14 bars; none at the first bar, at which backtesting.py does not ask yet."""
    sides = np.repeat(rng.integers(-1, 2, n), rng.integers(1, 15, n))[:n].astype(float)
    sides[0] = 0.0
    return sides
