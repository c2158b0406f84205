"""Bars that a caller has in the place of recorded ones, with fallbacks or without."""

from __future__ import annotations

from datetime import UTC, datetime

import barstep as bs
import numpy as np
import pytest
from barstep.config.commands import UseFeed
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.engine.bars import Bars
from barstep.engine.configured import ResolvedSchedule, catalog_of, resolve_schedules
from barstep.engine.feeds import FeedSources
from barstep.engine.given_bars import BarsByName, given_sources
from barstep.errors import UsageError
from making import HOUR, bars_of, walk_bars
from msgspec.structs import replace

CONFIG = bs.load_core_config(PACKAGED)
CATALOG = catalog_of(CONFIG)
COINS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
HOURS = walk_bars(20)
QUARTERS = bars_of(np.ones(20), interval_seconds=900)


def schedules_of(config: CoreConfig) -> list[ResolvedSchedule]:
    """Those of `hedged_multi` in the environment `demo`."""
    one = config.runtime.multi_strategy_schedulers["hedged_multi"]
    return resolve_schedules(config, config.environments["demo"], one, CATALOG)


def pairs(bars: Bars) -> BarsByName:
    return dict.fromkeys(COINS, (bars, bars))


def test_they_take_the_instrument_s_name() -> None:
    """And keep what is in them."""
    own = walk_bars(50)
    feeds = given_sources(CONFIG, schedules_of(CONFIG), pairs(own))
    assert [bars.symbol for bars in feeds.primary.values()] == COINS
    for bars in (*feeds.primary.values(), *feeds.secondary.values()):
        assert bars.ts_us is own.ts_us and bars.values is own.values
    assert own.symbol == "X"


def test_they_take_the_place_of_files() -> None:
    """One history where no arbitrage trades it; what is traded nowhere, and a second venue too many, are left aside."""
    own, other = walk_bars(50), walk_bars(50, seed=2, venue="w")
    given_bars: BarsByName = {"SOLUSDT": own, "ETHUSDT": (own, other), "BTCUSDT": (own, other)}
    feeds = given_sources(CONFIG, schedules_of(CONFIG), given_bars)
    assert (list(feeds.primary), list(feeds.secondary), feeds.fallback) == (COINS, ["BTCUSDT"], {})
    assert feeds.secondary["BTCUSDT"].venue == "w"
    only = replace(CONFIG.risk_profiles["balanced"], instrument_buckets={"one": ["ETHUSDT"]})
    config = replace(CONFIG, risk_profiles={"balanced": only, "aggressive": only})
    assert list(given_sources(config, schedules_of(config), given_bars).primary) == ["ETHUSDT"]


def with_fallback(bars: Bars, **fallback: Bars) -> FeedSources:
    """Three instruments on two venues, some with a fallback."""
    both = dict.fromkeys(COINS, bars)
    return FeedSources(base_interval_seconds=HOUR, primary=both, secondary=both, fallback=fallback)


def test_fallbacks_may_be_given_too() -> None:
    """As sources; what has none, has none."""
    given = with_fallback(HOURS, ETHUSDT=walk_bars(20, venue="w"))
    feeds = given_sources(CONFIG, schedules_of(CONFIG), given)
    assert (list(feeds.primary), list(feeds.secondary)) == (COINS, ["BTCUSDT"])
    assert [(name, bars.symbol, bars.venue) for name, bars in feeds.fallback.items()] == [("ETHUSDT", "ETHUSDT", "w")]
    with pytest.raises(UsageError, match="those of v ETHUSDT are 15m long"):
        given_sources(CONFIG, schedules_of(CONFIG), with_fallback(HOURS, ETHUSDT=QUARTERS))


@pytest.mark.parametrize(
    ("bars", "text"),
    [
        ({"BTCUSDT": (HOURS, HOURS), "ETHUSDT": HOURS}, "none of 'SOLUSDT' are given. Given: BTCUSDT, ETHUSDT."),
        ({**pairs(HOURS), "BTCUSD": HOURS}, "unknown instrument 'BTCUSD'. Did you mean 'BTCUSDT'? Allowed: BTCUSDT"),
        ({}, "none of 'BTCUSDT' are given. Given: none."),
        (
            {**pairs(HOURS), "BTCUSDT": HOURS},
            "those of 'BTCUSDT' are of one venue and schedule 'arb' reads two; give (primary, secondary).",
        ),
        (
            {**pairs(HOURS), "ETHUSDT": QUARTERS},
            "those of v ETHUSDT are 15m long; the shortest interval of a schedule is 1h",
        ),
        ({**pairs(HOURS), "BTCUSDT": (HOURS, QUARTERS)}, "those of v BTCUSDT are 15m long; "),
    ],
)
def test_what_is_refused(bars: BarsByName, text: str) -> None:
    """An instrument or a second venue that is missing, an unknown name, another interval."""
    with pytest.raises(UsageError) as refused:
        given_sources(CONFIG, schedules_of(CONFIG), bars)
    assert f"bars: {text}" in str(refused.value)


def test_bars_without_fallbacks_are_those_that_were_read() -> None:
    """A word on feeds says nothing of them, so that a run can be done again on what it traded; of sources it does."""
    given = with_fallback(walk_bars(60), **{name: walk_bars(60, seed=5, venue="w") for name in COINS})
    word = UseFeed(at=datetime(2024, 1, 2, tzinfo=UTC), feed="fallback")
    first = bs.backtest_scheduler(PACKAGED, "core_multi", bars=given, commands=[word])
    assert {one.reason for one in first.setup.feed_changes} == {"commanded"} and len(first.setup.feed_changes) == 3
    legs = dict(zip(first.setup.history.names, first.setup.history.instruments, strict=True))
    merged = {name: (legs[name], given.secondary[name]) for name in COINS}
    again = bs.backtest_scheduler(PACKAGED, "core_multi", bars=merged, commands=[word])
    assert again.digests == first.digests and again.setup.feed_changes == ()
    plain = bs.backtest_scheduler(PACKAGED, "core_multi", bars=with_fallback(walk_bars(60)))
    assert plain.digests != first.digests
