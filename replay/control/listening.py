"""Lets a running loop be managed from elsewhere: its server, its tokens, and what waits for its own thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ...config.tokens import Token
from ..authorization import Authorizer
from ..channel.identity import Identity
from ..channel.server import ChannelServer
from ..channel.tokens import TokenTable, entries_of
from ..clock import Clock
from .desk import Desk
from .hand import Hand
from .place import Place, read_listen, told_place
from .service import ControlService

_GRACE_US = 1_000_000
"""How long those who watch may take to let go; the whole end of a loop has five seconds."""


class Listening:
    """A server for one loop.

    Attributes:
        hand: What the loop's thread has to look at: `hand.work`.
        has_ended: Whether the server is gone. Where it is not after all, the process leaves by `os._exit`.
    """

    def __init__(
        self, desk: Desk, authorizer: Callable[[Sequence[Token]], Authorizer], tokens: Sequence[Token], clock: Clock
    ) -> None:
        """authorizer: tells tokens apart. tokens: those that may come."""
        self.hand, self.has_ended = Hand(), True
        self._authorizer, self._clock = authorizer, clock
        self._table = TokenTable(entries_of(authorizer(tokens)))
        self._service = ControlService(desk, self.hand, tokens)

    def take(self, tokens: Sequence[Token]) -> None:
        """Go by these tokens from now on; streams of those that are gone end.

        Raises:
            JournalError: The file of a secret is not private; the tokens stay as they were.
        """
        self._table.replace(entries_of(self._authorizer(tokens)))
        self._service.take(tokens)

    @contextmanager
    def at(self, listen: str, environment: str, scheduler: str, identity: Identity | None = None) -> Iterator[str]:
        """Listen at `HOST:PORT` and have it told in a file; gives the address.

        identity: what is shown to clients, and whom it trusts; None: on this machine only.

        What waits when this ends is told so, and every stream is ended.

        Raises:
            UsageError: It cannot be listened there.
        """
        host, port = read_listen(listen)
        server = ChannelServer(
            self._service, tokens=self._table, clock=self._clock, host=host, port=port, identity=identity
        )
        self.has_ended = False
        try:
            place = Place(environment=environment, scheduler=scheduler, address=server.address, pid=os.getpid())
            with told_place(place):
                yield server.address
        finally:
            self.hand.close()
            self.has_ended = server.close(_GRACE_US)
