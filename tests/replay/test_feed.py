"""The feed of a loop in event time: each bar once, in order, none before its close, and a vectorised run's bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.config.universes import Feed, Instrument, Universe
from barstep.data.dataset import DatasetInfo, read_dataset, write_dataset
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.configured import catalog_of, resolve_schedules
from barstep.engine.feeds import Feeds, FeedSources, read_feeds, read_sources
from barstep.engine.pairing import pair_values
from barstep.errors import DataError, FeedError, UsageError
from barstep.kernels.columns import SECONDARY_DELAY_MS
from barstep.replay.feed import Instant, OHLCVStrategyFeed
from barstep.replay.market_snapshot import MarketSnapshot
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

HOUR = 3600
HOUR_US = 3_600_000_000
START_US = 1_704_067_200_000_000
CONFIG = bs.load_core_config(PACKAGED)


def at(hour: int) -> int:
    return START_US + hour * HOUR_US


def bars_at(name: str, hours: list[int], venue: str, level: float = 100.0) -> Bars:
    """Bars that open at these hours of 2024, their closes telling which they are."""
    close = np.array([level + hour for hour in hours], dtype=float)
    times = np.array([at(hour) for hour in hours], dtype=np.int64)
    return Bars.from_arrays(
        times, close, close + 1.0, close - 1.0, close, close * 2.0, interval_seconds=HOUR, symbol=name, venue=venue
    )


def sources(
    primary: dict[str, list[int]], secondary: dict[str, list[int]] | None = None, **fallback: list[int]
) -> FeedSources:
    return FeedSources(
        base_interval_seconds=HOUR,
        primary={name: bars_at(name, hours, "p") for name, hours in primary.items()},
        secondary={name: bars_at(name, hours, "s", 300.0) for name, hours in (secondary or {}).items()},
        fallback={name: bars_at(name, hours, "f", 200.0) for name, hours in fallback.items()},
    )


def told(instant: Instant) -> list[tuple[str, str, float]]:
    return [(one.instrument, one.feed, one.close) for one in instant.snapshots]


def equal_to_columns(instants: list[Instant], feeds: Feeds) -> None:
    """Every bar of every leg is taken once, in order, at its close, with the same bits; every change is told."""
    seen: dict[tuple[str, bool], list[MarketSnapshot]] = {}
    closes = [instant.close_us for instant in instants]
    assert closes == sorted(set(closes))
    for instant in instants:
        for one in instant.snapshots:
            assert one.close_us == instant.close_us
            seen.setdefault((one.instrument, one.feed == "secondary"), []).append(one)
    for second, legs in ((False, feeds.primary), (True, feeds.secondary)):
        for name, bars in legs.items():
            mine = seen.pop((name, second), [])
            assert [one.ts_us for one in mine] == bars.ts_us.tolist()
            assert [one.number for one in mine] == bars.numbers.tolist()
            columns = np.array([(one.open, one.high, one.low, one.close, one.volume) for one in mine]).reshape(-1, 5)
            assert np.ascontiguousarray(columns.T).tobytes() == np.ascontiguousarray(bars.values[:5]).tobytes()
            given_by = feeds.from_fallback.get(name, np.zeros(len(bars), dtype=bool))
            if not second:
                assert [one.feed == "fallback" for one in mine] == given_by.tolist()
    assert not seen
    last_us = instants[-1].close_us  # a word that holds for no bar is not told
    heard = tuple(change for instant in instants for change in instant.changes)
    assert heard == tuple(change for change in feeds.changes if change.at_us <= last_us)


def test_an_instant_holds_what_closes_then() -> None:
    """Instruments in declared order, then second legs; who has no bar is not there; no instant without any."""
    feed = OHLCVStrategyFeed(sources({"B": [0, 1, 4], "A": [1, 4]}, {"B": [0, 4]}))
    assert feed.next_us() == at(1)
    first, second, last = feed
    assert (first.close_us, second.close_us, last.close_us) == (at(1), at(2), at(5))
    assert told(first) == [("B", "primary", 100.0), ("B", "secondary", 300.0)]
    assert told(second) == [("B", "primary", 101.0), ("A", "primary", 101.0)]
    assert [one.venue for one in last.snapshots] == ["p", "p", "s"]
    assert feed.next_us() is None
    with pytest.raises(FeedError, match="no more bars"):
        feed.take()


def test_a_stall_is_told_with_the_bar_that_ends_it() -> None:
    """The snapshot names the feed and the venue, the instant names the change, the other instrument is not touched."""
    feed = OHLCVStrategyFeed(sources({"A": [0, 1, 6, 7], "B": list(range(8))}, A=list(range(8))))
    instants = list(feed)
    mine = {instant.close_us: [one for one in instant.snapshots if one.instrument == "A"] for instant in instants}
    assert [at(hour + 1) for hour in range(8) if not mine[at(hour + 1)]] == [at(3)]
    assert [mine[at(hour)][0].feed for hour in (2, 4, 7, 8)] == ["primary", "fallback", "fallback", "primary"]
    assert (mine[at(4)][0].venue, mine[at(4)][0].close) == ("f", 203.0)
    changes = {instant.close_us: instant.changes for instant in instants if instant.changes}
    assert {us: (one.instrument, one.change, one.reason) for us, (one,) in changes.items()} == {
        at(4): ("A", "fallback", "stalled"),
        at(8): ("A", "primary", "recovered"),
    }
    assert all(one.feed == "primary" for instant in instants for one in instant.snapshots if one.instrument == "B")


def test_no_fallback_no_change() -> None:
    """A gap stays a gap."""
    feed = OHLCVStrategyFeed(sources({"A": [0, 7], "B": list(range(8))}))
    instants = list(feed)
    assert sum(len(instant.snapshots) for instant in instants) == 10
    assert feed.columns().changes == ()
    with pytest.raises(UsageError, match="A, B: no fallback feed is recorded; set 'fallback'"):
        feed.use("fallback", at_us=at(99))


def test_an_operator_s_word_changes_what_was_not_taken() -> None:
    """In the middle of a walk: bars that closed before stay, those that close from its instant on are the other's."""
    feed = OHLCVStrategyFeed(sources({"A": list(range(8)), "B": list(range(8))}, A=list(range(8)), B=list(range(8))))
    instants = [feed.take() for _ in range(3)]
    feed.use("fallback", at_us=at(4), instrument="A")
    instants += [feed.take() for _ in range(2)]
    assert (feed.active("A"), feed.active("B")) == ("fallback", "primary")
    feed.use("primary", at_us=at(7))
    instants += feed
    marks = {name: [one.feed[0] for i in instants for one in i.snapshots if one.instrument == name] for name in "AB"}
    assert marks == {"A": list("pppfffpp"), "B": list("pppppppp")}
    assert [(one.at_us, one.reason) for instant in instants for one in instant.changes] == [
        (at(4), "commanded"),
        (at(7), "commanded"),
    ]
    equal_to_columns(instants, feed.columns())
    assert feed.active("A") == "primary"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"feed": "fall_back", "at_us": at(4)}, "unknown feed 'fall_back'. Did you mean 'fallback'?"),
        ({"feed": "fallback", "at_us": at(2)}, "at 2024-01-01T02:00:00Z: bars up to 2024-01-01T02:00:00Z were taken"),
        ({"feed": "fallback", "at_us": at(4), "instrument": "AA"}, "unknown instrument 'AA'"),
        ({"feed": "fallback", "at_us": at(4), "instrument": "B"}, "B: no fallback feed is recorded"),
    ],
)
def test_words_that_are_refused(words: dict[str, object], text: str) -> None:
    """A feed, an instrument or a fallback that is not there, an instant that is over; and nothing has changed."""
    feed = OHLCVStrategyFeed(sources({"A": list(range(8)), "B": list(range(8))}, A=list(range(8))))
    feed.take(), feed.take()
    with pytest.raises(UsageError) as refused:
        feed.use(**words)  # type: ignore[arg-type]
    assert text in str(refused.value)
    assert all(one.feed == "primary" for instant in feed for one in instant.snapshots)
    with pytest.raises(UsageError, match="unknown instrument 'C'"):
        feed.active("C")


def test_start_and_end() -> None:
    """Bars that open before the start are in the columns and are not taken; what closes after the end is nowhere.

    A stall that began before the start is known from the first bar on.
    """
    given_by = sources({"A": [0, 1, *range(8, 12)]}, {"A": list(range(12))}, A=list(range(12)))
    feed = OHLCVStrategyFeed(given_by, start_us=at(5), end_us=at(10))
    assert feed.active("A") == "fallback"
    instants = list(feed)
    assert [instant.close_us for instant in instants] == [at(hour) for hour in range(6, 11)]
    assert [instant.snapshots[0].feed[0] for instant in instants] == list("ffffp")
    assert [one.change for instant in instants for one in instant.changes] == ["primary"]
    assert feed.columns().primary["A"].closes_us[-1] == at(10) == feed.columns().secondary["A"].closes_us[-1]
    assert feed.columns().primary["A"].ts_us[0] == at(0)


def test_a_word_at_the_start() -> None:
    """It holds from the first bar on, and is told with it; of what was before nothing can be changed."""
    given_by = sources({"A": list(range(8))}, A=list(range(8)))
    feed = OHLCVStrategyFeed(given_by, start_us=at(5))
    with pytest.raises(UsageError, match="cannot be changed at 2024-01-01T04:00:00"):
        feed.use("fallback", at_us=at(4))
    feed.use("fallback", at_us=at(5))
    first = feed.take()
    assert told(first) == [("A", "fallback", 205.0)]
    assert [(one.at_us, one.reason) for one in first.changes] == [(at(5), "commanded")]
    assert np.flatnonzero(feed.columns().from_fallback["A"]).tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"start_us": at(9)}, "no feed has bars of A, B from 2024-01-01T09:00:00Z; they lie between 2024-01-01T01:00"),
        ({"end_us": at(1)}, " to 2024-01-01T01:00:00Z; they lie between 2024-01-01T01:00:00Z and 2024-01-01T08:00:00Z"),
        ({"start_us": at(4), "end_us": at(4)}, " from 2024-01-01T04:00:00Z to 2024-01-01T04:00:00Z; "),
    ],
)
def test_no_bars_at_all(span: dict[str, int], text: str) -> None:
    """It is said where there are some."""
    with pytest.raises(FeedError) as refused:
        OHLCVStrategyFeed(sources({"A": list(range(1, 8)), "B": [2]}), **span)
    assert text in str(refused.value)
    with pytest.raises(FeedError, match=r"^no feed has bars of A\.$"):
        OHLCVStrategyFeed(sources({"A": []}))


HOURS = st.lists(st.integers(0, 30), unique=True).map(sorted)
SOME = HOURS.filter(bool)


@given(SOME, HOURS, SOME, SOME, HOURS, st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=3))
def test_instants_and_columns_are_the_same_bars(
    a: list[int], b: list[int], other_a: list[int], other_b: list[int], second: list[int],
    words: list[tuple[int, bool]],
) -> None:  # fmt: skip
    """On random gaps, with an operator who speaks while bars are taken; and so is a walk that was told all before."""
    given_by = sources({"A": a, "B": b}, {"A": second}, A=other_a, B=other_b)
    feed, said, instants = OHLCVStrategyFeed(given_by), [], []
    for steps, to_fallback in words:
        instants += [feed.take() for _ in range(steps) if feed.next_us() is not None]
        if instants:
            said.append((instants[-1].close_us + 1, "fallback" if to_fallback else "primary"))
            feed.use(said[-1][1], at_us=said[-1][0])  # type: ignore[arg-type]
    instants += feed
    columns = feed.columns()
    equal_to_columns(instants, columns)
    before = OHLCVStrategyFeed(given_by)
    for at_us, name in said:
        before.use(name, at_us=at_us)  # type: ignore[arg-type]
    assert list(before) == instants
    assert before.columns().changes == columns.changes
    assert [bars.values.tobytes() for bars in before.columns().primary.values()] == [
        bars.values.tobytes() for bars in columns.primary.values()
    ]


def test_the_delay_of_a_second_leg_is_event_time() -> None:
    """The primary's close less that of the second leg's last closed bar, as the vectorised pairing has it."""
    feed = OHLCVStrategyFeed(sources({"A": list(range(6))}, {"A": [1, 2, 5]}))
    last_us, delays = None, []
    for instant in feed:
        closed = {one.feed: one for one in instant.snapshots}
        last_us = closed["secondary"].close_us if "secondary" in closed else last_us
        delays.append(np.nan if last_us is None else (closed["primary"].close_us - last_us) / 1000.0)
    columns = feed.columns()
    paired = pair_values(columns.primary["A"], columns.secondary["A"], 0, 6)
    np.testing.assert_array_equal(paired[SECONDARY_DELAY_MS], delays)
    assert delays[1:] == [0.0, 0.0, 3_600_000.0, 7_200_000.0, 0.0]


def test_a_scheduler_s_feed() -> None:
    """The columns of the configured scheduler's feed are what its backtest reads; nothing stalls in embedded bars."""
    environment = CONFIG.environments["demo"]
    scheduler = CONFIG.runtime.multi_strategy_schedulers["hedged_multi"]
    resolved = resolve_schedules(CONFIG, environment, scheduler, catalog_of(CONFIG))
    feed = OHLCVStrategyFeed(read_sources(CONFIG, "demo", resolved), start_us=1_735_000_000_000_000)
    feeds, columns = read_feeds(CONFIG, "demo", resolved), feed.columns()
    assert columns.changes == ()
    assert list(columns.from_fallback) == list(feeds.primary)
    for own, other in zip(
        (*columns.primary.values(), *columns.secondary.values()),
        (*feeds.primary.values(), *feeds.secondary.values()),
        strict=True,
    ):
        assert own.values.tobytes() == other.values.tobytes()
    first = feed.take()
    assert first.snapshots[0].ts_us >= 1_735_000_000_000_000
    assert [(one.instrument, one.venue) for one in first.snapshots] == [
        *((name, "binance") for name in feeds.primary),
        *((name, "kraken") for name in feeds.secondary),
    ]


@pytest.fixture
def holed(tmp_path: Path) -> CoreConfig:
    """The embedded hours with a day cut out of binance's BTCUSDT, and a configuration that reads them."""
    name = "binance_BTCUSDT_1h.parquet"
    for path in EMBEDDED_FOLDER.glob("*_1h.parquet"):
        if path.name != name:
            (tmp_path / path.name).symlink_to(path)
    frame = bs.load(EMBEDDED_FOLDER / name).to_frame()
    info = DatasetInfo(symbol="BTCUSDT", venue="binance", interval_seconds=HOUR)
    write_dataset(pl.concat([frame[:1000], frame[1024:]]), info, tmp_path / name)
    demo = replace(CONFIG.environments["demo"], feed=str(tmp_path))
    return replace(CONFIG, environments={**CONFIG.environments, "demo": demo})


def test_a_backtest_reads_the_same_bars(holed: CoreConfig) -> None:
    """Where the primary stalls: the decisions of a backtest are those on the columns of the feed, bit for bit."""
    feed = OHLCVStrategyFeed.of_universe(holed, interval_seconds=HOUR, secondary=True)
    columns = feed.columns()
    assert [(one.instrument, one.feed, one.reason) for one in columns.changes] == [
        ("BTCUSDT", "kraken", "stalled"),
        ("BTCUSDT", "binance", "recovered"),
    ]
    merged, whole = columns.primary["BTCUSDT"], bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    assert np.setdiff1d(whole.numbers, merged.numbers).tolist() == [int(whole.numbers[1000])]
    assert np.flatnonzero(columns.from_fallback["BTCUSDT"]).tolist() == [*range(1000, 1024)]
    equal_to_columns(list(feed), columns)
    given_bars = {name: (columns.primary[name], columns.secondary[name]) for name in columns.primary}
    recorded = bs.backtest_scheduler(holed, "core_multi", end="2023-04-01")
    by_hand = bs.backtest_scheduler(holed, "core_multi", end="2023-04-01", bars=given_bars)
    assert recorded.decisions.height
    assert recorded.decisions.equals(by_hand.decisions)
    assert recorded.equity.equals(by_hand.equity)


def with_bitcoin(**feeds: str | Feed) -> CoreConfig:
    """The universe `bitcoin` with other feeds."""
    universe = Universe(instruments={"BTCUSDT": Instrument(**{"primary": "binance", **feeds})})  # type: ignore[arg-type]
    return replace(CONFIG, instrument_universes={**CONFIG.instrument_universes, "bitcoin": universe})


def test_a_universe_s_feed() -> None:
    """Some of its instruments, of one leg unless both are asked for; the environment by its alias."""
    feed = OHLCVStrategyFeed.of_universe(CONFIG, "local", interval_seconds=4 * HOUR, instruments=["SOLUSDT", "BTCUSDT"])
    columns = feed.columns()
    assert (list(columns.primary), list(columns.secondary)) == (["SOLUSDT", "BTCUSDT"], [])
    assert columns.base_interval_seconds == 4 * HOUR == feed.take().snapshots[0].interval_seconds
    assert list(OHLCVStrategyFeed.of_universe(CONFIG, universe="bitcoin", interval_seconds=HOUR).columns().primary) == [
        "BTCUSDT"
    ]


@pytest.mark.parametrize(
    ("made", "error", "text"),
    [
        (lambda: of(CONFIG, universe="bitcoins"), UsageError, "unknown universe 'bitcoins'. Did you mean 'bitcoin'?"),
        (lambda: of(CONFIG, instruments=["BTCUSD"]), UsageError, "unknown instrument 'BTCUSD'. Did you mean 'BTCUSDT'"),
        (lambda: of(CONFIG, interval_seconds=0), UsageError, "interval_seconds is 0; it must be a whole number"),
        (lambda: of(with_bitcoin(primary="binnance")), DataError, "no bars of binnance BTCUSDT in 1h"),
        (
            lambda: of(with_bitcoin(fallback=Feed(venue="coinbase", folder="embedded"))),
            DataError,
            "no bars of coinbase BTCUSDT in 1h",
        ),
    ],
)
def test_a_universe_that_is_refused(made: Callable[[], object], error: type[Exception], text: str) -> None:
    """An unknown name, a primary that is not recorded, a fallback that is not where it is said to be."""
    with pytest.raises(error) as refused:
        made()
    assert text in str(refused.value)


def of(config: CoreConfig, **words: object) -> OHLCVStrategyFeed:
    return OHLCVStrategyFeed.of_universe(config, **{"universe": "bitcoin", "interval_seconds": HOUR, **words})  # type: ignore[arg-type]


def test_a_fallback_that_is_not_recorded_is_none() -> None:
    """Unless its folder is named: a folder of one venue's bars serves a universe that knows another."""
    feed = of(with_bitcoin(fallback="coinbase"))
    assert feed.columns().from_fallback == {}
    with pytest.raises(UsageError, match="BTCUSDT: no fallback feed is recorded"):
        feed.use("fallback", at_us=at(0), instrument="BTCUSDT")


@pytest.mark.shared_data
def test_an_outage_of_coinbase(shared_data: Path, tmp_path: Path) -> None:
    """Its bars of 2023-03-04 between those of 16:59 and 21:37 are missing, while Kraken traded on."""
    for venue in ("COINBASE", "KRAKEN"):
        dataset = read_dataset(shared_data / f"{venue}_BTCUSD_1m.parquet")
        write_dataset(dataset.frame, dataset.info, tmp_path / f"{venue}.parquet")
    both = (Feed(venue=venue, symbol="BTCUSD", folder=str(tmp_path)) for venue in ("coinbase", "kraken"))
    feed = of(with_bitcoin(primary=next(both), fallback=next(both)), interval_seconds=60)
    columns, instants = feed.columns(), list(feed)
    equal_to_columns(instants, columns)
    day = [one for one in columns.changes if np.datetime64(one.at_us, "us").astype("datetime64[D]") == DAY]
    outage = max(zip(day[::2], day[1::2], strict=False), key=lambda two: two[1].at_us - two[0].at_us)
    assert [str(np.datetime64(one.at_us, "us").astype("datetime64[m]"))[11:] for one in outage] == ["17:02", "21:39"]


DAY = np.datetime64("2023-03-04")
