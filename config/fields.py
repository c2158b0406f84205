"""Kinds of values that the configuration knows beside text, numbers and truths."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0.0, description="seconds, or a duration such as 15m, 2h or 1d")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Percent = Annotated[float, Meta(ge=0.0)]
