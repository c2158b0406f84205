"""A scheduler's bars: where they are found, on which interval, what longer bars hold, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.config.universes import Feed, Instrument, Universe
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.data.generate import Key, generate_market
from barstep.data.presets import EMBEDDED_FOLDER, custom_spec
from barstep.engine.bars import Bars
from barstep.engine.configured import ResolvedSchedule, catalog_of, resolve_schedules
from barstep.engine.feeds import Feeds, GivenBars, base_interval_seconds, given_feeds, read_feeds
from barstep.engine.joining import coarser
from barstep.errors import DataError, UsageError
from making import HOUR, bars_of, walk_bars
from msgspec.structs import replace

CONFIG = bs.load_core_config(PACKAGED)
CATALOG = catalog_of(CONFIG)
COINS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
DAY = 86_400


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


def test_the_name_is_shown_by_results(minutes: tuple[Path, dict[Key, Bars]]) -> None:
    """Given bars take the instrument's name too, and keep what is in them."""
    _, market = minutes
    own = coarser(market["kraken", "ETHUSDT"], HOUR)
    feeds = given_feeds(CONFIG, schedules_of(CONFIG), dict.fromkeys(COINS, (own, own)))
    assert [bars.symbol for bars in feeds.primary.values()] == COINS
    assert all(same(bars, own) for bars in (*feeds.primary.values(), *feeds.secondary.values()))
    assert own.symbol == "ETHUSDT"


def test_given_bars_take_the_place_of_files() -> None:
    """One history where no arbitrage trades it; what is traded nowhere, and a second venue too many, are left aside."""
    own, other = walk_bars(50), walk_bars(50, seed=2, venue="w")
    given_bars: GivenBars = {"SOLUSDT": own, "ETHUSDT": (own, other), "BTCUSDT": (own, other)}
    feeds = given_feeds(CONFIG, schedules_of(CONFIG), given_bars)
    assert (list(feeds.primary), list(feeds.secondary)) == (COINS, ["BTCUSDT"])
    assert feeds.secondary["BTCUSDT"].venue == "w"
    only = replace(CONFIG.risk_profiles["balanced"], instrument_buckets={"one": ["ETHUSDT"]})
    config = replace(CONFIG, risk_profiles={"balanced": only, "aggressive": only})
    assert list(given_feeds(config, schedules_of(config), given_bars).primary) == ["ETHUSDT"]


def pairs(bars: Bars) -> GivenBars:
    return dict.fromkeys(COINS, (bars, bars))


HOURS = walk_bars(20)
QUARTERS = bars_of(np.ones(20), interval_seconds=900)


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
def test_given_bars_that_are_refused(bars: GivenBars, text: str) -> None:
    """An instrument or a second venue that is missing, an unknown name, another interval."""
    with pytest.raises(UsageError) as refused:
        given_feeds(CONFIG, schedules_of(CONFIG), bars)
    assert f"bars: {text}" in str(refused.value)


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
