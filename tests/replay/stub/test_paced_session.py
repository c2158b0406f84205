"""A paced venue: event time goes with the clock, and orders are filled late, in parts or never."""

from __future__ import annotations

import pytest
from barstep.errors import UsageError
from barstep.replay.channel.messages import Bar, Begun, Complete, Heartbeat, Refusal, Report, Unfinished, Welcome
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.session import Session
from barstep.replay.stub.venue import StubVenue
from venue_making import MINUTE_US, bars_of, hello, instant, opened, order, orders, venue_of

SECOND_US = 1_000_000


def paced(*bars: object, **manner: object) -> StubVenue:
    """A minute of event time goes by in a second."""
    return venue_of(*bars, **{"exact": False, "speed": 60.0, **manner})


def until(session: Session, now_us: int, step_us: int = 10_000) -> list:
    """What is said up to a time on the clock."""
    said = []
    for at_us in range(0, now_us + 1, step_us):
        said += session.due(at_us)
    return said


def reports(said: list) -> list[Report]:
    return [one for one in said if isinstance(one, Report)]


def test_bars_come_by_the_clock_and_move_before_they_close() -> None:
    """A bar opens, is told of four times, and closes; the venue says what its clock is."""
    session = opened(paced(), hello())
    welcome, complete, first, begun = session.due(0)
    assert (welcome.exact, welcome.clock_us, welcome.speed) == (False, instant(10), 60.0)
    assert (complete.at_us, begun.at_us) == (instant(10), instant(10))
    assert (first.ts_us, first.open, first.close, first.volume) == (instant(10), 110.0, 110.0, 0.0)
    said = until(session, SECOND_US)
    assert [type(one) for one in said] == [*[Unfinished] * 4, Bar, Complete, Unfinished, Begun]
    assert said[0].ts_us == instant(10) and said[5].at_us == instant(11)


def test_an_unfinished_bar_stays_within_its_range_and_reaches_it() -> None:
    """Its high never falls, its low never rises, and at the close they are those of the bar."""
    session = opened(paced(updates=200), hello())
    moving = [one for one in until(session, SECOND_US) if isinstance(one, Unfinished) and one.ts_us == instant(10)]
    assert len(moving) == 201
    highs, lows = [one.high for one in moving], [one.low for one in moving]
    assert highs == sorted(highs) and lows == sorted(lows, reverse=True)
    assert all(one.low <= one.close <= one.high and one.open == 110.0 for one in moving)
    assert (highs[-1], lows[-1]) == (113.0, 108.0)
    assert len({one.close for one in moving}) > 100


def test_an_order_is_accepted_and_filled_after_its_latency() -> None:
    """Half of it before it is accepted; at the price that the bar stands at then, worse by the slippage."""
    venue = paced(latency_us=20 * SECOND_US, slippage_bps=10.0)
    session = opened(venue, hello())
    session.due(0)
    session.hear(orders(instant(10), order("a", instant(10))), 0)
    accepted, filled = reports(until(session, SECOND_US))
    assert (accepted.status, accepted.at_us, accepted.left) == ("accepted", instant(10) + 10 * SECOND_US, 100)
    assert (filled.status, filled.at_us, filled.left) == ("filled", instant(10) + 20 * SECOND_US, 0)
    (fill,) = filled.fills
    found = venue.runs[hello().run].so_far(0, filled.at_us)
    assert found is not None and fill.reference == found[1].close
    assert fill.price == fill.reference * 1.001
    assert fill.fee == pytest.approx(100 * 0.01 * fill.price * 0.001)


def test_an_order_without_a_price_waits_for_the_next_open() -> None:
    """Where there is no bar; and is given up where it is too old by then."""
    for missing, told in (
        ((11, 12), ("filled", instant(13), "")),
        (tuple(range(11, 20)), ("abandoned", instant(20), "age")),
    ):
        venue = paced(bars_of(missing=missing))
        session = opened(venue, hello())
        until(session, SECOND_US)
        session.hear(orders(instant(11), order("a", instant(11))), SECOND_US)
        said = []
        for now_us in range(SECOND_US, 15 * SECOND_US, 100_000):
            said += session.due(now_us)
        last = reports(said)[-1]
        assert (last.status, last.at_us, last.reason) == told


def test_parts_add_up() -> None:
    """A partial fill is followed by the rest; without a fill nothing is left out."""
    venue = paced(partial=1.0)
    session = opened(venue, hello())
    session.due(0)
    given = [order(f"o{k}", instant(10), lots=(-1) ** k * (k + 1) * 7) for k in range(20)]
    session.hear(orders(instant(10), *given), 0)
    said = reports(until(session, 3 * SECOND_US))
    for one in given:
        told = [report for report in said if report.order_id == one.order_id]
        assert [report.status for report in told] == ["accepted", "partial", "filled"]
        assert sum(fill.lots for report in told for fill in report.fills) == one.lots
        assert told[1].left == told[2].fills[0].lots and told[1].at_us < told[2].at_us


def test_rejects_and_cancels() -> None:
    """A rejected order is never filled; one that is cancelled before its fill is not either."""
    session = opened(paced(reject=1.0), hello())
    session.hear(orders(instant(10), order("a", instant(10)), order("pair", instant(10), pair=True)), 0)
    told = {one.order_id: (one.status, one.reason) for one in reports(until(session, SECOND_US))}
    assert told == {"a": ("rejected", "venue"), "pair": ("rejected", "invalid")}
    session = opened(paced(latency_us=30 * SECOND_US), hello())
    session.hear(orders(instant(10), order("a", instant(10))), 0)
    session.hear(orders(instant(10), order("b", instant(10), lots=5, replaces="a")), 100_000)
    said = [(one.order_id, one.status) for one in reports(until(session, SECOND_US))]
    assert said == [("a", "cancelled"), ("b", "accepted"), ("b", "filled")]


def test_the_market_goes_on_while_the_loop_is_away() -> None:
    """It is told what it has missed: each bar once, the fills in between, and where the venue stands."""
    venue = paced()
    session = opened(venue, hello())
    session.due(0)
    session.hear(orders(instant(10), order("a", instant(10))), 0)
    session = opened(venue, hello(done_us=instant(10)), 5 * SECOND_US)
    said = session.due(5 * SECOND_US)
    assert isinstance(said[0], Welcome) and said[0].now_us == instant(10) and said[0].clock_us == instant(15)
    assert [one.ts_us for one in said if isinstance(one, Bar)] == [instant(bar) for bar in range(10, 15)]
    assert [one.at_us for one in said if isinstance(one, Begun)] == [instant(bar) for bar in range(10, 16)]
    assert [one.status for one in reports(said)] == ["accepted", "filled"]
    session = opened(venue, hello(done_us=instant(15), reports=1), 5 * SECOND_US)
    assert [one.number for one in reports(session.due(5 * SECOND_US))] == [2]


def test_a_long_absence_is_told_in_pieces() -> None:
    """One call gives about a thousand messages; old unfinished bars are left out."""
    venue = paced(bars_of(count=3_000))
    opened(venue, hello())
    session = opened(venue, hello(done_us=instant(10)), 2_900 * SECOND_US)
    now_us, said, calls = 2_900 * SECOND_US, [], 0
    while session.next_us is not None and session.next_us <= now_us:
        said += session.due(now_us)
        calls += 1
    assert calls > 5
    assert [one.ts_us for one in said if isinstance(one, Bar)] == [instant(bar) for bar in range(10, 2_910)]
    assert sum(isinstance(one, Unfinished) for one in said) < 2_920


def test_it_says_when_it_is_due_next() -> None:
    """Woken then and only then, it says the same as when it is asked all the time."""
    told = []
    for wakes in (True, False):
        session = opened(paced(latency_us=7 * SECOND_US, partial=0.5, seed=3), hello())
        session.hear(orders(instant(10), *(order(f"o{k}", instant(10)) for k in range(9))), 0)
        said, now_us = [], 0
        while now_us <= 3 * SECOND_US:
            said += session.due(now_us)
            now_us = max(session.next_us or 0, now_us + 1) if wakes else now_us + 10_000
        told.append([one for one in said if not isinstance(one, Heartbeat)])
    assert told[0] == told[1]


def test_the_seed_says_it_all() -> None:
    """The same seed draws the same, another one something else."""
    told = []
    for seed in (1, 1, 2):
        session = opened(paced(partial=0.5, reject=0.3, seed=seed), hello())
        session.hear(orders(instant(10), *(order(f"o{k}", instant(10)) for k in range(20))), 0)
        told.append(until(session, SECOND_US))
    assert told[0] == told[1] != told[2]
    assert {one.status for one in reports(told[0])} == {"accepted", "rejected", "partial", "filled"}


def test_the_end() -> None:
    """The clock stands still at the last close; with `once` the loop is told."""
    venue = paced(bars_of(count=12), once=True)
    session = opened(venue, hello())
    assert not venue.is_done(SECOND_US)
    said = until(session, 3 * SECOND_US, 100_000)
    assert isinstance(said[-1], Refusal) and said[-1].code == "ended"
    assert venue.is_done(2 * SECOND_US) and session.is_over
    assert [one.at_us for one in said if isinstance(one, Complete)][-1] == instant(12)


def test_manners_that_cannot_be() -> None:
    """Each is refused with what is allowed."""
    with pytest.raises(UsageError, match="needs a speed"):
        Manner(exact=False)
    with pytest.raises(UsageError, match="does not fill as a backtest does"):
        Manner(partial=0.1)
    with pytest.raises(UsageError, match="partial is 2; allowed is 0 to 1"):
        Manner(exact=False, speed=1.0, partial=2)
    with pytest.raises(UsageError, match="history_bars is 0; allowed is 1 or more"):
        Manner(history_bars=0)
    with pytest.raises(UsageError, match="allowed is more than 0 seconds"):
        Manner(speed=0.0)
    assert MINUTE_US == 60 * SECOND_US
