"""A scheduler's bars: where they are found, on which interval, what longer bars hold, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as swap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.commands import Halt, UseFeed
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.config.universes import Feed, Instrument, Universe
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.data.generate import Key, generate_market
from barstep.data.presets import EMBEDDED_FOLDER, custom_spec
from barstep.engine.bars import Bars
from barstep.engine.configured import ResolvedSchedule, catalog_of, resolve_schedules
from barstep.engine.fallback import FeedUse
from barstep.engine.feeds import Feeds, FeedSources, base_interval_seconds, read_feeds
from barstep.engine.joining import coarser
from barstep.errors import DataError, UsageError
from making import HOUR, HOUR_US, START_US, bars_of, walk_bars
from msgspec.structs import replace

CONFIG = bs.load_core_config(PACKAGED)
CATALOG = catalog_of(CONFIG)
COINS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
DAY = 86_400
QUARTERS = bars_of(np.ones(20), interval_seconds=900)


def schedules_of(config: CoreConfig, scheduler: str = "hedged_multi") -> list[ResolvedSchedule]:
    """Its schedules in the environment `demo`."""
    one = config.runtime.multi_strategy_schedulers[scheduler]
    return resolve_schedules(config, config.environments["demo"], one, CATALOG)


def with_intervals(config: CoreConfig, **interval: float) -> CoreConfig:
    """`hedged_multi` with other intervals."""
    one = config.runtime.multi_strategy_schedulers["hedged_multi"]
    changed = {name: replace(one.schedules[name], interval=seconds) for name, seconds in interval.items()}
    schedulers = {"hedged_multi": replace(one, schedules={**one.schedules, **changed})}
    return replace(config, runtime=replace(config.runtime, multi_strategy_schedulers=schedulers))


def with_bitcoin(config: CoreConfig, **feeds: str | Feed | None) -> CoreConfig:
    """The universe `bitcoin`, which the arbitrage trades, with other feeds."""
    universe = Universe(instruments={"BTCUSDT": Instrument(**{"primary": "binance", **feeds})})  # type: ignore[arg-type]
    return replace(config, instrument_universes={**config.instrument_universes, "bitcoin": universe})


def with_feed(config: CoreConfig, feed: str | None) -> CoreConfig:
    """The environment `demo` with another folder of bars."""
    demo = replace(config.environments["demo"], feed=feed)
    return replace(config, environments={**config.environments, "demo": demo})


def read(config: CoreConfig, scheduler: str = "hedged_multi") -> Feeds:
    return read_feeds(config, "demo", schedules_of(config, scheduler))


def same(one: Bars, other: Bars) -> bool:
    """Whether two histories are the same bars, whatever they are called."""
    return np.array_equal(one.ts_us, other.ts_us) and np.array_equal(one.values, other.values, equal_nan=True)


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Key, Bars]]:
    """A folder of three generated days, in minutes, on two venues, under names that say nothing; and what is in it."""
    folder = tmp_path_factory.mktemp("minutes")
    spec = custom_spec(
        seed=3, symbols=COINS, venues=["binance", "kraken"], interval_seconds=60,
        start=datetime(2024, 1, 1, tzinfo=UTC), end=datetime(2024, 1, 4, tzinfo=UTC),
    )  # fmt: skip
    market = generate_market(spec)
    for place, dataset in enumerate(market.values()):
        write_dataset(dataset.frame, dataset.info, folder / f"{place}.parquet")
    return folder, {key: Bars.from_dataset(dataset) for key, dataset in market.items()}


def test_embedded_bars() -> None:
    """Every instrument of a schedule from its primary; from the secondary only what an arbitrage trades."""
    feeds = read(CONFIG)
    assert feeds.base_interval_seconds == HOUR
    assert list(feeds.primary) == COINS
    assert list(feeds.secondary) == ["BTCUSDT"]
    assert {bars.venue for bars in feeds.primary.values()} == {"binance"}
    for name, bars in feeds.primary.items():
        assert same(bars, bs.load(EMBEDDED_FOLDER / f"binance_{name}_1h.parquet"))
    assert same(feeds.secondary["BTCUSDT"], bs.load(EMBEDDED_FOLDER / "kraken_BTCUSDT_1h.parquet"))
    assert list(read(CONFIG, "core_multi").secondary) == COINS


def test_a_folder_of_one_s_own(minutes: tuple[Path, dict[Key, Bars]]) -> None:
    """Bars of a minute, as they are where a schedule has that interval, else joined to the shortest one."""
    folder, market = minutes
    config = with_feed(CONFIG, str(folder))
    feeds = read(with_intervals(config, arb=60.0))
    assert feeds.base_interval_seconds == 60
    assert all(same(bars, market["binance", name]) for name, bars in feeds.primary.items())
    hours = read(config)
    assert len(hours.primary["ETHUSDT"]) == 72
    assert same(hours.primary["ETHUSDT"], coarser(market["binance", "ETHUSDT"], HOUR))
    assert same(hours.secondary["BTCUSDT"], coarser(market["kraken", "BTCUSDT"], HOUR))


def test_a_feed_s_own_symbol_and_folder(minutes: tuple[Path, dict[Key, Bars]]) -> None:
    """What the venue calls it is looked for, the universe's name is what bars are called; `embedded` may stand too."""
    folder, market = minutes
    feed = Feed(venue="kraken", symbol="ETHUSDT", folder=str(folder))
    universe = Universe(
        instruments={"BTCUSDT": Instrument(primary=feed, secondary=Feed(venue="binance", folder="embedded"))}
    )
    config = replace(with_feed(CONFIG, None), instrument_universes={"majors": universe, "bitcoin": universe})
    feeds = read(config)
    bars = feeds.primary["BTCUSDT"]
    assert (bars.symbol, bars.venue) == ("BTCUSDT", "kraken")
    assert same(bars, coarser(market["kraken", "ETHUSDT"], HOUR))
    assert len(feeds.secondary["BTCUSDT"]) == 17_544


def test_a_folder_is_taken_from_the_working_folder(
    minutes: tuple[Path, dict[Key, Bars]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As all paths of a configuration are."""
    folder, _ = minutes
    monkeypatch.chdir(folder.parent)
    assert len(read(with_feed(CONFIG, folder.name)).primary["BTCUSDT"]) == 72


@pytest.mark.parametrize(
    ("intervals", "base_seconds"),
    [
        ({}, HOUR),
        ({"trend": 900.0}, 900),
        ({"arb": 4.0 * HOUR}, HOUR),
        ({"trend": 1.0 * DAY, "arb": 6.0 * HOUR}, 21_600),
    ],
)
def test_the_shortest_interval_is_traded_on(intervals: dict[str, float], base_seconds: int) -> None:
    """Whichever schedule has it."""
    assert base_interval_seconds(schedules_of(with_intervals(CONFIG, **intervals))) == base_seconds


@pytest.mark.parametrize(
    ("intervals", "text"),
    [
        (
            {"trend": 5400.0},
            "schedule 'trend': interval is 5400 s, which is no multiple of 3600 s, the shortest one (schedule 'arb')",
        ),
        ({"arb": 0.5}, "schedule 'arb': interval is 0.5 s; bars are whole seconds long."),
    ],
)
def test_intervals_that_do_not_fit(intervals: dict[str, float], text: str) -> None:
    """A longer one that is no multiple, a part of a second."""
    with pytest.raises(UsageError) as refused:
        base_interval_seconds(schedules_of(with_intervals(CONFIG, **intervals)))
    assert text in str(refused.value)


def test_a_recorded_file_too_short_for_one_bar(tmp_path: Path) -> None:
    """It is named: nothing could be traded in it at all."""
    for venue in ("binance", "kraken"):
        for name in COINS:
            info = DatasetInfo(symbol=name, venue=venue, interval_seconds=900)
            write_dataset(QUARTERS.to_frame()[:3], info, tmp_path / f"{venue}{name}.parquet")
    with pytest.raises(DataError, match=r"Bars\(binance BTCUSDT 15m, 3 bars, .*\) does not hold one whole bar of 1h\."):
        read(with_feed(CONFIG, str(tmp_path)))


def paper(config: CoreConfig) -> Feeds:
    return read_feeds(config, "binance_paper", schedules_of(config))


@pytest.mark.parametrize(
    ("made", "error", "text"),
    [
        (
            lambda: paper(CONFIG),
            UsageError,
            "environment 'binance_paper' has no recorded bars of BTCUSDT: set its 'feed' to a folder or to embedded, "
            "or 'folder' at the instrument's binance feed. Environments that have one: demo.",
        ),
        (lambda: paper(with_feed(CONFIG, None)), UsageError, "or 'folder' at the instrument's binance feed."),
        (lambda: read(with_feed(CONFIG, "nowhere/at_all")), DataError, "nowhere/at_all: no such folder of recorded"),
        (
            lambda: read(with_bitcoin(CONFIG, secondary=Feed(venue="kraken", symbol="XBTUSDT"))),
            DataError,
            "no bars of kraken XBTUSDT in 1h, nor shorter ones that divide it. Did you mean 'kraken BTCUSDT 1h'?",
        ),
        (
            lambda: read(with_intervals(CONFIG, arb=60.0)),
            DataError,
            "no bars of binance ETHUSDT in 1m, nor shorter ones that divide it. Did you mean 'binance ETHUSDT 1h'?",
        ),
        (
            lambda: read(with_bitcoin(CONFIG)),
            UsageError,
            "instrument 'BTCUSDT' of universe 'bitcoin' has no secondary feed, which schedule 'arb' needs: "
            "cross_exchange_arbitrage reads two venues.",
        ),
        (
            lambda: read(with_bitcoin(CONFIG, primary=Feed(venue="kraken", folder="mine"), secondary="binance")),
            UsageError,
            "instrument 'BTCUSDT' is binance BTCUSDT for an earlier schedule and kraken BTCUSDT in mine for 'arb' "
            "(universe 'bitcoin'); in one run a name is one instrument.",
        ),
    ],
)
def test_one_line_for_what_is_wrong(made: Callable[[], Feeds], error: type[Exception], text: str) -> None:
    """No recorded bars, no folder, no such bars in it, no second venue, one name for two things."""
    with pytest.raises(error) as refused:
        made()
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)


def with_hole(folder: Path, market: dict[Key, Bars], start: int, stop: int) -> None:
    """A folder of three days of minutes; of binance's BTCUSDT the minutes start..stop are missing."""
    for (venue, name), bars in market.items():
        frame = bars.to_frame()
        if (venue, name) == ("binance", "BTCUSDT"):
            frame = pl.concat([frame[:start], frame[stop:]])
        info = DatasetInfo(symbol=name, venue=venue, interval_seconds=60)
        write_dataset(frame, info, folder / f"{venue}_{name}.parquet")


def test_a_fallback_stands_in_at_the_interval_that_is_traded(
    minutes: tuple[Path, dict[Key, Bars]], tmp_path: Path
) -> None:
    """Ninety missing minutes stall a feed of minutes; in hours one is missing, the two around it are thin: no stall."""
    _, market = minutes
    with_hole(tmp_path, market, 1000, 1090)
    config = with_feed(CONFIG, str(tmp_path))
    feeds = read(with_intervals(config, arb=60.0))
    merged, own, other = feeds.primary["BTCUSDT"], market["binance", "BTCUSDT"], market["kraken", "BTCUSDT"]
    assert [(one.reason, one.at_us) for one in feeds.changes] == [
        ("stalled", own.closes_us[1001]),
        ("recovered", own.closes_us[1091]),
    ]
    assert np.flatnonzero(feeds.from_fallback["BTCUSDT"]).tolist() == [*range(1000, 1090)]
    assert merged.ts_us.tolist() == np.delete(own.ts_us, 1000).tolist()
    assert merged.values[:5, 1000:1090].tobytes() == np.ascontiguousarray(other.values[:5, 1001:1091]).tobytes()
    assert same(feeds.primary["ETHUSDT"], market["binance", "ETHUSDT"])
    hours = read(config)
    assert hours.changes == ()
    assert len(hours.primary["BTCUSDT"]) == 71


def test_a_fallback_that_is_not_there(minutes: tuple[Path, dict[Key, Bars]], tmp_path: Path) -> None:
    """Of the environment's folder it is left out, and the gap stays; of a folder of its own it is missed."""
    _, market = minutes
    with_hole(tmp_path, market, 1000, 1200)
    config = with_feed(with_intervals(CONFIG, arb=60.0), str(tmp_path))

    def with_fallback(fallback: Feed | None) -> CoreConfig:
        universe = Universe(
            instruments={name: Instrument(primary="binance", secondary="kraken", fallback=fallback) for name in COINS}
        )
        return replace(config, instrument_universes={"majors": universe, "bitcoin": universe})

    feeds = read(with_fallback(Feed(venue="coinbase")))
    assert (feeds.from_fallback, feeds.changes, len(feeds.primary["BTCUSDT"])) == ({}, (), 3 * 24 * 60 - 200)
    with pytest.raises(DataError, match="no bars of coinbase BTCUSDT in 1m"):
        read(with_fallback(Feed(venue="coinbase", folder=str(tmp_path))))


def test_an_instrument_has_one_fallback(minutes: tuple[Path, dict[Key, Bars]]) -> None:
    """Whichever universe names it; two that differ are refused."""
    folder, _ = minutes
    config = with_feed(CONFIG, str(folder))
    assert list(read(with_bitcoin(config, secondary="kraken")).from_fallback) == COINS
    with pytest.raises(
        UsageError, match=r"the fallback of instrument 'BTCUSDT' is kraken BTCUSDT for an earlier .* and"
    ):
        read(with_bitcoin(config, secondary="kraken", fallback="coinbase"))


def sources() -> FeedSources:
    """Three instruments, two of them with a fallback."""
    bars = {name: swap(walk_bars(20, seed=seed), symbol=name) for seed, name in enumerate(COINS)}
    fallback = {name: walk_bars(20, seed=9, venue="w") for name in COINS[:2]}
    return FeedSources(base_interval_seconds=HOUR, primary=bars, fallback=fallback)


def use_feed(hour: int, feed: Literal["primary", "fallback"], instrument: str | None = None) -> UseFeed:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START_US + hour * HOUR_US)
    return UseFeed(at=at, feed=feed, instrument=instrument)


def test_commands_say_where_bars_come_from() -> None:
    """One instrument's, or all that have a fallback; other commands are no words on feeds."""
    given = [Halt(at=datetime(2024, 1, 1, tzinfo=UTC)), use_feed(4, "fallback", COINS[0]), use_feed(9, "primary")]
    back = FeedUse(at_us=START_US + 9 * HOUR_US, feed="primary")
    told = {
        COINS[0]: [FeedUse(at_us=START_US + 4 * HOUR_US, feed="fallback"), back],
        COINS[1]: [back],
    }
    feeds, expected = sources().commanded(given), sources().merged(told)
    assert all(same(feeds.primary[name], expected.primary[name]) for name in COINS)
    assert feeds.changes == expected.changes
    assert [(one.instrument, one.change, one.reason) for one in feeds.changes] == [
        (COINS[0], "fallback", "commanded"), (COINS[0], "primary", "commanded"),
    ]  # fmt: skip
    opened_us = feeds.primary[COINS[0]].ts_us[feeds.from_fallback[COINS[0]]]
    assert ((opened_us - START_US) // HOUR_US).tolist() == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("instrument", "text"),
    [
        ("BTCUSD", "unknown instrument 'BTCUSD'. Did you mean 'BTCUSDT'?"),
        (COINS[2], "SOLUSDT: no fallback feed is rec"),
    ],
)
def test_a_word_on_what_has_no_fallback_is_refused(instrument: str, text: str) -> None:
    """It would do nothing."""
    with pytest.raises(UsageError) as refused:
        sources().commanded([use_feed(4, "fallback", instrument)])
    assert text in str(refused.value)
    with pytest.raises(UsageError, match="BTCUSDT, ETHUSDT, SOLUSDT: no fallback feed is recorded"):
        FeedSources(base_interval_seconds=HOUR, primary=sources().primary).commanded([use_feed(4, "fallback")])
