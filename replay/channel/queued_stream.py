"""One end of a stream: two bounded queues, which other threads empty into Flight and fill from it.

Every message travels in the metadata of an exchange, after one byte that says what it is.
"""

from __future__ import annotations

import pyarrow.flight as fl

from ...errors import BarstepError, FeedError, UsageError
from .endings import ENDED, Ending
from .message_queue import MessageQueue

MESSAGE, END, OPENED = b"\0", b"\1", b"\2"
"""What comes after the byte: a message; why the sender has ended the stream, as JSON; the `Opening`, as JSON."""
DEFAULT_SEND_TIMEOUT_US = 5_000_000


class QueuedStream:
    """What both ends of a stream are: `service.Stream`.

    Args:
        message_bytes: Most of one message.
        send_timeout_us: For how long `send` waits for a reader before it drops it.
    """

    def __init__(self, *, message_bytes: int, send_timeout_us: int) -> None:
        self._message_bytes, self._send_timeout_us = message_bytes, send_timeout_us
        self.incoming = MessageQueue(2 * message_bytes)
        self.outgoing = MessageQueue(2 * message_bytes)

    def send(self, message: bytes) -> None:
        """Send a message.

        Raises:
            UsageError: It is longer than the server takes.
            FeedError: The stream has ended, or the other side does not read: it is dropped.
        """
        if len(message) > self._message_bytes:
            raise UsageError(f"a message of {len(message):,} bytes; allowed are up to {self._message_bytes:,}.")
        if not self.outgoing.put(message, self._send_timeout_us):
            seconds = self._send_timeout_us / 1e6
            stalled = f"the other side does not read: {len(self.outgoing)} messages waited for {seconds:g} s"
            self.end(Ending(code="feed", message=f"{stalled}; the stream is dropped."), drop=True)
            raise FeedError(f"{stalled}; the stream is dropped.")

    def receive(self, timeout_us: int | None = None) -> bytes | None:
        """The next message; None where none came in time.

        Raises:
            FeedError: The stream has ended.
            AuthorizationError: It was ended since the token or the certificate is good no more; at a client only.
        """
        return self.incoming.get(timeout_us)

    def close(self) -> None:
        """End it; what was sent before still goes."""
        self.end(Ending(code=ENDED, message="the stream was closed on this side."))

    def end(self, ending: Ending, *, drop: bool = False) -> None:
        """End both directions for a reason; with `drop` what waits is lost."""
        self.incoming.end(ending, drop=drop)
        self.outgoing.end(ending, drop=drop)

    def write_out(self, writer: fl.MetadataRecordBatchWriter) -> None:
        """Write what is sent until that ends, and why it has. Raises what Flight raises."""
        try:
            while True:
                writer.write_metadata(MESSAGE + (self.outgoing.get() or b""))
        except BarstepError:
            ending = self.outgoing.ending or lost("")
            writer.write_metadata(END + ending.as_json)


def lost(why: str) -> Ending:
    """The ending of a stream whose connection broke."""
    return Ending(code="feed", message=f"the connection was lost. {why}".strip())
