"""The tree of a capital policy, as a report tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.policy import PolicyPart, policy
from barstep.report.sheet import sheet_of
from schedulers import governed, walks

TREES: dict[str, dict[str, Any]] = {
    "smoothed": {"name": "smoothed", "label": "calm", "base": "drawdown_guard"},
    "blended": {
        "name": "blended",
        "components": [
            {"policy": "signal_strength", "weight": 3.0, "label": "strong"},
            {"policy": {"name": "smoothed", "base": "risk_parity"}, "weight": 1.0},
        ],
    },
    "tag_quota": {"name": "tag_quota", "tags": {"t": 1.0}, "within_tag": "equal_weight"},
    "risk_profile": {"name": "risk_profile", "profiles": {"all": 0.4}, "within_profile": "equal_weight"},
}


def told(name: str) -> PolicyPart:
    """The tree of a run with that policy."""
    return policy(sheet_of(governed(walks(["A", "B"], 120), capital_policy=TREES[name])))


def columns(part: PolicyPart) -> dict[str, list[str]]:
    return {name: [row[k] for row in part.table.rows] for k, name in enumerate(part.table.headings)}


def test_a_policy_in_a_policy() -> None:
    """Label and name, weights before and after smoothing, and inside the base with its penalties."""
    outer = told("smoothed")
    assert (outer.role, outer.title) == ("", "calm (smoothed)")
    assert columns(outer)["schedule"] == ["fast", "slow"]
    assert sum(map(float, columns(outer)["weight, %"])) == pytest.approx(100.0, abs=0.02)
    (inner,) = outer.parts
    assert (inner.role, inner.title) == ("base", "drawdown_guard")
    assert columns(inner)["weight, %"] == columns(outer)["before smoothing, %"]
    scores, penalties = (list(map(float, columns(inner)[name])) for name in ("score", "penalty"))
    assert [1.0 - score for score in scores] == pytest.approx(penalties, abs=1e-4)


def test_components_with_their_part_of_the_mix() -> None:
    """Each component is a part with its label and share, and has its own parts."""
    strong, calm = (part for part in told("blended").parts if part.role.startswith("component"))
    assert strong.role == "component strong, mixed in at 75.00 %"
    assert strong.title == "signal_strength"
    assert [part.title for part in calm.parts] == ["risk_parity"]


def test_shares_of_tags_and_profiles() -> None:
    """Each tag and each profile with its share, and each schedule with that of its own."""
    tags, profiles = told("tag_quota"), told("risk_profile")
    assert tags.facts == [("tag t", "100.00 %, 2 schedules")]
    assert columns(tags)["its tag's share, %"] == ["100.00", "100.00"]
    assert profiles.facts == [("profile all", "100.00 %")]


def test_what_has_no_value_is_a_dash(core: SchedulerResult) -> None:
    """A schedule that may not run has no score, and a policy that never ran no weights."""
    sheet = sheet_of(core)
    unused = {"name": "equal_weight", "label": "equal_weight", "weights": {"a": None}}
    again = policy(replace(sheet, document={**sheet.document, "capital_policy": unused}))
    assert again.table.rows == [["a", "–"]]
    disabled = next(row for row in policy(sheet).parts[0].table.rows if row[0] == "volatility_schedule")
    assert disabled[-1] == "–"
