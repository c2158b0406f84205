"""A stream at a server: Flight's thread reads it, one thread writes it, and the service answers in a third.

The handler of Flight returns only when nobody reads or writes the exchange any more, since that is gone then. Where a
client does not let go of a stream that has ended, `OpenCalls` cuts its connection.
"""

from __future__ import annotations

from threading import Thread

import pyarrow.flight as fl

from ...errors import BarstepError, FeedError, UsageError, in_one_line
from ..clock import Clock
from .answers import Answers
from .endings import ENDED, Ending
from .gate import Guard
from .queued_stream import END, MESSAGE, QueuedStream, lost
from .service import Service

_LEFT = Ending(code="feed", message="the other side has ended the stream.")
_ENDED = Ending(code=ENDED, message=_LEFT.message)


class ServerStream(QueuedStream):
    """One stream that is answered.

    Args:
        guard: Whether it may go on.
        peer: Where the other side is, as gRPC writes it.
        clock: The time.
        answers: Tells errors.
    """

    def __init__(
        self, guard: Guard, peer: str, clock: Clock, answers: Answers, *, message_bytes: int, send_timeout_us: int
    ) -> None:
        super().__init__(message_bytes=message_bytes, send_timeout_us=send_timeout_us)
        self.guard, self.peer, self.began_us = guard, peer, clock.monotonic_us()
        self.waits_since_us: int | None = None
        self._clock, self._answers = clock, answers

    def end(self, ending: Ending, *, drop: bool = False) -> None:
        """End both directions; the service sees a FeedError, whatever the other side is told."""
        if self.waits_since_us is None:
            self.waits_since_us = self._clock.monotonic_us()
        self.outgoing.end(ending, drop=drop)
        self.incoming.end(Ending(code="feed", message=ending.message), drop=drop)

    def close(self) -> None:
        """End it; what was sent before still goes."""
        self.end(_ENDED)

    def run(
        self,
        service: Service,
        name: str,
        reader: fl.MetadataRecordBatchReader,
        writer: fl.MetadataRecordBatchWriter,
    ) -> Ending:
        """Answer until both sides are done with it; returns what the other side was told."""
        serving = Thread(target=self._serve, args=(service, name), name=f"barstep-{name}", daemon=True)
        writing = Thread(target=self._write, args=(writer,), name=f"barstep-{name}-writer", daemon=True)
        serving.start()
        writing.start()
        try:
            self.incoming.end(self._read(reader))
        except BarstepError as error:
            self.end(self._answers.ending(error), drop=True)
        serving.join()
        writing.join()
        return self.outgoing.ending or _LEFT

    def _serve(self, service: Service, name: str) -> None:
        try:
            service.serve(name, self.guard.caller, self)
            self.close()
        except Exception as error:  # the other side is told what it may know
            left = isinstance(error, FeedError) and self.incoming.ending is _LEFT
            self.end(_ENDED if left else self._answers.ending(error))

    def _read(self, reader: fl.MetadataRecordBatchReader) -> Ending:
        """Read until the other side is done; returns why.

        Raises:
            BarstepError: It sends what is not allowed, or may not send any more.
        """
        while True:
            try:
                chunk = reader.read_chunk()
            except StopIteration:
                return _LEFT
            except Exception as error:  # whatever Flight raises, the stream is lost
                return lost(in_one_line(error))
            self.guard.check(self._clock.now_us())
            message = self._message(chunk)
            if message is None:
                return _LEFT
            self.incoming.put(message)

    def _message(self, chunk: fl.FlightStreamChunk) -> bytes | None:
        """What was sent; None where it is the end."""
        if chunk.data is not None or chunk.app_metadata is None:
            raise UsageError("a stream of the channel has messages in its metadata, and no batches.")
        if (size := chunk.app_metadata.size - 1) > self._message_bytes:
            raise UsageError(f"a message of {size:,} bytes; allowed are up to {self._message_bytes:,}.")
        frame: bytes = chunk.app_metadata.to_pybytes()
        if frame[:1] == END:
            return None
        if frame[:1] != MESSAGE:
            raise UsageError(f"a message begins with the byte 0, not with {frame[:1].hex() or 'nothing'}.")
        return frame[1:]

    def _write(self, writer: fl.MetadataRecordBatchWriter) -> None:
        try:
            self.write_out(writer)
        except Exception as error:  # whatever Flight raises, nobody is there any more
            self.end(lost(in_one_line(error)), drop=True)
