"""Policies as they are written: what is taken, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest
from barstep.config import policies
from barstep.engine import capital
from barstep.engine.capital import policy_of
from barstep.errors import UsageError

EXAMPLES: dict[str, Any] = {
    "profiles": {
        "name": "risk_profile",
        "profiles": {"balanced": 0.6, "aggressive": 0.4},
        "within_profile": "signal_strength",
        "profile_floor": 0.1,
    },
    "guard": {
        "name": "drawdown_guard",
        "warning_pct": 8.0,
        "panic_pct": 15.0,
        "pressure_weight": 0.6,
        "min_weight": 0.05,
    },
    "smoothed": {"name": "smoothed", "alpha": 0.35, "min_delta": 0.05, "base": {"name": "signal_strength"}},
    "metrics": {
        "name": "metric_weighted",
        "label": "telemetry_mix",
        "default_score": 0.1,
        "metrics": {
            "avg_confidence": {"weight": 1.5, "min": 0.0, "max": 1.0},
            "last_latency_ms": {"weight": -0.02, "min": 0.0, "default": 150.0},
        },
        "fallback": "signal_strength",
    },
    "blended": {
        "name": "blended",
        "components": [
            {"policy": "signal_strength", "weight": 2.0, "label": "signals"},
            {
                "policy": {"name": "drawdown_guard", "warning_pct": 6.0, "panic_pct": 15.0, "pressure_weight": 0.5},
                "weight": 1.0,
                "label": "drawdown",
            },
        ],
        "normalize_components": True,
        "fallback": "equal_weight",
    },
    "tags": {
        "name": "tag_quota",
        "label": "core_tags",
        "tags": {"trend": 2.0, "mean": 1.0},
        "default_weight": 1.0,
        "within_tag": "equal_weight",
        "fallback": "signal_strength",
    },
    "fixed": {
        "name": "fixed_weight",
        "label": "core_manual",
        "rebalance_seconds": 120,
        "weights": {"trend_schedule": 0.5, "mean_reversion": {"balanced": 0.3}, "grid_engine": {"aggressive": 0.2}},
    },
}
KINDS = {
    "equal_weight": capital.EqualWeightAllocation,
    "risk_parity": capital.RiskParityAllocation,
    "volatility_target": capital.VolatilityTargetAllocation,
    "signal_strength": capital.SignalStrengthAllocation,
    "metric_weighted": capital.MetricWeightedAllocation,
    "smoothed": capital.SmoothedCapitalAllocationPolicy,
    "smoothed_allocation": capital.SmoothedCapitalAllocationPolicy,
    "drawdown_guard": capital.DrawdownAdaptiveAllocation,
    "drawdown_adaptive": capital.DrawdownAdaptiveAllocation,
    "fixed_weight": capital.FixedWeightAllocation,
    "risk_profile": capital.RiskProfileBudgetAllocation,
    "blended": capital.BlendedAllocation,
    "composite": capital.BlendedAllocation,
    "tag_quota": capital.TagQuotaAllocation,
    "tag_budget": capital.TagQuotaAllocation,
}
NEEDED = {
    "metric_weighted": {"metrics": {"signals": {"weight": 1.0}}},
    "smoothed": {"base": "equal_weight"},
    "smoothed_allocation": {"base": "equal_weight"},
    "risk_profile": {"profiles": {"x": 1.0}},
    "blended": {"components": [{"policy": "equal_weight"}]},
    "composite": {"components": [{"policy": "equal_weight"}]},
    "tag_quota": {"tags": {"x": 1.0}},
    "tag_budget": {"tags": {"x": 1.0}},
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_written_example_makes_its_policy(example: str) -> None:
    """The class of its name, with every number that was written."""
    written = EXAMPLES[example]
    policy = policy_of(written)
    assert type(policy) is KINDS[written["name"]]
    assert policy.label == written.get("label", written["name"])
    for name in set(written) - {"name", "components", "base", "fallback", "metrics", "within_profile", "within_tag"}:
        assert getattr(policy.written, name) == written[name]


@pytest.mark.parametrize("name", KINDS)
def test_every_name_makes_its_class(name: str) -> None:
    """Alone where nothing more is needed, else in a mapping."""
    written = {"name": name, **NEEDED[name]} if name in NEEDED else name
    assert type(policy_of(written)) is KINDS[name]
    assert type(policy_of({"name": "blended", "components": [{"policy": written}]})) is capital.BlendedAllocation


def test_names_inside_become_structs() -> None:
    """Also the defaults, so that what is read has one shape."""
    written = policy_of({"name": "smoothed", "base": {"name": "tag_budget", "tags": {"x": 1}}}).written
    assert written == policies.Smoothed(
        base=policies.TagQuota(tags={"x": 1.0}, within_tag=policies.EqualWeight(), fallback=policies.EqualWeight())
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("risk_party", "capital_policy: unknown policy 'risk_party'. Did you mean 'risk_parity'? Allowed: blended, "),
        (3, "capital_policy is 3; allowed is a policy's name, or a mapping with 'name'"),
        ({"base": "equal_weight"}, "capital_policy: no 'name'; one of equal_weight, "),
        ("smoothed", "capital_policy has no 'base', which smoothed needs"),
        (
            {"name": "smoothed", "base": {"name": "smoothed", "base": "equal_wieght"}},
            "capital_policy.base.base: unknown policy 'equal_wieght'. Did you mean 'equal_weight'?",
        ),
        (
            {"name": "smoothed", "base": "equal_weight", "alfa": 1.0},
            "capital_policy: unknown field 'alfa'. Did you mean 'alpha'? Allowed: alpha, base, label, min_delta, ",
        ),
        (
            {"name": "smoothed", "base": "equal_weight", "alpha": 0},
            "capital_policy.alpha is 0; allowed is `float` > 0.0",
        ),
        ({"name": "smoothed", "base": ["equal_weight"]}, "capital_policy.base is ['equal_weight']; allowed is a "),
        (
            {"name": "blended", "components": [{"policy": "equal_weight", "wieght": 1.0}]},
            "capital_policy.components[0]: unknown field 'wieght'. Did you mean 'weight'?",
        ),
        ({"name": "blended", "components": []}, "capital_policy.components is []; allowed is a list with one entry"),
        ({"name": "blended", "components": [{}]}, "capital_policy.components[0] has no 'policy', which each of them "),
        ({"name": "blended", "components": ["x"]}, "capital_policy.components[0] is 'x'; allowed is a mapping"),
        ({"name": "metric_weighted", "metrics": {}}, "capital_policy.metrics is {}; allowed is a mapping with one "),
        (
            {"name": "metric_weighted", "metrics": {"signals": {"weight": 1, "min": 2, "max": 1}}},
            "capital_policy.metrics.signals.min is 2; allowed is up to its max, 1",
        ),
        ({"name": "drawdown_guard", "panic_pct": 8}, "capital_policy.panic_pct is 8; allowed is over warning_pct, 8"),
        ({"name": "tag_quota", "tags": {"x": -1}}, "capital_policy.tags[...] is {'x': -1}; allowed is `float` >= 0.0"),
        ({"name": "tag_quota", "tags": {"x": float("inf")}}, "capital_policy.tags is {'x': inf}; allowed are finite "),
        ({"name": "equal_weight", "label": 3}, "capital_policy.label is 3; allowed is `str`, got `int`"),
        (policies.Smoothed(base="equal_wight"), "capital_policy.base: unknown policy 'equal_wight'. Did you mean "),
        (policies.DrawdownGuard(min_weight=2.0), "capital_policy.min_weight is 2.0; allowed is `float` <= 1.0"),
    ],
)
def test_what_cannot_be_is_refused(written: object, text: str) -> None:
    """It says where, what was found, what is allowed, and the near name; Structs made by hand are looked at too."""
    with pytest.raises(UsageError) as refusal:
        policy_of(written)
    assert str(refusal.value).startswith(text)


def test_a_class_refuses_under_its_own_name() -> None:
    """What is told begins with the policy's name."""
    with pytest.raises(UsageError, match=r"^smoothed: unknown field 'alfa'\. Did you mean 'alpha'\?"):
        capital.SmoothedCapitalAllocationPolicy(base="equal_weight", alfa=0.1)
