"""Capital policies in plain Python, by walking the tree: no rows, no registers, one group of schedules at a time.

A schedule is a mapping of its traits and metrics; a policy is a mapping as it is written, all names spelled out.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Policy = Mapping[str, Any]
Schedule = Mapping[str, Any]
Shares = dict[str, float]
Memory = dict[str, Shares]
EQUAL = {"name": "equal_weight"}


def plain_weights(policy: Policy | str, schedules: Sequence[Schedule], memory: Memory) -> Shares:
    """Shares by schedule; `memory` becomes that of the next call."""
    running = sorted((s for s in schedules if s.get("may_run", True)), key=lambda s: str(s["schedule"]))
    walk = Walk(memory)
    shares = walk.divide(policy, running, "")
    memory.clear()
    memory.update(walk.after)
    return {str(s["schedule"]): shares.get(str(s["schedule"]), 0.0) for s in schedules}


class Walk:
    """One call: what the moving averages were, and what they become."""

    def __init__(self, before: Memory) -> None:
        self.before, self.after = dict(before), Memory()

    def divide(self, policy: Policy | str, group: Sequence[Schedule], path: str) -> Shares:
        """Shares of one group, with sum 1."""
        policy = {"name": policy} if isinstance(policy, str) else policy
        if not group or policy["name"] == "equal_weight":
            return {str(s["schedule"]): 1.0 / len(group) for s in group}
        if policy["name"] in COMPOSITES:
            return COMPOSITES[policy["name"]](self, policy, group, path)
        return self.over_sum(
            SCORES[policy["name"]](policy, group), group, policy.get("fallback", EQUAL), path + "/fallback"
        )

    def over_sum(self, scores: Shares, group: Sequence[Schedule], fallback: Policy, path: str) -> Shares:
        instead = self.divide(fallback, group, path)  # asked at every call, so that its averages go on
        total = sum(scores.values())
        return {name: score / total for name, score in scores.items()} if total > 0.0 else instead


def smoothed(walk: Walk, policy: Policy, group: Sequence[Schedule], path: str) -> Shares:
    base = walk.divide(policy["base"], group, path + "/base")
    alpha, least = policy.get("alpha", 0.35), policy.get("min_delta", 0.0)
    held = {name: walk.before.get(path, {}).get(name, 0.0) for name in base}
    mixed = dict(base)
    if sum(held.values()) > 0.0:
        mixed = {name: alpha * base[name] + (1.0 - alpha) * held[name] for name in base}
        mixed = {n: held[n] if held[n] > 0.0 and abs(m - held[n]) < least else m for n, m in mixed.items()}
    shares = {name: share / sum(mixed.values()) for name, share in mixed.items()}
    walk.after.setdefault(path, {}).update(shares)
    return shares


def risk_profile(walk: Walk, policy: Policy, group: Sequence[Schedule], path: str) -> Shares:
    by_profile = grouped(group, lambda s: s.get("risk_profile") or "")
    budgets = {profile: policy["profiles"].get(profile, 0.0) for profile in by_profile}
    total = sum(budgets.values())
    parts = {p: b / total if total > 0.0 else 1.0 / len(budgets) for p, b in budgets.items()}
    parts = at_least(min(policy.get("profile_floor", 0.0), 1.0 / len(parts)), parts)
    shares = {}
    for profile, members in by_profile.items():
        inner = walk.divide(policy.get("within_profile", "risk_parity"), members, path + "/within")
        shares |= {name: parts[profile] * share for name, share in inner.items()}
    return shares


def at_least(floor: float, parts: Shares) -> Shares:
    """The larger of the floor and one multiple of the part, found by raising more and more of the least."""
    names = sorted(parts, key=lambda name: parts[name])
    for raised in range(len(names)):
        rest = sum(parts[name] for name in names[raised:])
        scale = (1.0 - raised * floor) / rest if raised else 1.0
        if parts[names[raised]] * scale >= floor:
            return {n: floor if place < raised else parts[n] * scale for place, n in enumerate(names)}
    return dict.fromkeys(names, floor)


def blended(walk: Walk, policy: Policy, group: Sequence[Schedule], path: str) -> Shares:
    mixed = {str(s["schedule"]): 0.0 for s in group}
    total = sum(component.get("weight", 1.0) for component in policy["components"])
    for place, component in enumerate(policy["components"]):
        inner = {"name": component["policy"]} if isinstance(component["policy"], str) else component["policy"]
        part = walk.divide(inner, group, f"{path}/{place}")
        if not policy.get("normalize_components", True) and inner["name"] in SCORES:
            part = SCORES[inner["name"]](inner, group)
        for name, share in part.items():
            mixed[name] += component.get("weight", 1.0) * share / total if total > 0.0 else 0.0
    return walk.over_sum(mixed, group, policy.get("fallback", EQUAL), path + "/fallback")


def tag_quota(walk: Walk, policy: Policy, group: Sequence[Schedule], path: str) -> Shares:
    by_tag = grouped(group, lambda s: next((tag for tag in s.get("tags") or () if tag in policy["tags"]), ""))
    quotas = {tag: policy["tags"].get(tag, policy.get("default_weight", 0.0)) for tag in by_tag}
    total = sum(quotas.values())
    fallback = policy.get("fallback", EQUAL)
    shares = {}
    for tag, members in by_tag.items():
        inner = walk.divide(policy.get("within_tag", EQUAL) if tag else fallback, members, f"{path}/{bool(tag)}")
        shares |= {name: quotas[tag] / total * share if total > 0.0 else 0.0 for name, share in inner.items()}
    instead = walk.divide(fallback, group, path + "/fallback")
    return shares if total > 0.0 else instead


def grouped(group: Sequence[Schedule], key: Callable[[Schedule], str]) -> dict[str, list[Schedule]]:
    groups: dict[str, list[Schedule]] = {}
    for schedule in group:
        groups.setdefault(key(schedule), []).append(schedule)
    return groups


def number(schedule: Schedule, metric: str) -> float | None:
    """A metric, None where it is missing."""
    value = schedule.get(metric)
    return float(value) if value is not None and math.isfinite(value) else None


def with_medians(values: Mapping[str, float | None]) -> Shares:
    known = [value for value in values.values() if value is not None]
    median = statistics.median(known) if known else 1.0
    return {name: median if value is None else value for name, value in values.items()}


def named(group: Sequence[Schedule], score: Callable[[Schedule], Any]) -> dict[str, Any]:
    return {str(s["schedule"]): score(s) for s in group}


def risk_parity(_: Policy, group: Sequence[Schedule]) -> Shares:
    def volatility(s: Schedule) -> float | None:
        both = (number(s, "avg_realized_volatility"), number(s, "realized_volatility"))
        return next((value for value in both if value is not None and value > 0.0), None)

    return {name: 1.0 / value for name, value in with_medians(named(group, volatility)).items()}


def volatility_target(_: Policy, group: Sequence[Schedule]) -> Shares:
    def distance(s: Schedule) -> float | None:
        r = number(s, "realized_vs_target_vol_pct")
        return None if r is None else abs(r)

    return {name: 1.0 / (1.0 + r / 100.0) for name, r in with_medians(named(group, distance)).items()}


def signal_strength(_: Policy, group: Sequence[Schedule]) -> Shares:
    return named(group, lambda s: max(0.0, (number(s, "signals") or 0.0) * (number(s, "avg_confidence") or 0.0)))


def metric_weighted(policy: Policy, group: Sequence[Schedule]) -> Shares:
    def score(s: Schedule) -> float:
        total, used = 0.0, False
        for metric, terms in policy["metrics"].items():
            value = number(s, metric)
            value = terms.get("default") if value is None else value
            if value is not None:
                used = True
                total += terms["weight"] * min(max(value, terms.get("min", -math.inf)), terms.get("max", math.inf))
        return max(0.0, total) if used else float(policy.get("default_score", 0.0))

    return named(group, score)


def drawdown_guard(policy: Policy, group: Sequence[Schedule]) -> Shares:
    warning, panic = policy.get("warning_pct", 8.0), policy.get("panic_pct", 15.0)

    def score(s: Schedule) -> float:
        ramp = min(max(((number(s, "max_drawdown_pct") or 0.0) - warning) / (panic - warning), 0.0), 1.0)
        penalty = ramp + policy.get("pressure_weight", 0.5) * (number(s, "drawdown_pressure") or 0.0)
        return float(max(policy.get("min_weight", 0.05), 1.0 - min(1.0, penalty)))

    return named(group, score)


def fixed_weight(policy: Policy, group: Sequence[Schedule]) -> Shares:
    weights = policy.get("weights", {})

    def score(s: Schedule) -> float:
        strategy, profile = weights.get(s.get("strategy")), weights.get(s.get("risk_profile"))
        if isinstance(weights.get(s["schedule"]), float):
            return float(weights[s["schedule"]])
        if isinstance(strategy, dict) and s.get("risk_profile") in strategy:
            return float(strategy[s["risk_profile"]])
        if isinstance(strategy, float):
            return strategy
        return profile if isinstance(profile, float) else 0.0

    return named(group, score)


SCORES: dict[str, Callable[[Policy, Sequence[Schedule]], Shares]] = {
    "equal_weight": lambda _, group: named(group, lambda _: 1.0),
    "risk_parity": risk_parity,
    "volatility_target": volatility_target,
    "signal_strength": signal_strength,
    "metric_weighted": metric_weighted,
    "drawdown_guard": drawdown_guard,
    "fixed_weight": fixed_weight,
}
COMPOSITES: dict[str, Callable[[Walk, Policy, Sequence[Schedule], str], Shares]] = {
    "smoothed": smoothed,
    "risk_profile": risk_profile,
    "blended": blended,
    "tag_quota": tag_quota,
}
