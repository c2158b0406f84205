"""Kinds of values that the configuration knows beside text, numbers and truths."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

_DURATION = "seconds, or a duration such as 15m, 2h or 1d"
_DURATION_SCHEMA = {"type": ["number", "string"], "pattern": r"^[0-9]+(\.[0-9]+)?\s*[smhdw]?$"}

Seconds = Annotated[
    float, Meta(gt=0.0, description=_DURATION, extra={"duration": True}, extra_json_schema=_DURATION_SCHEMA)
]
SecondsOrZero = Annotated[
    float, Meta(ge=0.0, description=_DURATION, extra={"duration": True}, extra_json_schema=_DURATION_SCHEMA)
]
Instant = Annotated[
    datetime, Meta(tz=True, description="an instant, ISO 8601 with a zone, such as 2030-02-01T00:00:00+00:00")
]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Positive = Annotated[float, Meta(gt=0.0)]
Percent = Annotated[float, Meta(ge=0.0)]
Count = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", description="letters, digits, _ and -")]
