"""A stream at a client.

Flight's writer closes its half when the reader comes to the end, and gRPC ends the process where the writer does that
too at the same time. So this side never closes its half by itself: it says in-band that it leaves, and what is left to
do the reading thread does alone.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

import pyarrow.flight as fl

from ...errors import BarstepError, FeedError
from .endings import Ending, read_ending
from .message_queue import MessageQueue
from .opening import CHANNEL_VERSION, read_opening
from .queued_stream import DEFAULT_SEND_TIMEOUT_US, END, MESSAGE, OPENED, QueuedStream, lost
from .service import DEFAULT_MESSAGE_BYTES
from .translation import ending_from

_LETTING_GO_SECONDS = 1.0
"""How long a server may take to answer that the stream has ended."""
_MOST_BYTES = 4 * DEFAULT_MESSAGE_BYTES


class ClientStream(QueuedStream):
    """One stream to a server: one thread reads it, another one writes it.

    Args:
        writer: Flight's writer.
        reader: Flight's reader.
        open_timeout_us: How long the server may take to open it.

    Raises:
        BarstepError: The server refuses, or cannot be reached.
    """

    def __init__(self, writer: fl.FlightStreamWriter, reader: fl.FlightStreamReader, *, open_timeout_us: int) -> None:
        super().__init__(message_bytes=_MOST_BYTES, send_timeout_us=DEFAULT_SEND_TIMEOUT_US)
        self._flight_writer, self._flight_reader = writer, reader
        self._opened = MessageQueue(_MOST_BYTES)
        self._writing = Thread(target=self._write, name="barstep-channel-client", daemon=True)
        self._reading = Thread(target=self._read, name="barstep-channel-client", daemon=True)
        self._writing.start()
        self._reading.start()
        try:
            self._open(self._opened.get(open_timeout_us))
        except BarstepError:
            self.close()
            raise

    def close(self) -> None:
        """End it; what was sent before still goes, unless the server does not read."""
        super().close()
        for thread in (self._writing, self._reading):
            thread.join(_LETTING_GO_SECONDS)
        if self._reading.is_alive():
            self._flight_reader.cancel()

    def _open(self, told: bytes | None) -> None:
        if told is None:
            raise FeedError("the server did not open the stream in time.")
        opening = read_opening(told)
        if opening is None or opening.channel != CHANNEL_VERSION:
            raise FeedError(f"the server speaks another version of the channel; this side speaks {CHANNEL_VERSION}.")
        self._message_bytes = opening.message_bytes

    def _read(self) -> None:
        ending = self._read_until_it_ends()
        self._opened.end(ending)
        self.end(ending)
        with suppress(Exception):  # that it ended, and why, was told before
            while True:
                self._flight_reader.read_chunk()  # to the status, with which Flight lets go of the call
        self._writing.join()
        with suppress(Exception):  # else Flight prints the same status when the writer is collected
            self._flight_writer.close()

    def _read_until_it_ends(self) -> Ending:
        try:
            while True:
                frame = self._frame()
                kind, body = frame[:1], frame[1:]
                if kind == END:
                    return read_ending(body) or lost("")
                (self._opened if kind == OPENED else self.incoming).put(body)
        except BarstepError:
            return self.incoming.ending or lost("")
        except StopIteration:
            return Ending(code="ended", message="the other side has ended the stream.")
        except Exception as error:  # whatever Flight raises, the stream is lost
            return ending_from(error)

    def _frame(self) -> bytes:
        chunk = self._flight_reader.read_chunk()
        return MESSAGE if chunk.app_metadata is None else bytes(chunk.app_metadata)

    def _write(self) -> None:
        with suppress(Exception):  # the reader learns why nothing can be written
            self.write_out(self._flight_writer)
