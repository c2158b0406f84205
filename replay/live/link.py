"""A stream to a venue: messages in order, each once."""

from __future__ import annotations

from collections import deque

import msgspec

from ...errors import FeedError
from ..channel.frames import Incoming, Outgoing
from ..channel.messages import FromLoop, FromVenue, encode, read_from_venue
from ..channel.service import Stream
from ..clock import Clock

MISSING_US = 2_000_000
"""How long later messages wait for one that has not come, before the stream is given up."""


class VenueLink:
    """One connection.

    Attributes:
        heard_us: When the last message came, on the monotonic clock.
    """

    def __init__(self, stream: Stream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._outgoing, self._incoming = Outgoing(), Incoming()
        self._waiting: deque[FromVenue] = deque()
        self.heard_us = self._missing_since_us = clock.monotonic_us()

    def send(self, message: FromLoop) -> None:
        """Send a message.

        Raises:
            FeedError: The stream has ended.
        """
        self._stream.send(self._outgoing.wrap(encode(message)))

    def receive(self, timeout_us: int) -> FromVenue | None:
        """The next message; None where none came in time.

        Raises:
            FeedError: The stream has ended, one of its messages is lost, or is none.
        """
        if not self._waiting:
            self._read(timeout_us)
        return self._waiting.popleft() if self._waiting else None

    @property
    def has_more(self) -> bool:
        """Whether a message is here that was not given yet."""
        return bool(self._waiting)

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def _read(self, timeout_us: int) -> None:
        frame = self._stream.receive(timeout_us)
        now_us = self._clock.monotonic_us()
        if frame is not None:
            self.heard_us = now_us
            try:
                self._waiting.extend(map(read_from_venue, self._incoming.take(frame)))
            except msgspec.DecodeError as error:
                raise FeedError(f"the venue sent what is no message of the protocol: {error}") from None
        if not self._incoming.is_missing:
            self._missing_since_us = now_us
        elif now_us - self._missing_since_us > MISSING_US:
            raise FeedError("a message of the venue was lost; later ones have come.")
