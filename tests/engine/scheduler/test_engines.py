"""Engines that are advanced all in one call give what they give when they are called one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import msgspec
import numpy as np
from barstep.config.core import CoreConfig
from barstep.engine.bars import Bars, Integers
from barstep.engine.scheduler import wishes
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.setup import SchedulerSetup
from hypothesis import example, given
from hypothesis import strategies as st
from random_scheduler import random_scheduler

EPOCH, HOUR_US = datetime(1970, 1, 1, tzinfo=UTC), 3_600_000_000

PAIR = msgspec.convert(
    {
        "runtime": {
            "multi_strategy_schedulers": {
                "s": {
                    "capital_policy": "equal_weight",
                    "schedules": {
                        "hours": {"strategy": "trend", "cadence_seconds": 3600, "interval": 3600},
                        "pairs": {"strategy": "pair", "cadence_seconds": 7200, "interval": 7200},
                    },
                }
            }
        },
        "risk_profiles": {"all": {}},
        "strategies": {
            "trend": {"engine": "sma_crossover", "risk_profile": "all"},
            "pair": {
                "engine": "cross_exchange_arbitrage", "parameters": {"volatility_window": 3}, "risk_profile": "all",
            },
        },
        "environments": {
            "e": {
                "type": "demo", "venue": "one", "risk_profile": "all", "instrument_universe": "all", "scheduler": "s",
                "capital": 1e6,
            }
        },
        "instrument_universes": {"all": {"instruments": {"X": {"primary": "one", "secondary": "two"}}}},
    },
    CoreConfig,
)  # fmt: skip
"""Pairs every two hours, of bars of one."""


@contextmanager
def one_by_one() -> Iterator[None]:
    """Every engine is taken for one from outside."""
    with patch.object(wishes, "number_of", lambda _: None):
        yield


def both(setup: SchedulerSetup) -> tuple[SchedulerMachine, SchedulerMachine]:
    together = SchedulerMachine(setup, observed=True)
    with one_by_one():
        alone = SchedulerMachine(setup, observed=True)
    return together, alone


def assert_same(together: SchedulerMachine, alone: SchedulerMachine, width: int) -> None:
    for name in ("wishes", "confidence", "means"):
        own, other = (np.ascontiguousarray(getattr(one.wishes, name)[..., :width]) for one in (together, alone))
        assert own.tobytes() == other.tobytes(), name
    for (name, own), (_, other) in zip(together.wishes.memories(), alone.wishes.memories(), strict=True):
        assert own.tobytes() == other.tobytes(), name


def set_up(seed: int) -> SchedulerSetup:
    drawn = random_scheduler(seed, bars=(120, 160))
    given = {**drawn.given, "commands": ()}
    if "start_us" in given:
        given["start"] = EPOCH + timedelta(microseconds=given.pop("start_us"))
    return set_up_scheduler(drawn.config, "s", environment="e", bars=drawn.bars, **given)


@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_one_call_gives_what_single_calls_give(seed: int, cuts: list[int]) -> None:
    """Wishes, confidence, means and memories to the bit: with gaps, pairs, longer intervals, any blocks of bars."""
    setup = set_up(seed)
    machines = both(setup)
    for machine in machines:
        machine.warm_up()
    start, begin = 0, machines[0].bars.start
    while begin + start < machines[0].bars.stop:
        for cut in cuts:
            first = begin + start
            stop = min(first + min(cut, setup.block_bars), machines[0].bars.stop)
            if stop == first:
                break
            for machine in machines:
                machine.take_columns(first, stop)
            assert_same(*machines, stop - first + 1)
            start += stop - first


@example(seed=40)
@given(seed=st.integers(0, 10**6))
def test_what_was_given_last_does_not_depend_on_the_blocks(seed: int) -> None:
    """Bars skipped, or a bar at a time: how far each has come and what it gave last are the same bits."""
    assert_blocks_do_not_matter(set_up(seed))


def test_a_pair_finds_room_for_two_longer_bars_at_one_column() -> None:
    """One that time alone has ended, as its second hour is missing, is seen with the one that ends at its close."""
    hours = np.array([hour for hour in range(60) if hour % 10 not in {5, 6, 8}])
    legs = (some_hours(hours, 1, "one"), some_hours(hours, 2, "two"))
    assert_blocks_do_not_matter(set_up_scheduler(PAIR, "s", environment="e", bars={"X": legs}))


def some_hours(hours: Integers, seed: int, venue: str) -> Bars:
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, hours.size)))
    columns = (close, close * 1.01, close * 0.99, close, np.ones(hours.size))
    return Bars.from_arrays(hours * HOUR_US, *columns, interval_seconds=3600, symbol="X", venue=venue)


def assert_blocks_do_not_matter(setup: SchedulerSetup) -> None:
    closes = setup.history.ts_us + setup.history.interval_seconds * 1_000_000
    skipped, single = SchedulerMachine(setup), SchedulerMachine(replace(setup, block_bars=1))
    skipped.wishes.skip(int(closes[-1]))
    for place in range(closes.size):
        single.take_columns(place, place + 1)
    for (name, own), (_, other) in zip(skipped.wishes.memories(), single.wishes.memories(), strict=True):
        if not name.startswith("carries"):  # slots that nothing reads again may hold either
            assert own.tobytes() == other.tobytes(), name
