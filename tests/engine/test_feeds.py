"""A scheduler's bars: where they are found, on which interval, what longer bars hold, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import barstep as bs
import numpy as np
import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.config.universes import Feed, Instrument, Universe
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.data.generate import Key, generate_market
from barstep.data.presets import EMBEDDED_FOLDER, custom_spec
from barstep.engine.bars import MICROSECONDS, Bars
from barstep.engine.configured import ResolvedSchedule, catalog_of, resolve_schedules
from barstep.engine.feeds import Feeds, GivenBars, base_interval_seconds, coarser, given_feeds, read_feeds
from barstep.errors import DataError, UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR, bars_of, part_of, walk_bars
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


def test_longer_bars_by_hand() -> None:
    """First open, highest high, lowest low, last close, sum of volumes; the part at each end is left out."""
    bars = bars_of(
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [9.0, 8.0, 7.0, 6.0, 5.0, 4.0], hours=[3, 4, 5, 6, 7, 8],
        volume=[1.0, 2.0, np.nan, 4.0, 5.0, 6.0],
    )  # fmt: skip
    (row,) = coarser(bars, 4 * HOUR).to_frame().rows()
    assert row[1:] == (8.0, 8.0, 2.0, 5.0, 11.0)
    assert row[0] == datetime(2024, 1, 1, 4, tzinfo=UTC)


def test_minutes_of_the_embedded_data_are_its_hours() -> None:
    """The embedded minutes joined are the embedded hours of that month, bit by bit."""
    hours = coarser(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet"), HOUR)
    all_hours = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    first = int(np.searchsorted(all_hours.ts_us, hours.ts_us[0]))
    month = part_of(all_hours, first, first + len(hours))
    assert len(hours) == 31 * 24
    assert (hours.symbol, hours.venue, hours.interval_seconds) == ("BTCUSDT", "binance", HOUR)
    np.testing.assert_array_equal(hours.ts_us, month.ts_us)
    np.testing.assert_array_equal(hours.values[:4], month.values[:4])


def test_weeks_begin_on_monday() -> None:
    """The first of 2024 was one."""
    days = bars_of(np.arange(1.0, 20.0), interval_seconds=DAY)
    weeks = coarser(days, 7 * DAY)
    assert weeks.times.astype("datetime64[D]").astype(str).tolist() == ["2024-01-01", "2024-01-08"]
    assert weeks.close.tolist() == [7.0, 14.0]


def test_the_same_interval_is_the_same_bars() -> None:
    """Nothing is copied, nothing is left out."""
    assert coarser(HOURS, HOUR) is HOURS


@given(st.integers(0, 999), st.integers(2, 8), st.integers(0, 30), st.floats(0.0, 0.5), st.data())
def test_a_longer_bar_is_seen_from_its_close_and_never_changes(
    seed: int, hours: int, late: int, gaps: float, data: st.DataObject
) -> None:
    """Cut anywhere: the shorter history gives exactly those longer bars that have closed by then, the same bits."""
    all_bars = walk_bars(120, seed, gaps=gaps)
    bars = part_of(all_bars, late, 120)
    whole = coarser(bars, hours * HOUR)
    cut = part_of(bars, 0, data.draw(st.integers(1, len(bars))))
    closed_us = cut.ts_us[-1] + HOUR * MICROSECONDS
    count = int(np.count_nonzero(whole.ts_us + hours * HOUR * MICROSECONDS <= closed_us))
    seen = coarser(cut, hours * HOUR)
    assert seen.ts_us.tolist() == whole.ts_us[:count].tolist()
    assert seen.values.tobytes() == part_of(whole, 0, count).values.tobytes()


def test_a_longer_bar_holds_nothing_from_after_its_close() -> None:
    """Hours that open at half past would reach over it: they are refused, and the time is named."""
    off = bars_of([1.0, 2.0, 3.0, 4.0, 5.0], hours=[0.5, 1.5, 2.5, 3.5, 4.5])
    with pytest.raises(DataError, match=r"v X: the bar of 1h at 2024-01-01T01:30:00.000000Z reaches over the end of a"):
        coarser(off, 2 * HOUR)
    inside = bars_of([1.0, 2.0, 3.0], hours=[0.0, 2.25, 4.0])
    assert coarser(inside, 2 * HOUR).close.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("hours", [[], [0, 1, 2], [1, 2, 3, 4, 5], [3, 4]])
def test_too_few_bars_make_none(hours: list[float]) -> None:
    """A history without a whole longer bar has none, as the beginning of any history."""
    none = coarser(bars_of(np.ones(len(hours)), hours=hours), 4 * HOUR)
    assert (len(none), none.interval_seconds, none.symbol, none.venue) == (0, 4 * HOUR, "X", "v")


def test_three_days_do_not_make_three_weeks() -> None:
    """Blocks of three days are counted from the epoch, weeks from a Monday: one would reach over the other's end."""
    blocks = bars_of(np.ones(40), hours=(24.0 * (np.arange(40) * 3 + 2)).tolist(), interval_seconds=3 * DAY)
    assert blocks.ts_us[0] % (3 * DAY * MICROSECONDS) == 0
    with pytest.raises(DataError, match="the bar of 3d at "):
        coarser(blocks, 21 * DAY)


@pytest.mark.parametrize(
    ("interval_seconds", "text"),
    [
        (5400, r"Bars\(v X 1h, 20 bars, .*\) cannot be joined to 90m, which is no multiple\."),
        (1800, "cannot be joined to 30m"),
    ],
)
def test_bars_that_cannot_be_joined(interval_seconds: int, text: str) -> None:
    """To another length than a multiple."""
    with pytest.raises(UsageError, match=text):
        coarser(HOURS, interval_seconds)
