"""Flight's errors at a client, as ours."""

from __future__ import annotations

import pyarrow.flight as fl

from .endings import Ending, read_ending
from .queued_stream import lost


def ending_from(error: Exception) -> Ending:
    """What the server said, where it said something; else what Flight says."""
    told = read_ending(getattr(error, "extra_info", b""))
    if told is not None:
        return told
    if isinstance(error, fl.FlightUnauthenticatedError | fl.FlightUnauthorizedError):
        return Ending(code="authorization", message=_first_line(error))
    if isinstance(error, fl.FlightUnavailableError):
        return Ending(code="feed", message=f"no connection: {_first_line(error)}")
    return lost(_first_line(error))


def _first_line(error: Exception) -> str:
    """Without what Flight and gRPC add of their own insides."""
    text = " ".join(str(error).split()).split("with message: ")[-1]
    return text.split(" Detail:")[0].split(" gRPC client debug context:")[0]
