"""What an exact venue says, message by message, and where it goes on after a stream has ended."""

from __future__ import annotations

from barstep.replay.channel.messages import (
    Bar,
    Begun,
    Complete,
    Goodbye,
    Heartbeat,
    Refusal,
    Report,
    Unfinished,
    Welcome,
)
from venue_making import bars_of, hello, instant, opened, order, orders, venue_of


def kinds(messages: list) -> list[type]:
    return [type(message) for message in messages]


def test_an_instant_goes_bars_orders_fills_opens() -> None:
    """The venue waits for the orders of an instant, and only then lets the bars open."""
    session = opened(venue_of(), hello())
    first = session.due(0)
    assert kinds(first) == [Welcome, Complete]
    assert first[0].now_us == first[1].at_us == instant(10)
    assert first[0].exact and first[0].orders == first[0].known == []
    assert session.due(0) == []
    session.hear(orders(instant(10), order("a", instant(10))), 0)
    second = session.due(0)
    assert kinds(second) == [Report, Unfinished, Begun, Bar, Complete]
    report, unfinished, begun, bar, complete = second
    assert (report.status, report.fills[0].lots, report.fills[0].reference, report.at_us) == (
        "filled", 100, 110.0, instant(10),
    )  # fmt: skip
    assert (unfinished.ts_us, unfinished.open, unfinished.high, unfinished.volume) == (instant(10), 110.0, 110.0, 0.0)
    assert (begun.at_us, bar.ts_us, bar.high, bar.volume) == (instant(10), instant(10), 113.0, 10.0)
    assert complete.at_us == instant(11)


def test_legs_without_a_bar_are_passed_over() -> None:
    """Of two legs only those that traded are told of; an instant comes though nothing was traded."""
    venue = venue_of(bars_of("A", missing=(11, 12)), bars_of("B", missing=(12,)))
    session = opened(venue, hello(("A", "B")))
    session.due(0)
    told = []
    for bar in range(10, 14):
        session.hear(orders(instant(bar)), 0)
        told.append([(type(one).__name__, getattr(one, "leg", None)) for one in session.due(0)])
    assert told[1] == [("Unfinished", 1), ("Begun", None), ("Bar", 1), ("Complete", None)]
    assert told[2] == [("Begun", None), ("Complete", None)]
    assert told[3][:2] == [("Unfinished", 0), ("Unfinished", 1)]


def test_a_shorter_step_makes_instants_between_bars() -> None:
    """Between bars nothing closes and nothing opens, and the loop is asked all the same."""
    session = opened(venue_of(step_seconds=30), hello())
    session.due(0)
    session.hear(orders(instant(10)), 0)
    assert session.due(0)[-1] == Complete(at_us=instant(10) + 30_000_000)
    session.hear(orders(instant(10) + 30_000_000), 0)
    assert kinds(session.due(0)) == [Begun, Bar, Complete]


def test_it_goes_on_where_the_loop_is() -> None:
    """Orders that never came are taken before the bars open; those that did are taken once, and their reports come."""
    venue = venue_of()
    session = opened(venue, hello())
    session.due(0)
    lost = orders(instant(10), order("a", instant(10)))
    session = opened(venue, hello(done_us=instant(10)))
    assert kinds(session.due(0)) == [Welcome]
    session.hear(lost, 0)  # the venue has it, and the loop is gone
    session = opened(venue, hello(done_us=instant(10), waiting=("a", "b")))
    welcome = session.due(0)[0]
    assert (welcome.now_us, welcome.orders, welcome.known) == (instant(10), ["a"], ["a"])
    session.hear(lost, 0)
    assert [one.number for one in session.due(0) if isinstance(one, Report)] == [1]
    session = opened(venue, hello(done_us=instant(10), reports=0, waiting=("a",)))
    again = session.due(0)
    assert kinds(again) == [Welcome, Report, Unfinished, Begun, Bar, Complete]
    assert (again[0].orders, again[0].known) == ([], ["a"])
    session = opened(venue, hello(done_us=instant(10), reports=1))
    assert Report not in kinds(session.due(0))
    assert venue.ledgers[0].entries["a"].came_again == 1
    assert venue.ledgers[0].entries["a"].filled_lots == 100


def test_a_loop_that_is_further_finds_its_orders_filled_on_the_way() -> None:
    """What was on hand meets the opens that the loop did without the venue."""
    venue = venue_of(bars_of(missing=(10, 11)))
    session = opened(venue, hello())
    session.due(0)
    session.hear(orders(instant(10), order("a", instant(10))), 0)
    session.due(0)
    session = opened(venue, hello(done_us=instant(14)))
    assert kinds(session.due(0)) == [Welcome]
    session.hear(orders(instant(14)), 0)
    (report,) = [one for one in session.due(0) if isinstance(one, Report)]
    assert (report.at_us, report.fills[0].reference) == (instant(12), 112.0)


def test_cancels_and_replacements() -> None:
    """A cancelled order is not filled; one that replaces it is; one that replaces a filled one is rejected."""
    venue = venue_of(bars_of(missing=(10,)))
    session = opened(venue, hello())
    session.due(0)
    session.hear(orders(instant(10), order("a", instant(10))), 0)
    session.due(0)
    session.hear(orders(instant(11), order("b", instant(11), lots=50, replaces="a")), 0)
    told = [(one.order_id, one.status, one.reason) for one in session.due(0) if isinstance(one, Report)]
    assert told == [("a", "cancelled", "replaced"), ("b", "filled", "")]
    session.hear(orders(instant(12), order("c", instant(12), replaces="b"), cancels=("b", "nobody")), 0)
    told = [(one.order_id, one.status, one.reason) for one in session.due(0) if isinstance(one, Report)]
    assert told == [("c", "rejected", "replaced")]


def test_orders_that_cannot_be() -> None:
    """A leg or a schedule that there is not, no lots, a pair where none is traded, and two orders for one position."""
    venue = venue_of(bars_of(missing=(10,)))
    session = opened(venue, hello())
    session.due(0)
    at = instant(10)
    given = [
        order("leg", at, leg=1), order("lots", at, lots=0), order("pair", at, pair=True), order("a", at), order("b", at)
    ]  # fmt: skip
    session.hear(orders(at, *given), 0)
    told = {one.order_id: (one.status, one.reason) for one in session.due(0) if isinstance(one, Report)}
    invalid = ("rejected", "invalid")
    assert told == {"leg": invalid, "lots": invalid, "pair": invalid, "b": ("rejected", "open_order")}


def test_silence_has_its_limits() -> None:
    """Each second there is a heartbeat; a loop that does not answer is told to connect again."""
    session = opened(venue_of(), hello())
    session.due(0)
    assert session.next_us == 1_000_000
    assert session.due(999_999) == []
    assert session.due(1_000_000) == [Heartbeat(at_us=instant(10))]
    (refusal,) = session.due(10_000_001)
    assert isinstance(refusal, Refusal) and refusal.code == "unanswered"
    assert session.is_over and session.next_us is None


def test_a_speed_holds_it_back() -> None:
    """At 60 times the clock, a minute's bar comes each second."""
    session = opened(venue_of(speed=60.0), hello())
    session.due(0)
    session.hear(orders(instant(10)), 0)
    assert kinds(session.due(0)) == [Unfinished, Begun]
    assert session.due(900_000) == []
    assert kinds(session.due(1_000_000)) == [Bar, Complete]


def test_the_end() -> None:
    """With `once` the loop is told that the bars end; without, the venue stays and nothing is traded."""
    for once in (True, False):
        venue = venue_of(bars_of(count=12), once=once)
        session = opened(venue, hello())
        session.due(0)
        for bar in range(10, 13):
            assert not venue.is_done(0)
            session.hear(orders(instant(bar)), 0)
            last = session.due(0)
        assert venue.is_done(0)
        assert session.is_over is once
        assert kinds(last) == ([Begun, Refusal] if once else [Begun])


def test_what_is_out_of_turn_ends_the_stream() -> None:
    """Orders of an instant that has not come, a second Hello, a goodbye; and a new stream ends the old one."""
    for said, code in ((orders(instant(20)), "ahead"), (hello(), "hello")):
        session = opened(venue_of(), hello())
        session.hear(said, 0)
        assert session.due(0)[-1].code == code
    venue = venue_of()
    session = opened(venue, hello())
    opened(venue, hello())
    assert session.due(0)[-1].code == "superseded"
    session = opened(venue, hello())
    session.hear(Goodbye(), 0)
    session.due(0)
    assert session.is_over and session.due(0) == []
    session.hear(orders(instant(10)), 0)
    assert session.due(0) == []
