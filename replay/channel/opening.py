"""The first that a server says on a stream."""

from __future__ import annotations

import msgspec
from msgspec import Struct

CHANNEL_VERSION = 1
"""Of what docs/protocol.md says of the transport."""


class Opening(Struct, frozen=True, kw_only=True):
    """The stream is open.

    Attributes:
        channel: Version of the transport.
        message_bytes: Most of one message, either way.
    """

    channel: int
    message_bytes: int


def read_opening(told: bytes) -> Opening | None:
    """What the server said; None where it is nothing of this kind."""
    try:
        return msgspec.json.decode(told, type=Opening)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
