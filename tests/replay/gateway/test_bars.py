"""Bars are closed when the exchange's time says so, each comes once, and an instant is complete when all are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.messages import Bar, Begun, Complete, FromVenue, Unfinished
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.bars import OPENING_US, QUIET_US, SETTLE_US, BarWatch
from barstep.replay.gateway.exchange import Candle
from gateway_making import MINUTE_US, SECOND_US, START_US, World, hello
from hypothesis import given, settings
from hypothesis import strategies as st


def candle(number: int, close: float = 1.5) -> Candle:
    return Candle(ts_us=START_US + number * MINUTE_US, open=1.0, high=2.0, low=0.5, close=close, volume=3.0)


class Watching:
    """A watch over two legs, what it has told, and what its log says."""

    def __init__(self, legs: int = 2, most: int = 1_000, path: Path | None = None) -> None:
        self.lines: list[str] = []
        self.watch = BarWatch(
            {place: "AB"[place] for place in range(legs)},
            interval_us=MINUTE_US,
            done_us=START_US,
            most=most,
            log=AdapterLog(path, SimulatedClock(), self.lines.append),
        )
        self.told: list[FromVenue] = []

    def answer(self, leg: int, *candles: Candle, at_us: int, limit: int = 1_000) -> list[FromVenue]:
        self.watch.take(leg, candles, limit=limit, asked_us=START_US + at_us)
        new = self.watch.messages()
        self.told += new
        return new


def kinds(messages: list[FromVenue]) -> list[str]:
    return [type(message).__name__ for message in messages]


def test_an_instant_is_complete_with_its_last_leg() -> None:
    """Bars of an instant come in the order of the legs and once all are there; then first prices, then `Begun`."""
    seen = Watching()
    assert kinds(seen.answer(0, candle(0), candle(1), at_us=MINUTE_US + SETTLE_US)) == []
    new = seen.answer(1, candle(0), candle(1), at_us=MINUTE_US + SETTLE_US)
    first = ["Unfinished", "Unfinished", "Begun"]
    assert kinds(new) == [*first, "Bar", "Bar", "Complete", *first]
    bars = [message for message in new if isinstance(message, Bar)]
    assert [(bar.leg, bar.ts_us, bar.close) for bar in bars] == [(0, START_US, 1.5), (1, START_US, 1.5)]
    assert [message.at_us for message in new if isinstance(message, Complete)] == [START_US + MINUTE_US]
    opened = [(one.leg, one.ts_us - START_US, one.open) for one in new if isinstance(one, Unfinished)]
    assert opened == [(0, 0, 1.0), (1, 0, 1.0), (0, MINUTE_US, 1.0), (1, MINUTE_US, 1.0)]
    assert new[-1] == Begun(at_us=START_US + MINUTE_US)


def test_a_bar_is_closed_by_the_time_before_the_question() -> None:
    """A microsecond before its end a bar is unfinished, whatever the answer holds; at its end it is closed."""
    seen = Watching(legs=1)
    assert "Bar" not in kinds(seen.answer(0, candle(0), at_us=MINUTE_US - 1))
    assert "Bar" not in kinds(seen.answer(0, candle(0), candle(1), at_us=MINUTE_US - 1))
    assert "Bar" in kinds(seen.answer(0, candle(0), candle(1), at_us=MINUTE_US))


def test_what_the_exchange_does_not_show_was_not_traded_after_a_while() -> None:
    """Where a bar is missing and nothing comes after it, its instant is complete once it was missing for long."""
    seen = Watching(legs=1)
    assert "Complete" not in kinds(seen.answer(0, at_us=MINUTE_US + QUIET_US - 1))
    assert "Complete" not in kinds(seen.answer(0, at_us=MINUTE_US + QUIET_US))
    new = seen.answer(0, at_us=MINUTE_US + QUIET_US + SECOND_US)
    assert kinds(new)[-2:] == ["Complete", "Begun"]
    assert any(line.startswith("not_traded") for line in seen.lines)


def test_a_gap_is_asked_for_again() -> None:
    """A hole before later bars waits for a second answer; what that fills is told in order."""
    seen = Watching(legs=1)
    assert "Bar" not in kinds(seen.answer(0, candle(1), candle(2), at_us=2 * MINUTE_US))
    assert seen.watch.question(0, START_US + 2 * MINUTE_US)[0] <= START_US
    new = seen.answer(0, candle(0), candle(1), candle(2), at_us=2 * MINUTE_US + SECOND_US)
    assert [message.ts_us for message in new if isinstance(message, Bar)] == [START_US, START_US + MINUTE_US]


def test_a_hole_that_stays_was_not_traded() -> None:
    """A bar that two answers lack while they have later ones does not come any more."""
    seen = Watching(legs=1)
    seen.answer(0, candle(1), candle(2), at_us=2 * MINUTE_US)
    new = seen.answer(0, candle(1), candle(2), at_us=2 * MINUTE_US + SECOND_US)
    assert [message.ts_us for message in new if isinstance(message, Bar)] == [START_US + MINUTE_US]
    assert [m.at_us for m in new if isinstance(m, Complete)] == [START_US + MINUTE_US, START_US + 2 * MINUTE_US]
    seen.answer(0, candle(0), candle(1), candle(2), at_us=3 * MINUTE_US - 1)
    assert kinds(seen.told).count("Bar") == 1, "a bar after its instant was complete is not told"


def test_duplicates_are_ignored() -> None:
    """The same answer again tells nothing again."""
    seen = Watching(legs=1)
    seen.answer(0, candle(0), candle(1), at_us=MINUTE_US)
    assert seen.answer(0, candle(0), candle(1), at_us=MINUTE_US + SECOND_US) == []
    assert not any(line.startswith("revised") for line in seen.lines)


def test_a_revised_bar_is_noticed_and_not_told_again() -> None:
    """Another close of a bar that was told stands in the log, with what it was before; the loop hears of it once."""
    seen = Watching(legs=1)
    seen.answer(0, candle(0), candle(1), at_us=MINUTE_US)
    new = seen.answer(0, candle(0, close=1.75), candle(1), candle(2), at_us=2 * MINUTE_US)
    assert [message.ts_us for message in new if isinstance(message, Bar)] == [START_US + MINUTE_US]
    (line,) = [line for line in seen.lines if line.startswith("revised")]
    assert "1.5 3.0" in line
    assert "1.75 3.0" in line


def test_a_bar_off_the_grid_is_left_out() -> None:
    """What does not open at a multiple of the interval is no bar of it."""
    seen = Watching(legs=1)
    odd = Candle(ts_us=START_US + 1, open=9.0, high=9.0, low=9.0, close=9.0, volume=1.0)
    seen.answer(0, odd, candle(0), candle(1), at_us=MINUTE_US)
    assert [message.open for message in seen.told if isinstance(message, Bar)] == [1.0]
    assert any(line.startswith("off_grid") for line in seen.lines)


def test_begun_waits_for_a_first_price_a_little() -> None:
    """Where a new bar has no trade yet, `Begun` comes after `OPENING_US`; its first price is told when there is one."""
    seen = Watching(legs=1)
    assert kinds(seen.answer(0, candle(0), at_us=MINUTE_US)) == ["Unfinished", "Begun", "Bar", "Complete"]
    assert kinds(seen.answer(0, candle(0), at_us=MINUTE_US + OPENING_US)) == ["Begun"]
    assert kinds(seen.answer(0, candle(0), candle(1), at_us=MINUTE_US + 9 * SECOND_US)) == ["Unfinished"]


def test_the_past_comes_page_by_page() -> None:
    """A long history is asked for at once, page after page, each instant with its first prices, bars and end."""
    seen = Watching(legs=1, most=10)
    now_us = START_US + 25 * MINUTE_US + SECOND_US
    asked = 0
    while seen.watch.due(now_us) is not None and asked < 10:
        from_us, limit = seen.watch.question(0, now_us)
        first = (from_us - START_US) // MINUTE_US
        page = [candle(number) for number in range(max(first, 0), 26)][:limit]
        seen.answer(0, *page, at_us=now_us - START_US, limit=limit)
        asked += 1
    assert [m.at_us for m in seen.told if isinstance(m, Complete)] == [START_US + k * MINUTE_US for k in range(1, 26)]
    assert [m.ts_us for m in seen.told if isinstance(m, Bar)] == [START_US + k * MINUTE_US for k in range(25)]
    assert asked <= 4


def test_questions_are_spaced() -> None:
    """Between two closes nothing is asked once the open is known; after a close it is asked at most once a second."""
    seen = Watching(legs=1)
    seen.answer(0, candle(0), at_us=SECOND_US)
    asked = [k for k in range(4 * 60) if seen.watch.due(START_US + SECOND_US + k * SECOND_US // 4) is not None]
    assert asked[0] == 4 * 59 + 1, "the next question comes a quarter of a second after the close"
    seen.watch.take(0, [candle(0)], limit=9, asked_us=START_US + MINUTE_US + SETTLE_US)
    assert seen.watch.due(START_US + MINUTE_US + SETTLE_US + SECOND_US // 2) is None


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 700), st.sets(st.integers(0, 11))), max_size=40))
@settings(max_examples=60)
def test_whatever_is_answered_the_order_holds(answers: list[tuple[int, int, set[int]]]) -> None:
    """Of any answers, with holes and at any times: no bar twice, none before its close, none after its instant."""
    seen = Watching()
    now_us, complete_us = 0, START_US
    for leg, later, missing in answers:
        now_us += later * SECOND_US // 2
        shown = [candle(k) for k in range(now_us // MINUTE_US + 1) if k not in missing]
        for message in seen.answer(leg, *shown, at_us=now_us):
            if isinstance(message, Bar):
                assert complete_us == message.ts_us
                assert message.ts_us + MINUTE_US <= START_US + now_us
            elif isinstance(message, Complete):
                assert message.at_us == complete_us + MINUTE_US
                complete_us = message.at_us
    told = [(message.leg, message.ts_us) for message in seen.told if isinstance(message, Bar)]
    assert len(told) == len(set(told))


@pytest.mark.parametrize("wrong_by_minutes", [-7, 0, 7])
def test_bars_through_ccxt_close_by_the_exchanges_time(private: Path, wrong_by_minutes: int) -> None:
    """Whatever the wall clock here says, a bar comes after the exchange's own close of it and within a second."""
    world = World(private, wrong_by_us=wrong_by_minutes * MINUTE_US)
    try:
        for number in range(-3, 4):
            world.stub.bar("BTCUSDT", START_US // 1_000 + number * 60_000, 1, 2, 0.5, 1.5, 3)
        world.connect()
        for _ in range(4 * 130):
            before = len(world.told(Bar))
            world.go_on(0.25)
            for bar in world.told(Bar)[before:]:
                late_us = START_US + world.clock.elapsed_us - bar.ts_us - MINUTE_US
                assert 0 <= late_us <= SECOND_US
        assert [bar.ts_us for bar in world.told(Bar)] == [START_US, START_US + MINUTE_US]
    finally:
        world.close()


def test_an_open_bar_of_the_exchange_is_never_told_as_closed(world: World) -> None:
    """The last row of the klines is the unfinished bar; only its open is told, and its close when it has closed."""
    start_ms = START_US // 1_000
    world.stub.bar("BTCUSDT", start_ms, 100, 101, 99, 100.5, 1)
    world.connect(hello())
    world.go_on(30)
    world.stub.bar("BTCUSDT", start_ms, 100, 120, 90, 110, 5)
    world.stub.bar("BTCUSDT", start_ms + 60_000, 110, 111, 109, 110, 1)
    world.go_on(31)
    (bar,) = world.told(Bar)
    assert (bar.high, bar.low, bar.close, bar.volume) == (120, 90, 110, 5)
    assert [message.open for message in world.told(Unfinished)] == [100, 110]
    world.stub.bar("BTCUSDT", start_ms, 100, 120, 90, 111, 5)
    world.stub.bar("BTCUSDT", start_ms + 120_000, 110, 111, 109, 110, 1)
    world.go_on(60)
    assert "revised" in world.events()
    assert len(world.told(Bar)) == 2
