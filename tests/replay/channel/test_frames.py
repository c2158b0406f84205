"""Messages of a stream in their order."""

from __future__ import annotations

import pytest
from barstep.errors import FeedError
from barstep.replay.channel.frames import MOST_AHEAD, NUMBER_BYTES, Incoming, Outgoing
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary(max_size=5), max_size=20), st.randoms(use_true_random=False))
def test_messages_come_in_order_and_once_however_frames_come(messages: list[bytes], draws: object) -> None:
    """Swapped and repeated frames change nothing; what is given at each moment is a beginning of what was sent."""
    outgoing, incoming = Outgoing(), Incoming()
    frames = [outgoing.wrap(message) for message in messages] * 2
    draws.shuffle(frames)  # type: ignore[attr-defined]
    given_now: list[bytes] = []
    for frame in frames:
        given_now += incoming.take(frame)
        assert given_now == messages[: len(given_now)]
    assert given_now == messages
    assert not incoming.is_missing


def test_a_frame_is_a_number_and_a_message() -> None:
    """Eight bytes, little-endian, from 1 on."""
    outgoing = Outgoing()
    assert outgoing.wrap(b"a") == b"\1\0\0\0\0\0\0\0a"
    assert outgoing.wrap(b"") == b"\2\0\0\0\0\0\0\0"


@pytest.mark.parametrize("frame", [b"", b"\1", bytes(NUMBER_BYTES), bytes(20)])
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    """One that is too short, and one with the number 0."""
    with pytest.raises(FeedError, match=f"a frame of {len(frame)} bytes is none"):
        Incoming().take(frame)


def test_a_message_that_does_not_come_is_lost_at_last() -> None:
    """Later ones wait for it, as many as may; one more says which it was."""
    incoming = Incoming()
    for number in range(2, MOST_AHEAD + 2):
        assert incoming.take(number.to_bytes(NUMBER_BYTES, "little")) == []
    assert incoming.is_missing
    with pytest.raises(FeedError, match="message 1 of the stream has not come; 257 later ones have"):
        incoming.take((MOST_AHEAD + 2).to_bytes(NUMBER_BYTES, "little"))
