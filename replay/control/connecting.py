"""From an operator's terminal to a running loop."""

from __future__ import annotations

from ...errors import FeedError, HeldError
from ..channel.addresses import PLAIN, parse_address
from ..channel.client import ChannelClient
from ..clock import Clock
from .client import ControlClient
from .verbs import STREAM


def control_address(text: str) -> str:
    """The address of a loop; without what stands before its host this machine's kind is meant.

    Raises:
        UsageError: It is none.
    """
    return str(parse_address(text if "://" in text else f"{PLAIN}://{text}"))


def connect_control(address: str, token: str, clock: Clock) -> ControlClient:
    """Open the stream of a loop.

    Args:
        address: A `control_address`.
        token: What is presented.
        clock: The time.

    Raises:
        AuthorizationError: The loop does not let this token in.
        HeldError: No loop is there.
    """
    client = ChannelClient(address, token, clock=clock)
    try:
        return ControlClient(client.open(STREAM), client.close)
    except FeedError as error:
        client.close()
        raise HeldError(f"{error} Is the loop running? It says where it listens when it starts.") from None
    except BaseException:
        client.close()
        raise
