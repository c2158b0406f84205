"""The gateway's process: an exchange is opened, a server listens, and both end in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...errors import AuthorizationError
from ..adapter_log import AdapterLog
from ..channel.addresses import Address
from ..channel.identity import Identity
from ..channel.server import ChannelServer
from ..channel.tokens import TokenEntry, TokenTable
from ..clock import Clock, sleep_while
from .ccxt_exchange import CcxtExchange
from .service import GatewayService

CALLED = "loop"
"""What the adapter's log calls whoever has the token."""
_ALWAYS_US = 1_000_000


def run_gateway(
    exchange: CcxtExchange,
    clock: Clock,
    *,
    address: Address,
    identity: Identity | None,
    token: str,
    folder: Path,
    log: AdapterLog,
    generator: np.random.Generator,
    should_stop: Callable[[], bool],
) -> bool:
    """Serve until it is to stop, then end within four seconds.

    Args:
        exchange: Opened, with credentials.
        clock: The time.
        address: Where it listens.
        identity: What it shows and trusts; None on this machine only.
        token: What loops present.
        folder: Where ledgers are kept, private.
        log: The adapter's log.
        generator: Where the jitter of waits comes from.
        should_stop: Whether it is to stop.

    Returns:
        Whether all has ended. If not, a request is still under way; the process leaves by `os._exit`, which loses
        nothing: what is under way was written down before.

    Raises:
        AuthorizationError: The exchange does not take the key.
        UsageError: It cannot listen there.
    """
    if not token:
        raise AuthorizationError("the token is empty: whoever connects presents one.")
    exchange.balances()  # a key that is not taken is to be known before a loop connects
    service = GatewayService(exchange, clock, folder=folder, log=log, generator=generator)
    entry = TokenEntry.of_secret(CALLED, token, {*service.streams.values(), *service.fetches.values()})
    server = ChannelServer(
        service, tokens=TokenTable([entry]), clock=clock, host=address.host, port=address.port, identity=identity
    )
    log.write("listening", address=server.address, exchange=exchange.name)
    try:
        sleep_while(lambda: _ALWAYS_US, clock, should_stop)
    finally:
        service.stop()
        has_ended = server.close()
        log.write("stopped", all_ended=has_ended)
    return has_ended
