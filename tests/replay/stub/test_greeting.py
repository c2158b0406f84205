"""Which loops a venue does not serve, and what it says to them."""

from __future__ import annotations

import pytest
from barstep.replay.channel.messages import Leg, Refusal
from barstep.replay.stub.venue import StubVenue
from msgspec.structs import replace
from venue_making import hello, instant, opened, venue_of

SAID = hello()


def refused(said: object, venue: StubVenue | None = None) -> Refusal:
    answer = (venue or venue_of()).connect(said, 0)
    assert isinstance(answer, Refusal)
    return answer


def book(**more: object) -> object:
    return replace(SAID, book=replace(SAID.book, **more))


@pytest.mark.parametrize(
    ("said", "code", "text"),
    [
        (replace(SAID, version=2), "version", "version 2"),
        (replace(SAID, interval_seconds=0), "book", "a second or more"),
        (book(instruments=2), "book", "a leg that is traded"),
        (book(order=[1]), "book", "name each schedule once"),
        (book(schedules=[], order=[], rules=[]), "book", "name each schedule once"),
        (replace(SAID, legs=[Leg(name="BTC", venue="v", symbol="BTC", pair=1)]), "book", "one of the 1 legs"),
        (book(rules=[[0.0]]), "book", "rules"),
        (book(rules=[[0.0] * 26]), "book", "lot must be"),
        (hello(stop_loss_pct=1.0, leverage=2.0), "rules", "stop_loss_pct, leverage"),
        (hello(limit_offset_bps=1.0), "rules", "limit_offset_bps"),
        (hello(("ETH",)), "leg", "v ETH 1m"),
        (replace(SAID, interval_seconds=90), "leg", "v BTC 90s"),
        (replace(SAID, reports=1), "unknown_run", "has 1 reports"),
    ],
)
def test_refusals(said: object, code: str, text: str) -> None:
    """Each has its code, and says what is wrong."""
    answer = refused(said)
    assert answer.code == code
    assert text in answer.message


def test_a_refused_loop_leaves_no_run() -> None:
    """Nothing is kept of it."""
    venue = venue_of()
    refused(hello(("ETH",)), venue)
    assert venue.runs == {} and not venue.is_done(0)


def test_a_start_after_the_end_is_told_in_time() -> None:
    """As instants that people read."""
    answer = refused(SAID, venue_of(history_bars=60))
    assert "begin at 2024-01-01T01:00:00" in answer.message and "end at 2024-01-01T01:00:00" in answer.message


def test_a_paced_venue_takes_other_rules() -> None:
    """It fills market orders as they come, whatever a backtest would look at."""
    opened(venue_of(exact=False, speed=1.0), hello(stop_loss_pct=1.0))


def test_a_start_and_an_end_hold() -> None:
    """The first instant is the start, whatever history there is."""
    session = opened(venue_of(start_us=instant(30), end_us=instant(31), once=True), hello())
    assert session.due(0)[0].now_us == instant(30)
