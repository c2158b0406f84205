"""Each capital policy by hand, its arithmetic in words; what the classes show beside weights."""

from __future__ import annotations

import inspect
from typing import Any

import polars as pl
import pytest
from barstep.engine.capital_policies import (
    BlendedAllocation,
    CapitalAllocationPolicy,
    DrawdownAdaptiveAllocation,
    EqualWeightAllocation,
    FixedWeightAllocation,
    MetricWeightedAllocation,
    RiskParityAllocation,
    RiskProfileBudgetAllocation,
    SignalStrengthAllocation,
    SmoothedCapitalAllocationPolicy,
    TagQuotaAllocation,
    VolatilityTargetAllocation,
    policy_of,
)
from barstep.errors import UsageError


def table(schedules: str, **columns: list[Any]) -> pl.DataFrame:
    """Metrics of schedules with one-letter names."""
    return pl.DataFrame({"schedule": list(schedules), **columns}, strict=False)


def near(**weights: float) -> Any:
    return pytest.approx(weights, abs=1e-15)


def test_equal_weight_is_even_among_those_that_may_run() -> None:
    """Three of four may run: a third each. Null is no."""
    found = EqualWeightAllocation().weights(table("dcba", may_run=[True, None, True, True]))
    assert found == near(a=1 / 3, b=1 / 3, c=0.0, d=1 / 3)
    assert list(found) == ["a", "b", "c", "d"]


def test_where_nothing_may_run_all_weights_are_zero() -> None:
    """And a table without rows has none."""
    assert EqualWeightAllocation().weights(table("ab", may_run=[False, False])) == {"a": 0.0, "b": 0.0}
    assert EqualWeightAllocation().weights(table("").cast(pl.String)) == {}


def test_risk_parity_takes_the_inverse_of_volatility() -> None:
    """0.1 and 0.3: ten to three and a third, three quarters to one quarter."""
    found = RiskParityAllocation().weights(table("ab", avg_realized_volatility=[0.1, 0.3]))
    assert found == near(a=0.75, b=0.25)


def test_risk_parity_without_a_volatility_takes_the_median_of_the_others() -> None:
    """a has 0.2 from the second column; c has none and d has 0, so they count as 0.3, between 0.2 and 0.4."""
    found = RiskParityAllocation().weights(
        table(
            "abcd", avg_realized_volatility=[None, 0.4, float("nan"), 0.0], realized_volatility=[0.2, 0.1, None, -1.0]
        )
    )
    total = 5.0 + 2.5 + 2 / 0.3
    assert found == near(a=5.0 / total, b=2.5 / total, c=1 / 0.3 / total, d=1 / 0.3 / total)


def test_risk_parity_without_any_volatility_is_even() -> None:
    """No column at all is nothing known."""
    assert RiskParityAllocation().weights(table("ab")) == {"a": 0.5, "b": 0.5}


def test_volatility_target_prefers_the_nearer() -> None:
    """Off by 0, −100 and 100 percent: scores 1, a half, a half; the one that is missing is at the median, 100."""
    found = VolatilityTargetAllocation().weights(table("abcd", realized_vs_target_vol_pct=[0.0, -100.0, 100.0, None]))
    assert found == near(a=0.4, b=0.2, c=0.2, d=0.2)


def test_signal_strength_is_signals_times_confidence() -> None:
    """4 × 0.5 = 2, 1 × 1 = 1, and an unknown confidence is none."""
    found = SignalStrengthAllocation().weights(table("abc", signals=[4, 1, 9], avg_confidence=[0.5, 1.0, None]))
    assert found == near(a=2 / 3, b=1 / 3, c=0.0)


def test_signal_strength_without_signals_is_even() -> None:
    """All scores are 0: equal shares."""
    assert SignalStrengthAllocation().weights(table("ab", signals=[0, 0], avg_confidence=[1, 1])) == near(a=0.5, b=0.5)


def test_metric_weighted_clamps_and_adds() -> None:
    """1.5 × 0.8 − 0.02 × 10 = 1; 1.5 × 1 (clamped from 2) − 0.02 × 50 = 0.5; 150 ms by default: 1.5 − 3 is 0."""
    policy = MetricWeightedAllocation(
        metrics={
            "avg_confidence": {"weight": 1.5, "min": 0.0, "max": 1.0},
            "last_latency_ms": {"weight": -0.02, "min": 0.0, "default": 150.0},
        }
    )
    found = policy.weights(table("abc", avg_confidence=[0.8, 2.0, 1.0], last_latency_ms=[10.0, 50.0, None]))
    assert found == near(a=2 / 3, b=1 / 3, c=0.0)


def test_metric_weighted_without_numbers_takes_the_default_score_then_the_fallback() -> None:
    """b has no number and scores 0.5, a scores 1.5. Where all scores are 0 the fallback decides, by volatility here."""
    terms = {"sharpe": {"weight": 1.0}}
    scored = MetricWeightedAllocation(metrics=terms, default_score=0.5)
    assert scored.weights(table("ab", sharpe=[1.5, None])) == near(a=0.75, b=0.25)
    fallen = MetricWeightedAllocation(metrics=terms, fallback="risk_parity")
    metrics = table("ab", sharpe=[-1.0, None], realized_volatility=[0.1, 0.3])
    assert fallen.weights(metrics) == near(a=0.75, b=0.25)


def test_drawdown_guard_takes_off_by_drawdown_and_pressure() -> None:
    """10 is half of the way from 5 to 15, and half of a pressure of a half is more: 1 − 0.75; 20 leaves 0.05."""
    policy = DrawdownAdaptiveAllocation(warning_pct=5.0)
    found = policy.weights(table("abc", max_drawdown_pct=[None, 10.0, 20.0], drawdown_pressure=[None, 0.5, 1.0]))
    assert found == near(a=1.0 / 1.3, b=0.25 / 1.3, c=0.05 / 1.3)
    assert policy.allocation_diagnostics["penalties"] == near(a=0.0, b=0.75, c=0.95)


def test_fixed_weight_takes_the_first_match() -> None:
    """a by schedule, b by strategy and profile, c by strategy, d by profile (grid lists others), e by nothing."""
    policy = FixedWeightAllocation(weights={"a": 4, "grid": {"calm": 3.0}, "fade": 2.0, "wild": 1.0})
    traits = {
        "strategy": ["grid", "grid", "fade", "grid", None],
        "risk_profile": ["calm", "calm", "calm", "wild", None],
    }
    assert policy.weights(table("abcde", **traits)) == near(a=0.4, b=0.3, c=0.2, d=0.1, e=0.0)


def test_fixed_weight_that_names_nobody_is_even() -> None:
    """All weights are 0; so they are for the bare name, which names nobody."""
    assert FixedWeightAllocation(weights={"z": 1.0}).weights(table("ab")) == {"a": 0.5, "b": 0.5}
    assert policy_of("fixed_weight").weights(table("ab")) == {"a": 0.5, "b": 0.5}


def test_risk_profile_divides_budgets_among_the_profiles_present() -> None:
    """calm 0.6 and wild 0.2 are 3/4 and 1/4 without the third; in calm, signals 1 to 3. One unlisted has nothing."""
    policy = RiskProfileBudgetAllocation(
        profiles={"calm": 0.6, "wild": 0.2, "gone": 0.2}, within_profile=SignalStrengthAllocation()
    )
    metrics = table("abcd", risk_profile=["calm", "calm", "wild", None], signals=[1, 3, 1, 1], avg_confidence=[1.0] * 4)
    assert policy.weights(metrics) == near(a=0.1875, b=0.5625, c=0.25, d=0.0)
    assert policy.profile_allocation_snapshot() == near(calm=0.75, wild=0.25, **{"(none)": 0.0})
    assert policy.floor_adjustment_applied is False


def test_the_floor_raises_small_profiles_and_scales_the_others() -> None:
    """0.1 is raised to 0.2, and 0.6 and 0.3 share 0.8 as two to one."""
    policy = RiskProfileBudgetAllocation(profiles={"x": 0.6, "y": 0.3, "z": 0.1}, profile_floor=0.2)
    found = policy.weights(table("abc", risk_profile=["x", "y", "z"]))
    assert found == near(a=0.8 * 2 / 3, b=0.8 / 3, c=0.2)
    assert policy.floor_adjustment_applied is True
    assert policy.allocation_diagnostics["profile_floor_adjustment"] is True


def test_a_profile_that_the_scaling_takes_under_the_floor_is_raised_too() -> None:
    """0.19 is raised to 0.3; 0.31 would become 0.268 and is raised as well; 0.4 is left for the first."""
    policy = RiskProfileBudgetAllocation(profiles={"x": 0.5, "y": 0.31, "z": 0.19}, profile_floor=0.3)
    assert policy.weights(table("abc", risk_profile=["x", "y", "z"])) == near(a=0.4, b=0.3, c=0.3)


def test_a_floor_that_cannot_be_is_one_over_the_number_of_profiles() -> None:
    """0.9 for each of two profiles is a half for each."""
    policy = RiskProfileBudgetAllocation(profiles={"x": 0.9, "y": 0.1, "gone": 1.0}, profile_floor=0.9)
    assert policy.weights(table("abc", risk_profile=["x", "y", "y"])) == near(a=0.5, b=0.25, c=0.25)


def test_profiles_without_any_budget_are_even() -> None:
    """Half for the one with one schedule, half for the one with two."""
    policy = RiskProfileBudgetAllocation(profiles={"gone": 1.0})
    assert policy.weights(table("abc", risk_profile=["x", "y", "y"])) == near(a=0.5, b=0.25, c=0.25)


def test_blended_mixes_shares() -> None:
    """Two parts of 3/4 to 1/4, one part of a half each: 2/3 to 1/3."""
    policy = BlendedAllocation(
        components=[
            {"policy": RiskParityAllocation(), "weight": 2.0, "label": "calm"},
            {"policy": "equal_weight"},
        ]
    )
    assert policy.weights(table("ab", realized_volatility=[0.1, 0.3])) == near(a=2 / 3, b=1 / 3)
    calm, even = policy.allocation_diagnostics["components"]
    assert (calm["label"], even["label"]) == ("calm", "equal_weight")
    assert (calm["mix_weight"], even["mix_weight"]) == pytest.approx((2 / 3, 1 / 3))
    assert calm["shares"] == near(a=0.75, b=0.25)
    assert even["shares"] == near(a=0.5, b=0.5)


def test_blended_without_normalising_mixes_scores() -> None:
    """Signals 6 and 2 weigh more than fixed weights 0 and 0.5: 6 to 2.5, where shares would make 0.75 to 1.25."""
    parts = [{"policy": "signal_strength"}, {"policy": {"name": "fixed_weight", "weights": {"b": 0.5}}}]
    metrics = table("ab", signals=[6, 2], avg_confidence=[1.0, 1.0])
    raw = BlendedAllocation(components=parts, normalize_components=False)
    assert raw.weights(metrics) == near(a=6 / 8.5, b=2.5 / 8.5)
    assert BlendedAllocation(components=parts).weights(metrics) == near(a=0.375, b=0.625)


def test_blended_without_any_weight_takes_the_fallback() -> None:
    """All component weights are 0."""
    policy = BlendedAllocation(components=[{"policy": "equal_weight", "weight": 0.0}], fallback="risk_parity")
    assert policy.weights(table("ab", realized_volatility=[0.1, 0.3])) == near(a=0.75, b=0.25)


TAGGED = table("abcd", tags=[["core", "trend"], ["trend", "mean"], ["mean"], []], realized_volatility=[0.1, 0.3, 1, 1])


def test_tag_quota_takes_the_first_tag_that_has_a_quota() -> None:
    """trend has 2 of 4 for a and b (core is not listed), mean 1 for c, and the others 1 for d."""
    policy = TagQuotaAllocation(tags={"trend": 2.0, "mean": 1.0}, default_weight=1.0, within_tag="risk_parity")
    assert policy.weights(TAGGED) == near(a=0.375, b=0.125, c=0.25, d=0.25)
    found = policy.allocation_diagnostics
    assert found["tag_members"] == {"trend": 2, "mean": 1, "(none)": 1}
    assert found["tags"] == near(trend=0.5, mean=0.25, **{"(none)": 0.25})
    assert found["tag_weights"] == near(a=0.5, b=0.5, c=0.25, d=0.25)


def test_tag_quota_gives_nothing_to_what_has_no_tag_by_default() -> None:
    """trend 2 of 3, mean 1 of 3, d nothing."""
    policy = TagQuotaAllocation(tags={"trend": 2.0, "mean": 1.0})
    assert policy.weights(TAGGED) == near(a=1 / 3, b=1 / 3, c=1 / 3, d=0.0)


def test_tag_quota_divides_the_others_by_its_fallback() -> None:
    """mean has half for b and c; a and d share the other half by volatility, ten to one."""
    policy = TagQuotaAllocation(tags={"mean": 1.0}, default_weight=1.0, fallback=RiskParityAllocation())
    assert policy.weights(TAGGED) == near(a=5 / 11, b=0.25, c=0.25, d=0.5 / 11)


def test_tag_quota_without_any_quota_takes_the_fallback() -> None:
    """Nobody has the tag, or the tag that is there has a quota of 0: all are divided by volatility."""
    inverse = [10.0, 10 / 3, 1.0, 1.0]
    expected = near(**{name: score / sum(inverse) for name, score in zip("abcd", inverse, strict=True)})
    for tags in ({"gone": 1.0}, {"trend": 0.0, "mean": 0.0}):
        assert TagQuotaAllocation(tags=tags, fallback="risk_parity").weights(TAGGED) == expected


def test_smoothing_moves_a_part_of_the_way() -> None:
    """From 0.75 and 0.25 towards their contrary: 0.35 × 0.25 + 0.65 × 0.75 = 0.575."""
    policy = SmoothedCapitalAllocationPolicy(base=RiskParityAllocation())
    assert policy.weights(table("ab", realized_volatility=[0.1, 0.3])) == near(a=0.75, b=0.25)
    assert policy.weights(table("ab", realized_volatility=[0.3, 0.1])) == near(a=0.575, b=0.425)
    found = policy.allocation_diagnostics
    assert found["raw_weights"] == near(a=0.25, b=0.75)
    assert found["smoothed_weights"] == found["weights"] == near(a=0.575, b=0.425)


def test_smoothing_leaves_small_moves_alone() -> None:
    """0.35 × 0.1 is under 0.05, so both stay; 0.35 × 0.5 is not."""
    policy = SmoothedCapitalAllocationPolicy(base="signal_strength", min_delta=0.05)
    for signals, share in (([50, 50], 0.5), ([60, 40], 0.5), ([100, 0], 0.675)):
        found = policy.weights(table("ab", signals=signals, avg_confidence=[1.0, 1.0]))
        assert found == near(a=share, b=1.0 - share)


def test_a_schedule_that_comes_back_comes_in_little_by_little() -> None:
    """Suspended it has nothing, and its share goes to the other; back, it has 0.35 × 0.5 of what is then 1."""
    policy = SmoothedCapitalAllocationPolicy(base="equal_weight", min_delta=0.4)
    assert policy.weights(table("ab")) == near(a=0.5, b=0.5)
    assert policy.weights(table("ab", may_run=[True, False])) == near(a=1.0, b=0.0)
    assert policy.weights(table("ab")) == near(a=1.0 / 1.175, b=0.175 / 1.175)


def test_averages_inside_a_profile_are_of_shares_in_the_profile() -> None:
    """x is even, then moves 0.35 of the way to signals 3 to 1: 0.5875; half of that is the weight."""
    policy = RiskProfileBudgetAllocation(
        profiles={"x": 1, "y": 1}, within_profile={"name": "smoothed", "base": "signal_strength"}
    )
    traits = {"risk_profile": ["x", "x", "y"], "avg_confidence": [1.0] * 3}
    policy.weights(table("abc", signals=[1, 1, 1], **traits))
    assert policy.weights(table("abc", signals=[3, 1, 1], **traits)) == near(a=0.29375, b=0.20625, c=0.5)
    assert policy.state == {"capital_policy.within_profile": near(a=0.5875, b=0.4125, c=1.0)}


def test_budgets_in_budgets_are_divided_twice() -> None:
    """x has 3/4: there trend has 2/3 and mean 1/3. y has 1/4, and trend alone has all of it."""
    policy = RiskProfileBudgetAllocation(
        profiles={"x": 3.0, "y": 1.0}, within_profile=TagQuotaAllocation(tags={"trend": 2.0, "mean": 1.0})
    )
    found = policy.weights(table("abc", risk_profile=["x", "x", "y"], tags=[["trend"], ["mean"], ["trend"]]))
    assert found == near(a=0.5, b=0.25, c=0.25)
    inner = policy.allocation_diagnostics["within_profile"]
    assert inner["tags"] == near(**{"x/trend": 2 / 3, "x/mean": 1 / 3, "y/trend": 1.0})


def test_a_policy_inside_another_keeps_its_own_state() -> None:
    """The outer one has its own memory of the moving average; the inner object is only read."""
    inner = SmoothedCapitalAllocationPolicy(base="equal_weight")
    outer = BlendedAllocation(components=[{"policy": inner}])
    outer.weights(table("ab"))
    assert inner.state == {}
    assert outer.state == {"capital_policy.components[0]": {"a": 0.5, "b": 0.5}}


def test_a_state_that_cannot_be_is_refused() -> None:
    """A place that is no moving average, and a share that is none."""
    policy = SmoothedCapitalAllocationPolicy(base="equal_weight")
    with pytest.raises(UsageError, match=r"unknown moving average 'capital_polic'\. Did you mean 'capital_policy'\?"):
        policy.state = {"capital_polic": {"a": 1.0}}
    with pytest.raises(UsageError, match=r"the state of 'a' in capital_policy is -1\.0; allowed is 0 or more"):
        policy.state = {"capital_policy": {"a": -1.0}}
    assert policy.state == {}


def test_label_and_recommended_interval_are_what_was_written() -> None:
    """By default the label is the name, and no interval is recommended."""
    plain, named = EqualWeightAllocation(), EqualWeightAllocation(label="even", rebalance_seconds=120)
    assert (plain.label, plain.rebalance_seconds) == ("equal_weight", None)
    assert (named.label, named.rebalance_seconds) == ("even", 120.0)
    assert plain.allocation_diagnostics == {}
    assert RiskProfileBudgetAllocation(profiles={"x": 1.0}).profile_allocation_snapshot() == {}


@pytest.mark.parametrize("kind", CapitalAllocationPolicy.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_class_shows_its_fields(kind: type[CapitalAllocationPolicy]) -> None:
    """`help()` names the fields of the written form, all of them keywords."""
    fields = inspect.signature(kind).parameters
    assert {"label", "rebalance_seconds", *kind.form.__struct_fields__} == set(fields)
    assert all(field.kind is field.KEYWORD_ONLY for field in fields.values())


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"name": ["a"]}, "the metrics have no column 'schedule'; they have name"),
        ({"schedule": ["a", "a"]}, "the metrics have the schedule 'a' more than once"),
        ({"schedule": ["a", None]}, "the metrics lack a schedule's name in row 1"),
        ({"schedule": [1]}, "the metrics' column 'schedule' is Int64; it must be String"),
        ({"schedule": ["a"], "may_run": [1]}, "the metrics' column 'may_run' is Int64; it must be Boolean"),
        ({"schedule": ["a"], "tags": ["core"]}, "the metrics' column 'tags' is String; it must be List"),
        ({"schedule": ["a"], "signals": ["3"]}, "the metrics' column 'signals' is String; it must be numbers"),
    ],
)
def test_a_table_that_is_none_is_refused(columns: dict[str, list[Any]], text: str) -> None:
    """It says which column, what it is and what it must be."""
    with pytest.raises(UsageError) as refusal:
        SignalStrengthAllocation().weights(pl.DataFrame(columns))
    assert str(refusal.value).startswith(text)
