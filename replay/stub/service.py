"""The stub venue as a service of the channel: sessions, history and its ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from threading import Lock

import msgspec
import numpy as np
import pyarrow as pa

from ...errors import BarstepError, UsageError
from ..adapter_log import AdapterLog
from ..channel.messages import HistoryRequest
from ..channel.service import MARKET_READ, ORDERS_WRITE, Caller, Stream
from ..clock import Clock
from .faults import Faults
from .link import Link
from .venue import StubVenue

SCOPES = (ORDERS_WRITE, MARKET_READ)
"""What a token of the venue may allow."""

_LONGEST_WAIT_US = 50_000
"""Between two looks at what is due: a session that is superseded is told so."""
_BATCH_ROWS = 65_536
_LEDGER = pa.schema([("entry", pa.string())])


class StubService:
    """Serves loops in threads of their own; the venue is moved by one at a time.

    Args:
        venue: The venue.
        faults: What goes wrong.
        clock: The time.
        log: Who is told of connections.

    Attributes:
        venue: The venue.
        open_streams: How many there are.
    """

    def __init__(self, venue: StubVenue, faults: Faults, clock: Clock, log: AdapterLog) -> None:
        self.streams: Mapping[str, str] = {"session": ORDERS_WRITE}
        self.fetches: Mapping[str, str] = {"history": MARKET_READ, "ledger": MARKET_READ}
        self.venue = venue
        self.open_streams = 0
        self._faults, self._clock, self._log = faults, clock, log
        self._lock = Lock()
        self._connections = 0

    def serve(self, name: str, caller: Caller, stream: Stream) -> None:  # noqa: ARG002 - there is one stream
        """Answer a loop until its stream ends."""
        with self._lock:
            self._connections += 1
            self.open_streams += 1
            number = self._connections
            rng = np.random.default_rng([self.venue.manner.seed, number])
            link = Link(self.venue, self._faults, rng)
        self._log.write("connected", connection=number, token=caller.token_id, certificate=caller.certificate or "none")
        try:
            self._serve(link, stream)
        except BarstepError as error:
            self._log.write("dropped", connection=number, why=str(error))
            raise
        finally:
            with self._lock:
                self.open_streams -= 1
        session = link.session
        run = "none" if session is None else session.run.ledger.run
        self._log.write("closed", connection=number, run=run, why=link.why_over)

    def _serve(self, link: Link, stream: Stream) -> None:
        while True:
            now_us = self._clock.monotonic_us()
            with self._lock:
                frames, following = link.due(now_us), link.next_us
            for frame in frames:
                stream.send(frame)
            if link.is_over:
                return
            wait_us = _LONGEST_WAIT_US if following is None else min(max(following - now_us, 0), _LONGEST_WAIT_US)
            frame_in = stream.receive(wait_us)
            if frame_in is not None:
                link.hear(frame_in, self._clock.monotonic_us())

    def is_done(self) -> bool:
        """Whether runs have come, and all of them have gone through the recorded bars."""
        with self._lock:
            return self.venue.is_done(self._clock.monotonic_us())

    def fetch(self, name: str, caller: Caller, ticket: bytes) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:  # noqa: ARG002
        """History: closed bars of a leg; or the ledger: a line of JSON for each order."""
        with self._lock:
            table = self._ledger() if name == "ledger" else self._history(ticket)
        return table.schema, iter(table.to_batches(max_chunksize=_BATCH_ROWS))

    def _history(self, ticket: bytes) -> pa.Table:
        try:
            request = msgspec.json.decode(ticket, type=HistoryRequest)
        except msgspec.MsgspecError as error:
            raise UsageError(f"the ticket of a history is none: {error}.") from None
        if request.interval_seconds < 1:
            raise UsageError(f"interval_seconds is {request.interval_seconds}; allowed is 1 or more.")
        table: pa.Table = self.venue.history(request).to_frame().to_arrow()
        return table

    def _ledger(self) -> pa.Table:
        lines = [json.dumps(entry) for entry in self.venue.ledger_entries()]
        return pa.table({"entry": pa.array(lines, type=pa.string())}, schema=_LEDGER)
