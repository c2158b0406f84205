"""What a server of the channel offers, and what both ends of a stream can do. Nothing here knows of Flight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

ORDERS_WRITE, MARKET_READ = "orders.write", "market.read"
"""Scopes of a venue: to send orders and hear of them, and to read its bars."""

DEFAULT_MESSAGE_BYTES = 1_000_000
"""Most of a message, unless a service says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is at the other end.

    Attributes:
        token_id: Id of the token that was presented.
        scopes: What it allows.
        certificate: The one SAN of the client's certificate; empty without mTLS.
    """

    token_id: str
    scopes: frozenset[str]
    certificate: str = ""


class Stream(Protocol):
    """One end of a stream of messages, each a few bytes."""

    def send(self, message: bytes) -> None:
        """Send a message; a reader that does not take it in time is dropped.

        Raises:
            FeedError: The stream has ended, or the other side does not read.
        """

    def receive(self, timeout_us: int | None = None) -> bytes | None:
        """The next message; None where none came in time.

        Raises:
            FeedError: The stream has ended.
            BarstepError: At a client: what the server has ended it with, an AuthorizationError for a token or a
                certificate that is good no more.
        """

    def close(self) -> None:
        """End it."""


class Service(Protocol):
    """What a server offers.

    Attributes:
        streams: By the name of a stream the scope that opening it needs.
        fetches: By the name of a fetch the scope that it needs.
    """

    streams: Mapping[str, str]
    fetches: Mapping[str, str]

    def serve(self, name: str, caller: Caller, stream: Stream) -> None:
        """Answer on a stream until it ends, in a thread of its own.

        What is raised ends it: a BarstepError's text goes to the other side, of anything else only a number.
        """

    def fetch(self, name: str, caller: Caller, ticket: bytes) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The answer to a fetch."""
