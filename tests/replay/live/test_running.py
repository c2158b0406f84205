"""A run's connection to its venue: tried until it stands, and nothing is left of one that does not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from barstep.errors import FeedError
from barstep.replay.channel.frames import Outgoing
from barstep.replay.channel.messages import FromVenue, Refusal, encode
from barstep.replay.clock import SimulatedClock
from barstep.replay.live.running import SILENCE_US, greet
from sim_world import SimWorld

SEED = 4


@dataclass
class Answering:
    """A stream whose other end says one thing, or nothing; `closed`: how often it was closed."""

    clock: SimulatedClock
    answer: FromVenue | None
    takes: bool = True
    closed: int = 0
    sent: list[bytes] = field(default_factory=list)

    def send(self, message: bytes) -> None:
        if not self.takes:
            raise FeedError("the stream has ended.")
        self.sent.append(message)

    def receive(self, timeout_us: int | None = None) -> bytes | None:
        self.clock.sleep_us(timeout_us or 0)
        answer, self.answer = self.answer, None
        return None if answer is None else Outgoing().wrap(encode(answer))

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("answer", "takes", "why"),
    [
        (Refusal(code="ended", message="the venue has ended."), True, "the venue has ended"),
        (None, True, f"has not answered for {SILENCE_US // 1_000_000} seconds"),
        (None, False, "the stream has ended"),
    ],
    ids=["refused", "silent", "cut"],
)
def test_a_stream_whose_venue_does_not_welcome_is_closed(answer: FromVenue | None, takes: bool, why: str) -> None:
    """A venue that has ended is tried again for ever: each try gives its stream back."""
    world = SimWorld(SEED)
    stream = Answering(world.clock, answer, takes)
    with pytest.raises(FeedError, match=why):
        greet(stream, world.hello(), world.clock)
    assert stream.closed == 1


def test_a_session_that_is_refused_tries_again_and_leaves_no_stream_open() -> None:
    """Its process goes on until it is stopped, each time on a stream of its own."""
    world, tried = SimWorld(SEED), list[Answering]()

    def connect() -> Answering:
        tried.append(Answering(world.clock, Refusal(code="ended", message="the venue has ended.")))
        return tried[-1]

    connected = world.connected(world.open(), connect)
    connected.run(lambda: len(tried) == 5)
    assert [one.closed for one in tried] == [1] * 5
    assert not connected.is_connected and "the venue has ended" in connected.status
