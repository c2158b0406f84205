"""Capital policies on random trees: against a walk in plain Python, with suspensions, and cut in two."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np
import polars as pl
import pytest
from barstep.engine.capital_policies import CapitalAllocationPolicy, policy_of
from barstep.kernels.capital import LARGEST
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_capital import Memory, plain_weights

EXAMPLES = 150 * int(os.environ.get("SEEDS", "1"))
METRICS = (
    "avg_realized_volatility",
    "realized_volatility",
    "realized_vs_target_vol_pct",
    "signals",
    "avg_confidence",
    "max_drawdown_pct",
    "drawdown_pressure",
    "last_latency_ms",
)
PROFILES, TAGS, STRATEGIES = ("balanced", "aggressive", "calm"), ("trend", "mean", "core"), ("grid", "fade")
NAMES = tuple("abcdefg")
Tree = dict[str, Any]
Rows = list[dict[str, Any]]

budgets = st.one_of(st.just(0.0), st.floats(0.05, 3.0))
shares = st.floats(0.0, 1.0)


def mappings(keys: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(keys), values, min_size=1)


def policies(name: str, required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Tree]:
    return st.fixed_dictionaries({"name": st.just(name), **required}, optional=optional)


metric = st.fixed_dictionaries(
    {"weight": st.floats(-2.0, 2.0)},
    optional={"min": st.floats(0.0, 1.0), "max": st.floats(1.0, 20.0), "default": st.floats(0.0, 5.0)},
)
guards = {
    "warning_pct": st.floats(0.0, 7.0),
    "panic_pct": st.floats(8.5, 20.0),
    "pressure_weight": st.floats(0.0, 2.0),
    "min_weight": shares,
}
by_strategy = st.one_of(budgets, mappings(PROFILES, budgets))


def leaves(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    plain = st.sampled_from(["equal_weight", "risk_parity", "volatility_target", "signal_strength"])
    return st.one_of(
        plain.map(lambda name: {"name": name}),
        policies(
            "metric_weighted",
            {"metrics": mappings(METRICS, metric)},
            {"default_score": budgets, "fallback": inner},
        ),
        policies("drawdown_guard", {}, guards),
        policies("fixed_weight", {"weights": mappings((*NAMES, *STRATEGIES, *PROFILES), by_strategy)}, {}),
    )


def trees(depth: int) -> st.SearchStrategy[Tree]:
    if depth == 0:
        return leaves(st.just({"name": "signal_strength"}))
    inner = st.deferred(lambda: trees(depth - 1))
    component = st.fixed_dictionaries({"policy": inner}, optional={"weight": budgets, "label": st.just("part")})
    return st.one_of(
        leaves(inner),
        policies("smoothed", {"base": inner}, {"alpha": st.floats(0.05, 1.0), "min_delta": st.floats(0.0, 0.1)}),
        policies(
            "risk_profile",
            {"profiles": mappings(PROFILES, budgets)},
            {"within_profile": inner, "profile_floor": shares},
        ),
        policies(
            "blended",
            {"components": st.lists(component, min_size=1, max_size=3)},
            {"normalize_components": st.booleans(), "fallback": inner},
        ),
        policies(
            "tag_quota",
            {"tags": mappings(TAGS, budgets)},
            {"default_weight": budgets, "within_tag": inner, "fallback": inner},
        ),
    )


numbers = st.one_of(
    st.none(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0]), st.floats(0.01, 20.0), st.integers(0, 9)
)


@st.composite
def worlds(draw: st.DrawFn) -> list[Rows]:
    """The metrics of a few calls; who a schedule is stays the same, in whatever order the rows come."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=7, unique=True))
    traits = {
        name: {
            "schedule": name,
            "strategy": draw(st.sampled_from([*STRATEGIES, None])),
            "risk_profile": draw(st.sampled_from([*PROFILES, None])),
            "tags": draw(st.lists(st.sampled_from([*TAGS, "other"]), max_size=3, unique=True)),
        }
        for name in names
    }
    calls = []
    for _ in range(draw(st.integers(1, 4))):
        order = draw(st.permutations(names))
        calls.append([traits[name] | {"may_run": draw(st.booleans()) or draw(st.booleans())} for name in order])
        for row in calls[-1]:
            row |= {metric: draw(numbers) for metric in METRICS}
    return calls


def frame_of(rows: Rows) -> pl.DataFrame:
    kinds = {"schedule": pl.String, "strategy": pl.String, "risk_profile": pl.String, "tags": pl.List(pl.String)}
    schema = kinds | {"may_run": pl.Boolean} | dict.fromkeys(METRICS, pl.Float64)
    columns = {name: [row[name] for row in rows] for name in schema}
    return pl.DataFrame(columns, schema=schema, strict=False)


def bits(weights: dict[str, float]) -> dict[str, str]:
    return {name: weight.hex() for name, weight in weights.items()}


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(trees(4), worlds())
def test_weights_are_those_of_the_walk(tree: Tree, calls: list[Rows]) -> None:
    """Call by call, weight by weight, to 1e-14; and they are no less than 0 with sum 1, or 0 where nothing may run."""
    policy, memory = policy_of(tree), Memory()
    for rows in calls:
        found, expected = policy.weights(frame_of(rows)), plain_weights(tree, rows, memory)
        assert found.keys() == expected.keys()
        assert found == {name: pytest.approx(weight, abs=1e-14) for name, weight in expected.items()}
        assert all(weight >= 0.0 for weight in found.values())
        assert sum(found.values()) == pytest.approx(float(any(row["may_run"] for row in rows)), abs=1e-14)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees(3), worlds())
def test_a_suspended_schedule_and_an_absent_one_are_the_same(tree: Tree, calls: list[Rows]) -> None:
    """The others get the same bits, in this call and in those after it."""
    suspended, absent = policy_of(tree), policy_of(tree)
    for rows in calls:
        with_all = suspended.weights(frame_of(rows))
        without = absent.weights(frame_of([row for row in rows if row["may_run"]]))
        assert bits({name: with_all[name] for name in without}) == bits(without)
        assert all(weight == 0.0 for name, weight in with_all.items() if name not in without)
        assert suspended.state == absent.state


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees(3), worlds())
def test_a_copied_state_goes_on_with_the_same_bits(tree: Tree, calls: list[Rows]) -> None:
    """Another object with the state, sent through JSON, goes on as the first does; its diagnostics are the same."""
    first, before = policy_of(tree), policy_of(tree)
    for rows in calls[:-1]:
        first.weights(frame_of(rows))
        before.weights(frame_of(rows))
    second = policy_of(tree)
    second.state = json.loads(json.dumps(before.state))
    assert bits(second.weights(frame_of(calls[-1]))) == bits(first.weights(frame_of(calls[-1])))
    assert second.state == first.state
    found = json.dumps(first.allocation_diagnostics, allow_nan=False)
    assert found == json.dumps(second.allocation_diagnostics, allow_nan=False)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees(3), worlds(), st.data())
def test_no_number_makes_weights_that_are_none(tree: Tree, calls: list[Rows], data: st.DataObject) -> None:
    """The largest and the least numbers there are: weights stay finite, no less than 0, with sum 1."""
    extreme = st.sampled_from([1.7e308, -1.7e308, 5e-324, LARGEST, 1e-300, math.inf, math.nan])
    policy = policy_of(tree)
    for rows in calls:
        wild = [row | {metric: data.draw(extreme) for metric in METRICS} for row in rows]
        found = np.array(list(policy.weights(frame_of(wild)).values()))
        assert np.isfinite(found).all()
        assert (found >= 0.0).all()
        assert found.sum() == pytest.approx(float(any(row["may_run"] for row in rows)), abs=1e-12)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees(3))
def test_a_policy_can_be_made_from_what_it_says_of_itself(tree: Tree) -> None:
    """From its Struct as from the mapping."""
    policy = policy_of(tree)
    assert isinstance(policy, CapitalAllocationPolicy)
    assert policy_of(policy.written).written == policy.written


def test_the_walk_can_be_wrong() -> None:
    """The comparison is one that fails: other metrics, other weights."""
    rows = [
        {"schedule": "a", "signals": 1, "avg_confidence": 1.0},
        {"schedule": "b", "signals": 3, "avg_confidence": 1.0},
    ]
    assert plain_weights("signal_strength", rows, {}) == {"a": 0.25, "b": 0.75}
    assert plain_weights("equal_weight", rows, {}) == {"a": 0.5, "b": 0.5}
