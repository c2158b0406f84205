"""The stub venue as a server: until it is asked to stop, or its recorded bars end."""

from __future__ import annotations

from collections.abc import Callable

from ..channel.addresses import Address
from ..channel.identity import Identity
from ..channel.server import ChannelServer
from ..channel.tokens import TokenEntry, TokenTable
from ..clock import Clock, sleep_while
from .account import compile_fills
from .service import SCOPES, StubService

OWNER = "venue"
"""Id of the one token."""
_LAST_WORDS_US = 2_000_000
"""How long loops have to hear that the recorded bars have ended."""
_STAYS_US = 2**62


def serve_venue(
    service: StubService,
    *,
    address: Address,
    identity: Identity | None,
    token: str,
    clock: Clock,
    should_stop: Callable[[], bool],
    say_ready: Callable[[str], None],
) -> bool:
    """Serve until it is to stop; with `once` until all runs are done.

    Args:
        service: The venue.
        address: Where it listens; port 0: at one that is free.
        identity: What it shows; needed where others than this machine connect.
        token: What loops present.
        clock: The time.
        should_stop: Asked many times a second.
        say_ready: Is told the address once loops may connect.

    Returns:
        Whether every thread has ended; if not, the process leaves by `os._exit`.
    """
    if service.venue.manner.exact:
        compile_fills()
    tokens = TokenTable([TokenEntry.of_secret(OWNER, token, SCOPES)])
    server = ChannelServer(service, host=address.host, port=address.port, tokens=tokens, identity=identity, clock=clock)
    try:
        say_ready(server.address)
        once = service.venue.manner.once
        sleep_while(lambda: _STAYS_US, clock, lambda: should_stop() or (once and service.is_done()))
        ends_us = clock.monotonic_us() + _LAST_WORDS_US
        sleep_while(lambda: ends_us - clock.monotonic_us() if service.open_streams else 0, clock, should_stop)
    finally:
        has_ended = server.close()
    return has_ended
