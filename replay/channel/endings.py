"""Why a call or a stream has ended, as both sides say it: a code that a machine reads, and a text.

docs/protocol.md lists the codes. The same words go in-band at the end of a stream, as JSON beside Flight's status, and
in a `Refusal` of the venue's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec import Struct

from ...errors import (
    AuthorizationError,
    BarstepError,
    ConfigError,
    DataError,
    FeedError,
    HeldError,
    JournalError,
    UnreachableError,
    UsageError,
)

CODES: Mapping[str, type[BarstepError]] = MappingProxyType(
    {
        "usage": UsageError,
        "config": ConfigError,
        "data": DataError,
        "feed": FeedError,
        "unreachable": UnreachableError,
        "authorization": AuthorizationError,
        "journal": JournalError,
        "held": HeldError,
    }
)
"""What an error is called on the channel."""
ENDED = "ended"
"""The code of a stream that ended in order."""
INTERNAL = "internal"
"""The code of what nobody foresaw; the text is a number under which the server's log has the rest."""
LONGEST_TEXT = 1_500
"""Letters of a text that the other side is told: it travels in a header, and gRPC takes 8 KB of these."""


class Ending(Struct, frozen=True, kw_only=True):
    """Why it ended.

    Attributes:
        code: One of `CODES`, `ended` or `internal`.
        message: The same for people.
    """

    code: str
    message: str

    @property
    def error(self) -> BarstepError:
        """What is raised of it here; what is no code of ours is a FeedError."""
        kind = CODES.get(self.code, FeedError)
        return ConfigError(self.message.split("\n")) if kind is ConfigError else kind(self.message)

    @property
    def as_json(self) -> bytes:
        """What the other side is told."""
        return msgspec.json.encode(self)


def ending_of(error: BarstepError) -> Ending:
    """How an error is told."""
    names = {kind: code for code, kind in CODES.items()}
    code = next((names[kind] for kind in type(error).__mro__ if kind in names), INTERNAL)
    return Ending(code=code, message=str(error)[:LONGEST_TEXT])


def read_ending(told: bytes) -> Ending | None:
    """What the other side told; None where it is nothing of this kind."""
    try:
        return msgspec.json.decode(told, type=Ending)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
