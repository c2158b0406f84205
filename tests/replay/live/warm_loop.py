"""Loads what a loop needs, once for all that are forked; nothing here opens a connection or starts a thread.

So its bars are made here: reading recorded ones would start threads, which do not outlive a fork.
"""

# ruff: noqa: F401 - loaded for those that are forked

import barstep.cli.app
import barstep.cli.scheduler.run
import barstep.engine.configured
import barstep.replay.control.listening
import barstep.replay.control.opening
import barstep.replay.control.reloading
import barstep.replay.live.opening
import numpy as np
from barstep.engine.bars import Bars
from barstep.replay.live.greeting import legs_of
from barstep.replay.stub.market import Market
from uninterrupted import HOUR_US, START_US, Uninterrupted, plan_of_the_loop
from world import run


def walk(symbol: str, venue: str, count: int, seed: int) -> Bars:
    """Random hours that begin long enough before the start."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    opens = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opens, close) * 1.001, np.minimum(opens, close) * 0.999
    times = START_US + (np.arange(count) - 400) * HOUR_US
    return Bars.from_arrays(
        times, opens, high, low, close, rng.uniform(1.0, 9.0, count), interval_seconds=3600, symbol=symbol, venue=venue
    )


run(
    Uninterrupted(
        60, Market([walk(leg.symbol, leg.venue, 500, seed) for seed, leg in enumerate(legs_of(plan_of_the_loop()))])
    )
)
