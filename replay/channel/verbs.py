"""The verbs of Flight: two are answered, and every other one is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import msgspec
import pyarrow.flight as fl

from ...errors import AuthorizationError, UsageError, unknown_name
from ..clock import Clock
from .answers import Answers, flight_error
from .calls import OpenCalls
from .endings import ENDED
from .gate import Guards
from .opening import CHANNEL_VERSION, Opening
from .queued_stream import OPENED
from .server_fetch import ServerFetch
from .server_stream import ServerStream
from .service import Service

SEPARATOR = b"\0"
"""Between the name and the ticket of a fetch."""


class Verbs(fl.FlightServerBase):  # type: ignore[misc]  # pyarrow carries no types
    """Flight's server.

    Args:
        service: What it offers.
        guards: Says of each call whether it may go on.
        calls: Keeps calls within their limits.
        answers: Tells errors.
        clock: The time.
        message_bytes: Most of one message.
        send_timeout_us: How long a reader may stall.
        listening: What Flight itself is to be told.
    """

    def __init__(
        self,
        service: Service,
        *,
        guards: Guards,
        calls: OpenCalls,
        answers: Answers,
        clock: Clock,
        message_bytes: int,
        send_timeout_us: int,
        **listening: object,
    ) -> None:
        self._service, self._guards, self._calls, self._answers, self._clock = service, guards, calls, answers, clock
        self._message_bytes, self._send_timeout_us = message_bytes, send_timeout_us
        super().__init__(**listening)

    def do_exchange(
        self,
        context: fl.ServerCallContext,
        descriptor: fl.FlightDescriptor,
        reader: fl.MetadataRecordBatchReader,
        writer: fl.MetadataRecordBatchWriter,
    ) -> None:
        """Answer a stream; the descriptor's command is its name."""
        with self._answers.told():
            name, scope = _offered("stream", descriptor.command or b"", self._service.streams)
            stream = ServerStream(
                self._guards.guard(context, scope),
                context.peer(),
                self._clock,
                self._answers,
                message_bytes=self._message_bytes,
                send_timeout_us=self._send_timeout_us,
            )
            with self._calls.answering(stream):
                opening = Opening(channel=CHANNEL_VERSION, message_bytes=self._message_bytes)
                writer.write_metadata(OPENED + msgspec.json.encode(opening))
                ending = stream.run(self._service, name, reader, writer)
            if ending.code != ENDED:
                raise flight_error(ending)

    def do_get(self, context: fl.ServerCallContext, ticket: fl.Ticket) -> fl.GeneratorStream:
        """Answer a fetch; the ticket is its name, a zero byte, and what the service reads."""
        with self._answers.told():
            called, _, body = ticket.ticket.partition(SEPARATOR)
            name, scope = _offered("fetch", called, self._service.fetches)
            guard = self._guards.guard(context, scope)
            schema, batches = self._service.fetch(name, guard.caller, body)
            fetch = ServerFetch(guard, context.peer(), self._clock)
            return fl.GeneratorStream(schema, fetch.run(batches, self._calls, self._answers))

    def do_put(self, *_: object) -> NoReturn:
        """Refuse."""
        self._refuse("DoPut")

    def do_action(self, *_: object) -> NoReturn:
        """Refuse."""
        self._refuse("DoAction")

    def list_actions(self, *_: object) -> NoReturn:
        """Refuse."""
        self._refuse("ListActions")

    def list_flights(self, *_: object) -> NoReturn:
        """Refuse."""
        self._refuse("ListFlights")

    def get_flight_info(self, *_: object) -> NoReturn:
        """Refuse."""
        self._refuse("GetFlightInfo")

    def get_schema(self, *_: object) -> NoReturn:
        """Refuse."""
        self._refuse("GetSchema")

    def _refuse(self, verb: str) -> NoReturn:
        with self._answers.told():
            raise AuthorizationError(f"{verb} is not answered here; DoExchange and DoGet are.")


def _offered(kind: str, called: bytes, offered: Mapping[str, str]) -> tuple[str, str]:
    """The name of a stream or a fetch and the scope that it needs."""
    name = called[:100].decode("utf-8", "replace")
    if name not in offered:
        raise UsageError(unknown_name(kind, name, offered) if offered else f"no {kind} is offered here.")
    return name, offered[name]
