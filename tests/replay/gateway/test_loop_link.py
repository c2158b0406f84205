"""Messages of a loop are taken in order, each once."""

from __future__ import annotations

import pytest
from barstep.errors import FeedError
from barstep.replay.channel.frames import Outgoing
from barstep.replay.channel.messages import Goodbye, Heartbeat, Orders, encode
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.loop_link import MISSING_US, LoopLink
from gateway_making import MemoryStream


def frames(count: int) -> list[bytes]:
    outgoing = Outgoing()
    return [outgoing.wrap(encode(Orders(at_us=number))) for number in range(count)]


def test_order_is_kept() -> None:
    """What comes early waits, what comes twice is dropped."""
    stream = MemoryStream()
    link = LoopLink(stream, SimulatedClock())
    first, second, third = frames(3)
    stream.waiting.extend([second, first, second, third, first])
    taken = []
    for _ in range(6):
        message = link.receive(0)
        if isinstance(message, Orders):
            taken.append(message.at_us)
    assert taken == [0, 1, 2]


def test_a_message_that_stays_away_ends_it() -> None:
    """Later ones do not wait for ever."""
    stream, clock = MemoryStream(), SimulatedClock()
    link = LoopLink(stream, clock)
    stream.waiting.append(frames(2)[1])
    assert link.receive(0) is None
    clock.sleep_us(MISSING_US)
    assert link.receive(0) is None
    clock.sleep_us(1)
    with pytest.raises(FeedError, match="was lost"):
        link.receive(0)


def test_what_is_sent_has_a_number() -> None:
    """Each frame has the next one, and what is no message is refused."""
    stream = MemoryStream()
    link = LoopLink(stream, SimulatedClock())
    for at_us in (5, 6):
        link.send(Heartbeat(at_us=at_us))
    assert stream.sent == [Heartbeat(at_us=5), Heartbeat(at_us=6)]
    stream.waiting.append(Outgoing().wrap(b"\x81"))
    with pytest.raises(FeedError, match="no message of the channel"):
        link.receive(0)
    assert encode(Goodbye())
