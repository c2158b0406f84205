"""From an operator's terminal to a running loop."""

from __future__ import annotations

from ...errors import FeedError, HeldError
from ..channel.client import ChannelClient
from ..clock import Clock
from .client import ControlClient
from .verbs import STREAM


def connect_control(address: str, token: str, clock: Clock) -> ControlClient:
    """Open the stream of a loop.

    Args:
        address: `grpc://127.0.0.1:PORT`; without what stands before the host that is meant.
        token: What is presented.
        clock: The time.

    Raises:
        UsageError: The address is none.
        AuthorizationError: The loop does not let this token in.
        HeldError: No loop is there.
    """
    client = ChannelClient(address if "://" in address else f"grpc://{address}", token, clock=clock)
    try:
        return ControlClient(client.open(STREAM), client.close)
    except FeedError as error:
        client.close()
        raise HeldError(f"{error} Is the loop running? It says where it listens when it starts.") from None
    except BaseException:
        client.close()
        raise
