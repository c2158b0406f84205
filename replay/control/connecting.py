"""From an operator's terminal to a running loop."""

from __future__ import annotations

from ...errors import FeedError, HeldError
from ..channel.addresses import PLAIN, parse_address
from ..channel.client import ChannelClient
from ..channel.identity import Identity
from ..clock import Clock
from .client import ControlClient
from .verbs import STREAM


def control_address(text: str) -> str:
    """The address of a loop; without what stands before its host this machine's kind is meant.

    Raises:
        UsageError: It is none.
    """
    return str(parse_address(text if "://" in text else f"{PLAIN}://{text}"))


def needs_identity(address: str) -> bool:
    """Whether both ends show certificates there."""
    return parse_address(address).is_tls


def connect_control(address: str, token: str, clock: Clock, identity: Identity | None = None) -> ControlClient:
    """Open the stream of a loop.

    Args:
        address: A `control_address`.
        token: What is presented.
        clock: The time.
        identity: What this side shows and trusts, where that `needs_identity`.

    Raises:
        AuthorizationError: The loop does not let this token in.
        HeldError: No loop is there.
    """
    client = ChannelClient(address, token, clock=clock, identity=identity)
    try:
        return ControlClient(client.open(STREAM), client.close)
    except FeedError as error:
        client.close()
        raise HeldError(f"{error} Is the loop running? It says where it listens when it starts.") from None
    except BaseException:
        client.close()
        raise
