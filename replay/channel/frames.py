"""Messages of a stream in their order: each has a number, so that what comes twice, late or never is seen.

A frame is the number, eight bytes little-endian, counted from 1 on by each side, and the message.
"""

from __future__ import annotations

from ...errors import FeedError

NUMBER_BYTES = 8
MOST_AHEAD = 256
"""Frames that are kept while an earlier one is missing; more say that it was lost."""


class Outgoing:
    """Numbers the messages of one side of a stream."""

    def __init__(self) -> None:
        self._sent = 0

    def wrap(self, message: bytes) -> bytes:
        """The frame of the next message."""
        self._sent += 1
        return self._sent.to_bytes(NUMBER_BYTES, "little") + message


class Incoming:
    """Gives the messages of the other side in order, each once.

    Attributes:
        is_missing: Whether later frames wait for one that has not come.
    """

    def __init__(self) -> None:
        self._next = 1
        self._ahead: dict[int, bytes] = {}

    @property
    def is_missing(self) -> bool:
        """Whether later frames wait for one that has not come."""
        return bool(self._ahead)

    def take(self, frame: bytes) -> list[bytes]:
        """The messages that can be given now that this frame is there.

        Raises:
            FeedError: It is no frame, or one before it must be lost: the stream is to be opened again.
        """
        number = int.from_bytes(frame[:NUMBER_BYTES], "little")
        if len(frame) < NUMBER_BYTES or number == 0:
            raise FeedError(f"a frame of {len(frame)} bytes is none: it begins with its number, 8 bytes, from 1 on.")
        if number >= self._next:
            self._ahead[number] = frame[NUMBER_BYTES:]
        given = []
        while self._next in self._ahead:
            given.append(self._ahead.pop(self._next))
            self._next += 1
        if len(self._ahead) > MOST_AHEAD:
            raise FeedError(f"message {self._next} of the stream has not come; {len(self._ahead)} later ones have.")
        return given
