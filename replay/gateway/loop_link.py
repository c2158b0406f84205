"""A stream to a loop: messages in order, each once."""

from __future__ import annotations

from collections import deque

import msgspec

from ...errors import FeedError
from ..channel.frames import Incoming, Outgoing
from ..channel.messages import FromLoop, FromVenue, encode, read_from_loop
from ..channel.service import Stream
from ..clock import Clock

MISSING_US = 2_000_000
"""How long later messages wait for one that has not come, before the stream is given up."""


class LoopLink:
    """One connection.

    Args:
        stream: To the loop.
        clock: Whose monotonic time is used.
    """

    def __init__(self, stream: Stream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._outgoing, self._incoming = Outgoing(), Incoming()
        self._waiting: deque[FromLoop] = deque()
        self._whole_us = clock.monotonic_us()

    def send(self, message: FromVenue) -> None:
        """Send a message.

        Raises:
            FeedError: The stream has ended, or the loop does not read.
        """
        self._stream.send(self._outgoing.wrap(encode(message)))

    def receive(self, timeout_us: int) -> FromLoop | None:
        """The next message; None where none came in time.

        Raises:
            FeedError: The stream has ended, one of its messages is lost, or is none.
        """
        if not self._waiting:
            self._read(timeout_us)
        return self._waiting.popleft() if self._waiting else None

    def _read(self, timeout_us: int) -> None:
        frame = self._stream.receive(timeout_us)
        if frame is not None:
            try:
                self._waiting.extend(map(read_from_loop, self._incoming.take(frame)))
            except msgspec.DecodeError as error:
                raise FeedError(f"what the loop sent is no message of the channel: {error}.") from None
        now_us = self._clock.monotonic_us()
        if not self._incoming.is_missing:
            self._whole_us = now_us
        elif now_us - self._whole_us > MISSING_US:
            raise FeedError("a message of the loop was lost; later ones have come.")
