"""Capital policies as they are written: a name alone, or a mapping with `name` and what that policy takes.

A policy inside another is written the same way. What each computes is told in docs/capital-policies.md.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias, Union

from msgspec import Meta, Struct, field

from .fields import NotNegative, Percent, Seconds, Share


class Written(Struct, tag_field="name", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every policy may have.

    Attributes:
        label: What it is called in diagnostics; by default its name.
        rebalance_seconds: The interval that it recommends; `allocation_rebalance_seconds` wins.
    """

    label: str = ""
    rebalance_seconds: Seconds | None = None


class EqualWeight(Written, tag="equal_weight", frozen=True, kw_only=True):
    """Equal shares."""


class RiskParity(Written, tag="risk_parity", frozen=True, kw_only=True):
    """The inverse of observed volatility."""


class VolatilityTarget(Written, tag="volatility_target", frozen=True, kw_only=True):
    """Prefers strategies near their target volatility."""


class SignalStrength(Written, tag="signal_strength", frozen=True, kw_only=True):
    """Prefers more and surer signals."""


class MetricWeight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a metric adds to a score: weight × clamp(value, min, max); one that is missing counts as `default`.

    Without a `default` it is left out.
    """

    weight: float
    min: float | None = None
    max: float | None = None
    default: float | None = None


class MetricWeighted(Written, tag="metric_weighted", frozen=True, kw_only=True):
    """Scores from telemetry."""

    metrics: Annotated[dict[str, MetricWeight], Meta(min_length=1)]
    default_score: NotNegative = 0.0
    fallback: Policy = "equal_weight"


class Smoothed(Written, tag="smoothed", frozen=True, kw_only=True):
    """A moving average around another policy's weights."""

    base: Policy
    alpha: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.35
    min_delta: Share = 0.0


class DrawdownGuard(Written, tag="drawdown_guard", frozen=True, kw_only=True):
    """Degrades strategies in a drawdown. `panic_pct` is above `warning_pct`."""

    warning_pct: Percent = 8.0
    panic_pct: Percent = 15.0
    pressure_weight: NotNegative = 0.5
    min_weight: Share = 0.05


class FixedWeight(Written, tag="fixed_weight", frozen=True, kw_only=True):
    """Weights by schedule, strategy or profile; or by strategy, then profile. What is not named has none."""

    weights: dict[str, Union[NotNegative, dict[str, NotNegative]]] = field(default_factory=dict)  # noqa: UP007


class RiskProfileBudget(Written, tag="risk_profile", frozen=True, kw_only=True):
    """Budgets by risk profile, divided inside each by another policy."""

    profiles: Annotated[dict[str, NotNegative], Meta(min_length=1)]
    within_profile: Policy = "risk_parity"
    profile_floor: Share = 0.0


class Component(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of a blend."""

    policy: Policy
    weight: NotNegative = 1.0
    label: str = ""


class Blended(Written, tag="blended", frozen=True, kw_only=True):
    """Several policies, mixed by weight."""

    components: Annotated[list[Component], Meta(min_length=1)]
    normalize_components: bool = True
    fallback: Policy = "equal_weight"


class TagQuota(Written, tag="tag_quota", frozen=True, kw_only=True):
    """Quotas by tag, divided inside each by another policy; what has none of the tags is one group more."""

    tags: Annotated[dict[str, NotNegative], Meta(min_length=1)]
    default_weight: NotNegative = 0.0
    within_tag: Policy = "equal_weight"
    fallback: Policy = "equal_weight"


Policy: TypeAlias = Union[  # noqa: UP007
    str,
    EqualWeight,
    RiskParity,
    VolatilityTarget,
    SignalStrength,
    MetricWeighted,
    Smoothed,
    DrawdownGuard,
    FixedWeight,
    RiskProfileBudget,
    Blended,
    TagQuota,
]

ALIASES = {
    "smoothed_allocation": "smoothed",
    "drawdown_adaptive": "drawdown_guard",
    "composite": "blended",
    "tag_budget": "tag_quota",
}
"""Other names that the same policies are called by."""
