"""Limits of a whole portfolio, and what is done when one is broken."""

from __future__ import annotations

from typing import Literal

from .fields import Count, Percent, Positive
from .section import Section


class Governor(Section, kw_only=True):
    """What a scheduler's portfolio is held to; a limit that is not given is not held.

    Attributes:
        max_drawdown_pct: Fall from the highest equity, in percent.
        max_gross_exposure: Sum of absolute positions over equity; 1.0 is all of it.
        max_turnover_per_day: Traded value over equity, each day.
        signal_limit: Most signals a run of each schedule while a limit is broken (`on_breach: limit`).
        on_breach: Scale exposures down, limit signals, or halt.
    """

    max_drawdown_pct: Percent | None = None
    max_gross_exposure: Positive | None = None
    max_turnover_per_day: Positive | None = None
    signal_limit: Count | None = None
    on_breach: Literal["scale", "limit", "halt"] = "scale"
