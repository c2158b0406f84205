"""Policies as they are written: what is taken, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest
from barstep.config import policies
from barstep.engine import capital_policies
from barstep.engine.capital_policies import policy_of
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
    "equal_weight": capital_policies.EqualWeightAllocation,
    "risk_parity": capital_policies.RiskParityAllocation,
    "volatility_target": capital_policies.VolatilityTargetAllocation,
    "signal_strength": capital_policies.SignalStrengthAllocation,
    "metric_weighted": capital_policies.MetricWeightedAllocation,
    "smoothed": capital_policies.SmoothedCapitalAllocationPolicy,
    "smoothed_allocation": capital_policies.SmoothedCapitalAllocationPolicy,
    "drawdown_guard": capital_policies.DrawdownAdaptiveAllocation,
    "drawdown_adaptive": capital_policies.DrawdownAdaptiveAllocation,
    "fixed_weight": capital_policies.FixedWeightAllocation,
    "risk_profile": capital_policies.RiskProfileBudgetAllocation,
    "blended": capital_policies.BlendedAllocation,
    "composite": capital_policies.BlendedAllocation,
    "tag_quota": capital_policies.TagQuotaAllocation,
    "tag_budget": capital_policies.TagQuotaAllocation,
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
    blended = policy_of({"name": "blended", "components": [{"policy": written}]})
    assert type(blended) is capital_policies.BlendedAllocation


def test_names_inside_become_structs() -> None:
    """Also the defaults, so that what is read has one shape."""
    written = policy_of({"name": "smoothed", "base": {"name": "tag_budget", "tags": {"x": 1}}}).written
    assert written == policies.Smoothed(
        base=policies.TagQuota(tags={"x": 1.0}, within_tag=policies.EqualWeight(), fallback=policies.EqualWeight())
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (
            "risk_party",
            ".name: unknown name 'risk_party'. Did you mean 'risk_parity'? Allowed: blended, ",
        ),
        (3, ": is 3; allowed is a name, or a mapping with a name."),
        ({"base": "equal_weight"}, ": has no 'name', which is required: equal_weight, "),
        ("smoothed", ": has no 'base', which is required: "),
        (
            {"name": "smoothed", "base": {"name": "smoothed", "base": "equal_wieght"}},
            ".base.base.name: unknown name 'equal_wieght'. Did you mean 'equal_weight'?",
        ),
        (
            {"name": "smoothed", "base": "equal_weight", "alfa": 1.0},
            ".alfa: unknown key 'alfa'. Did you mean 'alpha'? Allowed: alpha, base, label, min_delta, ",
        ),
        (
            {"name": "smoothed", "base": "equal_weight", "alpha": 0},
            ".alpha: is 0; allowed is a number, over 0 and at most 1.",
        ),
        (
            {"name": "smoothed", "base": ["equal_weight"]},
            ".base: is a list; allowed is a name, or a mapping with a name.",
        ),
        (
            {"name": "blended", "components": [{"policy": "equal_weight", "wieght": 1.0}]},
            ".components[0].wieght: unknown key 'wieght'. Did you mean 'weight'?",
        ),
        ({"name": "blended", "components": []}, ".components: is empty; at least one entry is required."),
        ({"name": "blended", "components": [{}]}, ".components[0]: has no 'policy', which is required: "),
        ({"name": "blended", "components": ["x"]}, ".components[0]: is 'x'; allowed is a mapping."),
        (
            {"name": "metric_weighted", "metrics": {}},
            ".metrics: is empty; at least one entry is required.",
        ),
        (
            {"name": "metric_weighted", "metrics": {"signals": {"weight": 1, "min": 2, "max": 1}}},
            ".metrics.signals.min: is 2; it must not be over max, which is 1.",
        ),
        (
            {"name": "drawdown_guard", "panic_pct": 8},
            ".warning_pct: is 8; it must be less than panic_pct, which is 8.",
        ),
        ({"name": "tag_quota", "tags": {"x": -1}}, ".tags.x: is -1; allowed is a number, at least 0."),
        (
            {"name": "tag_quota", "tags": {"x": float("inf")}},
            ".tags.x: is inf; allowed is a number, at least 0.",
        ),
        ({"name": "equal_weight", "label": 3}, ".label: is 3; allowed is text. Put it in quotes."),
        (policies.Smoothed(base="equal_wight"), ".base.name: unknown name 'equal_wight'. Did you mean "),
        (
            policies.DrawdownGuard(min_weight=2.0),
            ".min_weight: is 2.0; allowed is a number, at least 0 and at most 1.",
        ),
    ],
)
def test_what_cannot_be_is_refused(written: object, text: str) -> None:
    """It says where, what was found, what is allowed, and the near name; Structs made by hand are looked at too."""
    with pytest.raises(UsageError) as refusal:
        policy_of(written)
    assert str(refusal.value).startswith(f"capital_policy{text}")


def test_everything_that_is_wrong_is_told() -> None:
    """Not only the first of it."""
    with pytest.raises(UsageError) as refusal:
        policy_of({"name": "smoothed", "alpha": 2, "base": {"name": "tag_quota", "tags": {}}})
    assert str(refusal.value).count("capital_policy.") == 2


def test_intervals_may_be_written_as_durations() -> None:
    """Fifteen minutes are 900 seconds, in Python too."""
    assert policy_of({"name": "equal_weight", "rebalance_seconds": "15m"}).rebalance_seconds == 900.0


def test_a_class_refuses_under_its_own_name() -> None:
    """What is told begins with the policy's name."""
    with pytest.raises(UsageError, match=r"^smoothed\.alfa: unknown key 'alfa'\. Did you mean 'alpha'\?"):
        capital_policies.SmoothedCapitalAllocationPolicy(base="equal_weight", alfa=0.1)
