"""Risk profiles: ceilings, buckets of instruments, and limits of loss, position and telemetry."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from .fields import Name, Positive, Share, Text
from .section import Section

PercentOfEquity = Annotated[float, Meta(gt=0.0, le=100.0)]


class Bounds(Section, kw_only=True):
    """From which value on a metric is a warning, and from which a failure.

    Where `fail` is the lesser one, low values are bad.
    """

    warn: float
    fail: float


class RiskProfile(Section, kw_only=True):
    """What the strategies that trade under a profile are held to.

    Attributes:
        strategy_allocations: Ceilings: the greatest part of the profile's total weight that a strategy's schedules may
            have together. A strategy that is not listed has none; 0.0 switches it off. They sum to 1 at most.
        instrument_buckets: Instruments by bucket; where there are any, no other instrument is traded.
        daily_risk_budget_pct: Most that may be lost in a day, in percent of the day's first equity.
        max_drawdown_pct: Most that equity may fall from its highest, in percent.
        max_position_pct: Greatest position in one instrument, in percent of equity.
        max_leverage: Greatest sum of absolute positions over equity.
        telemetry_bounds: Metrics that are watched.
    """

    strategy_allocations: dict[Name, Share] = field(default_factory=dict)
    instrument_buckets: dict[Name, Annotated[list[Text], Meta(min_length=1)]] = field(default_factory=dict)
    daily_risk_budget_pct: PercentOfEquity | None = None
    max_drawdown_pct: PercentOfEquity | None = None
    max_position_pct: Positive | None = None
    max_leverage: Positive | None = None
    telemetry_bounds: dict[str, Bounds] = field(default_factory=dict)
