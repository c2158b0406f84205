"""A loop's stream to the venue as frames, with what goes wrong on the way; without sockets or a clock."""

from __future__ import annotations

import msgspec
import numpy as np

from ...errors import FeedError
from ..channel.frames import Incoming, Outgoing
from ..channel.messages import FromLoop, FromVenue, Hello, Refusal, encode, read_from_loop
from .faults import Faults
from .interruptions import Interruptions
from .line import Line
from .session import Session
from .venue import StubVenue

MISSING_US = 5_000_000
"""How long a frame of the loop may be missing while later ones are there, before the stream is ended."""


class Link:
    """One stream. Faults act below the frames' numbers: the other side sees gaps, repeats and swaps.

    Attributes:
        session: Its session; None before a Hello that was accepted.
        is_over: Whether the stream is to be ended; what `due` gave last is still to be sent.
    """

    def __init__(self, venue: StubVenue, faults: Faults, rng: np.random.Generator) -> None:
        self.session: Session | None = None
        self.is_over = False
        self._venue = venue
        self._interruptions = Interruptions(faults, rng)
        self._to_loop, self._from_loop = Line(faults, rng), Line(faults, rng)
        self._outgoing, self._incoming = Outgoing(), Incoming()
        self._missing_us: int | None = None
        self._refused = ""

    @property
    def why_over(self) -> str:
        """Why it is over, for a log."""
        if self._interruptions.is_cut:
            return "a fault"
        return self._refused or "the loop or the venue has left"

    @property
    def next_us(self) -> int | None:
        """When there is something to do next, if no frame comes; None: nothing."""
        times = [self._to_loop.next_us, self._from_loop.next_us]
        if self.session is not None:
            times.append(self.session.next_us)
        return min((one for one in times if one is not None), default=None)

    def hear(self, frame: bytes, now_us: int) -> None:
        """Take a frame of the loop."""
        self._from_loop.put(frame, now_us)

    def due(self, now_us: int) -> list[bytes]:
        """Frames that are to be sent now.

        Raises:
            FeedError: The loop said what is no message, or one of its frames is missing for too long.
        """
        for frame in self._from_loop.take(now_us):
            if not self._interruptions.is_deaf:
                self._read(frame, now_us)
        self._watch_gap(now_us)
        if self.session is not None and not self._interruptions.is_cut:
            for message in self.session.due(now_us):
                self._say(message, self.session.event_us, now_us)
        frames = self._to_loop.take(now_us)
        ended = self.session is not None and self.session.is_over and self._to_loop.next_us is None
        self.is_over |= self._interruptions.is_cut or ended
        return frames

    def _read(self, frame: bytes, now_us: int) -> None:
        for data in self._incoming.take(frame):
            try:
                message: FromLoop = read_from_loop(data)
            except msgspec.MsgspecError as error:
                raise FeedError(f"a message of the loop is none: {error}.") from None
            if self._interruptions.is_cut or not self._interruptions.hears(message):
                return
            if self.session is not None:
                self.session.hear(message, now_us)
            else:
                self._open(message, now_us)

    def _open(self, message: FromLoop, now_us: int) -> None:
        if isinstance(message, Hello):
            answer = self._venue.connect(message, now_us)
        else:
            answer = Refusal(code="hello", message="the first message of a stream is Hello.")
        if isinstance(answer, Session):
            self.session = answer
        else:
            self._say(answer, 0, now_us)
            self.is_over = True

    def _say(self, message: FromVenue, event_us: int, now_us: int) -> None:
        if isinstance(message, Refusal):
            self._refused = f"{message.code}: {message.message}"
        if self._interruptions.says(message, event_us):
            self._to_loop.put(self._outgoing.wrap(encode(message)), now_us)

    def _watch_gap(self, now_us: int) -> None:
        if not self._incoming.is_missing:
            self._missing_us = None
        elif self._missing_us is None:
            self._missing_us = now_us
        elif now_us - self._missing_us > MISSING_US:
            raise FeedError("a message of the loop has not come, and later ones have.")
