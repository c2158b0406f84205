"""What goes wrong on request: how it is written, and what it does to frames and streams."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from barstep.errors import FeedError, UsageError
from barstep.replay.channel.frames import Incoming, Outgoing
from barstep.replay.channel.messages import Hello, Orders, Report, Welcome, encode, read_from_venue
from barstep.replay.stub.durations import duration_us
from barstep.replay.stub.faults import Faults, Occasion, parse_faults
from barstep.replay.stub.line import Line
from barstep.replay.stub.link import MISSING_US, Link
from barstep.replay.stub.venue import StubVenue
from venue_making import hello, instant, order, orders, venue_of

FRAMES = [number.to_bytes(2, "big") for number in range(2_000)]


def test_how_they_are_written() -> None:
    """Chances are bare numbers, times have a unit."""
    written = ["drop:0.01", "delay:250ms:0.2", "disconnect:30s", "stall:0.5", "half_close:2h", "ack_lost:1"]
    assert parse_faults(written) == Faults(
        drop=0.01, delay_us=250_000, delay=0.2, disconnect=Occasion(every_us=30_000_000), stall=Occasion(chance=0.5),
        half_close=Occasion(every_us=7_200_000_000), ack_lost=1.0,
    )  # fmt: skip
    assert parse_faults(["delay:1s"]) == Faults(delay_us=1_000_000, delay=1.0)
    assert parse_faults([]) == Faults()


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (["drp:0.01"], "Did you mean 'drop'?"),
        (["drop"], "'' is no chance; allowed is a number from 0 to 1"),
        (["drop:1.5"], "no chance"),
        (["drop:nan"], "no chance"),
        (["disconnect:"], "is no duration"),
        (["disconnect:0s"], "allowed is more than 0"),
        (["disconnect:7"], "no chance"),
        (["delay:soon"], "allowed is a number with ms, s, m, h, d or w"),
        (["drop:0.1", "drop:0.2"], "drop is given twice"),
    ],
)
def test_what_is_refused(written: list[str], text: str) -> None:
    """Each says what is allowed, and an unknown name the near one."""
    with pytest.raises(UsageError, match="--fault") as refusal:
        parse_faults(written)
    assert text in str(refusal.value)


def test_durations() -> None:
    """To the millisecond."""
    lengths = {"250ms": 250_000, "1.5s": 1_500_000, "2m": 120_000_000, "3": 3_000_000}
    assert {text: duration_us(text) for text in lengths} == lengths


def passed_on(faults: Faults, seed: int = 1) -> list[int]:
    """Numbers of the frames as they come out, one put in each millisecond."""
    line, out = Line(faults, np.random.default_rng(seed)), []
    for at, frame in enumerate(FRAMES):
        line.put(frame, at * 1_000)
        out += line.take(at * 1_000)
    out += line.take(10**9)
    return [int.from_bytes(frame, "big") for frame in out]


def test_a_line_without_faults_passes_everything_on() -> None:
    """In order, at once."""
    assert passed_on(Faults()) == list(range(2_000))


def test_a_line_loses_repeats_and_swaps_as_often_as_it_should() -> None:
    """One in ten; and what is left is in order but for the swaps."""
    lost = passed_on(Faults(drop=0.1))
    assert lost == sorted(lost) and 1_700 < len(lost) < 1_900
    twice = passed_on(Faults(duplicate=0.1))
    assert sorted(set(twice)) == list(range(2_000)) and 2_100 < len(twice) < 2_300
    swapped = passed_on(Faults(reorder=0.1))
    assert sorted(swapped) == list(range(2_000))
    assert 100 < sum(after < before for before, after in pairwise(swapped)) < 250
    assert max(abs(number - place) for place, number in enumerate(swapped)) <= 2
    assert passed_on(Faults(drop=0.1), 1) != passed_on(Faults(drop=0.1), 2)


def test_a_late_frame_is_overtaken_where_others_are_not_late() -> None:
    """And keeps its place where all are."""
    assert passed_on(Faults(delay_us=5_000, delay=1.0)) == list(range(2_000))
    some = passed_on(Faults(delay_us=5_000, delay=0.1))
    assert sorted(some) == list(range(2_000)) != some
    line = Line(Faults(delay_us=5_000, delay=1.0), np.random.default_rng(1))
    line.put(b"late", 0)
    assert (line.next_us, line.take(4_999), line.take(5_000), line.next_us) == (5_000, [], [b"late"], None)


def test_a_frame_that_is_to_be_overtaken_comes_even_if_it_is_the_last() -> None:
    """A fifth of a second later."""
    line = Line(Faults(reorder=1.0), np.random.default_rng(1))
    line.put(b"one", 0)
    assert (line.take(0), line.next_us, line.take(200_000)) == ([], 200_000, [b"one"])


class Talk:
    """A loop's side of one link."""

    def __init__(self, *faults: str, venue: StubVenue | None = None, seed: int = 1) -> None:
        self.venue = venue or venue_of()
        self.link = Link(self.venue, parse_faults(faults), np.random.default_rng(seed))
        self.outgoing, self.incoming = Outgoing(), Incoming()

    def say(self, message: Hello | Orders, now_us: int = 0) -> list:
        self.link.hear(self.outgoing.wrap(encode(message)), now_us)
        return self.hear(now_us)

    def hear(self, now_us: int = 0) -> list:
        frames = self.link.due(now_us)
        return [read_from_venue(data) for frame in frames for data in self.incoming.take(frame)]


def test_a_cut_after_so_much_event_time() -> None:
    """What was said before still goes; then the stream is over."""
    talk = Talk("disconnect:2m")
    talk.say(hello())
    talk.say(orders(instant(10)))
    assert not talk.link.is_over
    talk.say(orders(instant(11)))
    assert talk.link.is_over and talk.link.why_over == "a fault"


def test_a_venue_that_falls_silent_still_hears() -> None:
    """Its ledger has the order, and nothing is said of it."""
    talk = Talk("stall:1m")
    talk.say(hello())
    talk.say(orders(instant(10)))
    assert talk.say(orders(instant(11), order("a", instant(11)))) == []
    assert talk.hear(2_000_000) == [] and not talk.link.is_over
    assert talk.venue.ledgers[0].entries["a"].status == "filled"


def test_a_venue_that_hears_no_more_still_speaks() -> None:
    """The order never comes; the heartbeats do."""
    talk = Talk("half_close:1m")
    talk.say(hello())
    talk.say(orders(instant(10)))
    talk.say(orders(instant(11), order("a", instant(11))))
    assert talk.venue.ledgers[0].entries == {}
    assert talk.hear(2_000_000) != [] and not talk.link.is_over


def test_an_acknowledgement_is_lost_in_three_places() -> None:
    """Before the order is heard, before it is filled, and before the fill is told; each comes about."""
    states = set()
    for seed in range(12):
        talk = Talk("ack_lost:1", seed=seed)
        talk.say(hello())
        said = talk.say(orders(instant(10), order("a", instant(10))))
        assert talk.link.is_over and not any(isinstance(one, Report) for one in said)
        entry = talk.venue.ledgers[0].entries.get("a")
        states.add(None if entry is None else entry.status or "open")
    assert states == {None, "open", "filled"}


def test_the_first_word_is_hello() -> None:
    """Anything else is refused, and what is no message ends the stream."""
    talk = Talk()
    (refusal,) = talk.say(orders(instant(10)))
    assert refusal.code == "hello" and talk.link.is_over and talk.link.why_over.startswith("hello: ")
    talk = Talk()
    talk.link.hear(Outgoing().wrap(b"\x01"), 0)
    with pytest.raises(FeedError, match="a message of the loop is none"):
        talk.hear()


def test_a_message_that_never_comes_ends_the_stream() -> None:
    """Not at once: it may only be late."""
    talk = Talk()
    assert isinstance(talk.say(hello())[0], Welcome)
    talk.outgoing.wrap(b"lost")
    assert talk.say(orders(instant(10))) == []
    talk.hear(MISSING_US)
    with pytest.raises(FeedError, match="has not come, and later ones have"):
        talk.hear(MISSING_US + 1)
