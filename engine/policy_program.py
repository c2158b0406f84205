"""Capital policies as programs: a tree of policies becomes the rows that `kernels.capital` runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..config.policies import (
    Blended,
    DrawdownGuard,
    EqualWeight,
    FixedWeight,
    MetricWeight,
    MetricWeighted,
    Policy,
    RiskParity,
    RiskProfileBudget,
    SignalStrength,
    Smoothed,
    TagQuota,
    VolatilityTarget,
    Written,
)
from ..kernels import capital
from ..kernels.capital import MAY_RUN, NONE
from .bars import Floats, Integers

UNNAMED = "(none)"
"""What the group is called whose schedules have no profile, or none of the tags of a quota."""
WHOLE = 0
"""The partition with all schedules in one group."""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a policy may ask of a schedule, beside its metrics."""

    schedule: str
    strategy: str = ""
    risk_profile: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Node:
    """A policy of the tree, and where its numbers are.

    Attributes:
        policy: How it is written.
        partition: It is brought to sum 1 in each group of this partition.
        weights: Register of its weights.
        scores: Register of what was divided by its sum; NONE where the policy has no scores of its own.
        shares: Register of the share of each schedule's profile or tag; NONE where it has no budgets.
        budgets: Register of their budgets; NONE likewise.
        groups: The partition by profile or tag.
        inside: The policies inside it by the field they stand in.
    """

    policy: Written
    partition: int
    weights: int
    scores: int = NONE
    shares: int = NONE
    budgets: int = NONE
    groups: int = WHOLE
    inside: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PolicyProgram:
    """A policy made ready for some schedules.

    Attributes:
        rows: int64[row, PROGRAM_COLUMNS], see `kernels.capital`.
        constants: float64[·].
        groups: int64[partition, schedule].
        registers: float64[register, schedule]: who may run is 0, metrics are NaN, the tables are there. Copy it to run.
        metrics: Register of each metric that the policy reads.
        labels: What the groups of each partition are called.
        smoothings: Where the moving averages stand in the tree, in the order of the carry's rows.
        root: The policy.
    """

    rows: Integers
    constants: Floats
    groups: Integers
    registers: Floats
    metrics: Mapping[str, int]
    labels: Sequence[Sequence[str]]
    smoothings: Sequence[str]
    root: Node


def compile_policy(policy: Written, schedules: Sequence[Traits]) -> PolicyProgram:
    """Make a policy, as `read_policy` gives it, ready for schedules sorted by name.

    Rows, metrics and smoothings depend on the policy alone, so that a carry outlives a change of the schedules.
    """
    builder = _Builder(schedules)
    root = builder.node(policy, WHOLE, "capital_policy")
    registers = np.full((builder.registers, len(schedules)), np.nan)
    registers[MAY_RUN] = 0.0
    for register, values in builder.tables.items():
        registers[register] = values
    return PolicyProgram(
        rows=np.array(builder.rows, dtype=np.int64),
        constants=np.array(builder.constants, dtype=np.float64),
        groups=np.array(builder.groups, dtype=np.int64).reshape(len(builder.groups), len(schedules)),
        registers=registers,
        metrics=builder.metrics,
        labels=builder.labels,
        smoothings=builder.smoothings,
        root=root,
    )


class _Builder:
    """Collects rows, and gives out registers, places of constants and numbers of groups."""

    def __init__(self, schedules: Sequence[Traits]) -> None:
        self.schedules = schedules
        self.rows: list[tuple[int, ...]] = []
        self.constants: list[float] = []
        self.registers = MAY_RUN + 1
        self.tables: dict[int, list[float]] = {}
        self.metrics: dict[str, int] = {}
        self.groups: list[list[int]] = [[0] * len(schedules)]
        self.labels: list[list[str]] = [[""]]
        self.smoothings: list[str] = []

    def node(self, policy: Policy | Written, partition: int, path: str) -> Node:
        """Add the rows of a policy that divides each group of a partition."""
        match policy:
            case Smoothed():
                return self._smoothed(policy, partition, path)
            case RiskProfileBudget():
                return self._risk_profile(policy, partition, path)
            case Blended():
                return self._blended(policy, partition, path)
            case TagQuota():
                return self._tag_quota(policy, partition, path)
            case Written():
                return self._scored(policy, partition, path)
        raise TypeError(f"{policy!r} is not what read_policy gives")

    def _scored(self, policy: Written, partition: int, path: str) -> Node:
        inside = {}
        if isinstance(policy, MetricWeighted):
            inside = self._fallback(policy.fallback, partition, path)
        scores = MAY_RUN if isinstance(policy, EqualWeight) else self._scores(policy, partition)
        weights = self._normalise(scores, partition, inside)
        return Node(policy=policy, partition=partition, weights=weights, scores=scores, inside=inside)

    def _scores(self, policy: Written, partition: int) -> int:
        match policy:
            case RiskParity():
                average, last = self._metric("avg_realized_volatility"), self._metric("realized_volatility")
                return self._row(capital.RISK_PARITY, a=average, b=last, partition=partition)
            case VolatilityTarget():
                return self._row(capital.NEAR_TARGET, a=self._metric("realized_vs_target_vol_pct"), partition=partition)
            case SignalStrength():
                return self._row(capital.MULTIPLY, a=self._metric("signals"), b=self._metric("avg_confidence"))
            case DrawdownGuard():
                drawdown, pressure = self._metric("max_drawdown_pct"), self._metric("drawdown_pressure")
                terms = (policy.warning_pct, policy.panic_pct, policy.pressure_weight, policy.min_weight)
                return self._row(capital.GUARD, a=drawdown, b=pressure, constants=terms)
            case FixedWeight():
                fixed = self._table([_fixed_weight(policy.weights, traits) for traits in self.schedules])
                return self._row(capital.MULTIPLY, a=fixed, b=MAY_RUN)
            case MetricWeighted():
                return self._row(capital.METRICS, constants=self._metric_terms(policy))
        raise TypeError(f"{policy!r} has no scores")

    def _metric_terms(self, policy: MetricWeighted) -> list[float]:
        terms = [float(len(policy.metrics)), policy.default_score]
        for name, metric in policy.metrics.items():
            terms += [float(self._metric(name)), metric.weight, *_bounds(metric)]
        return terms

    def _smoothed(self, policy: Smoothed, partition: int, path: str) -> Node:
        base = self.node(policy.base, partition, f"{path}.base")
        self.smoothings.append(path)
        weights = self._row(
            capital.SMOOTH,
            a=base.weights,
            b=len(self.smoothings) - 1,
            partition=partition,
            constants=(policy.alpha, policy.min_delta),
        )
        return Node(policy=policy, partition=partition, weights=weights, inside={"base": base})

    def _risk_profile(self, policy: RiskProfileBudget, partition: int, path: str) -> Node:
        profiles = [traits.risk_profile for traits in self.schedules]
        groups = self._refine(partition, profiles)
        within = self.node(policy.within_profile, groups, f"{path}.within_profile")
        budgets = self._table([policy.profiles.get(profile, 0.0) for profile in profiles])
        shares = self._shares(budgets, groups, partition, floor=policy.profile_floor, without=1.0)
        return Node(
            policy=policy,
            partition=partition,
            weights=self._row(capital.MULTIPLY, a=shares, b=within.weights),
            shares=shares,
            budgets=budgets,
            groups=groups,
            inside={"within_profile": within},
        )

    def _blended(self, policy: Blended, partition: int, path: str) -> Node:
        inside = {}
        mixed = NONE
        for place, mix in enumerate(mix_weights(policy)):
            name = f"components[{place}]"
            inside[name] = part = self.node(policy.components[place].policy, partition, f"{path}.{name}")
            raw = part.scores != NONE and not policy.normalize_components
            mixed = self._row(capital.MIX, a=mixed, b=part.scores if raw else part.weights, constants=(mix,))
        fallback = self._fallback(policy.fallback, partition, path)
        weights = self._normalise(mixed, partition, fallback)
        return Node(policy=policy, partition=partition, weights=weights, scores=mixed, inside=inside | fallback)

    def _tag_quota(self, policy: TagQuota, partition: int, path: str) -> Node:
        """Quotas by tag.

        The fallback divides the group without a tag where that has a quota, and everything where no quota counts;
        rows for what the quotas rule out are not made.
        """
        tags = [_tag_of(traits, policy) for traits in self.schedules]
        groups = self._refine(partition, tags)
        within = self.node(policy.within_tag, groups, f"{path}.within_tag")
        inside, divided = {"within_tag": within}, within.weights
        if policy.default_weight > 0.0:
            others = self.node(policy.fallback, groups, f"{path}.fallback.without_tag")
            inside["without_tag"] = others
            mask = self._table([float(not tag) for tag in tags])
            divided = self._row(capital.CHOOSE, a=within.weights, b=others.weights, k=mask)
        budgets = self._table([policy.tags.get(tag, policy.default_weight) for tag in tags])
        shares = self._shares(budgets, groups, partition, floor=0.0, without=0.0)
        weights = self._row(capital.MULTIPLY, a=shares, b=divided)
        if min(policy.default_weight, *policy.tags.values()) == 0.0:
            fallback = self._fallback(policy.fallback, partition, path)
            weights = self._normalise(weights, partition, fallback)
            inside |= fallback
        return Node(
            policy=policy,
            partition=partition,
            weights=weights,
            shares=shares,
            budgets=budgets,
            groups=groups,
            inside=inside,
        )

    def _fallback(self, policy: Policy, partition: int, path: str) -> dict[str, Node]:
        """The node of a fallback; equal shares need none."""
        if isinstance(policy, EqualWeight):
            return {}
        return {"fallback": self.node(policy, partition, f"{path}.fallback")}

    def _normalise(self, scores: int, partition: int, fallback: Mapping[str, Node]) -> int:
        instead = fallback["fallback"].weights if fallback else NONE
        return self._row(capital.NORMALISE, a=scores, b=instead, partition=partition)

    def _shares(self, budgets: int, groups: int, partition: int, *, floor: float, without: float) -> int:
        return self._row(capital.SHARE, a=budgets, partition=groups, outer=partition, constants=(floor, without))

    def _row(
        self,
        operation: int,
        *,
        a: int = NONE,
        b: int = NONE,
        partition: int = WHOLE,
        outer: int = WHOLE,
        k: int = 0,
        constants: Sequence[float] = (),
    ) -> int:
        """Add a row and return the register of its result."""
        if constants:
            k = len(self.constants)
            self.constants += constants
        to = self._register()
        self.rows.append((operation, to, a, b, partition, outer, k))
        return to

    def _register(self) -> int:
        self.registers += 1
        return self.registers - 1

    def _metric(self, name: str) -> int:
        if name not in self.metrics:
            self.metrics[name] = self._register()
        return self.metrics[name]

    def _table(self, values: list[float]) -> int:
        register = self._register()
        self.tables[register] = [min(value, capital.LARGEST) for value in values]
        return register

    def _refine(self, partition: int, keys: Sequence[str]) -> int:
        """The partition whose groups are those of another one, each divided by key."""
        numbers: dict[tuple[int, str], int] = {}
        self.groups.append(
            [numbers.setdefault(pair, len(numbers)) for pair in zip(self.groups[partition], keys, strict=True)]
        )
        outer = self.labels[partition]
        self.labels.append(["/".join(filter(None, (outer[number], key or UNNAMED))) for number, key in numbers])
        return len(self.groups) - 1


def mix_weights(policy: Blended) -> list[float]:
    """The weights of the components over their sum; all 0 where that is 0."""
    weights = [min(component.weight, capital.LARGEST) for component in policy.components]
    total = sum(weights)
    return [weight / total if total > 0.0 else 0.0 for weight in weights]


def _fixed_weight(weights: Mapping[str, float | Mapping[str, float]], traits: Traits) -> float:
    """The first match of schedule, strategy and profile, strategy, profile; else 0."""
    by_strategy = weights.get(traits.strategy)
    if isinstance(by_strategy, Mapping):
        by_strategy = by_strategy.get(traits.risk_profile)
    for found in (weights.get(traits.schedule), by_strategy, weights.get(traits.risk_profile)):
        if isinstance(found, float | int):
            return float(found)
    return 0.0


def _tag_of(traits: Traits, policy: TagQuota) -> str:
    """The first of a schedule's tags that has a quota, or an empty text."""
    return next((tag for tag in traits.tags if tag in policy.tags), "")


def _bounds(metric: MetricWeight) -> tuple[float, float, float]:
    """Least value, greatest value, and what a missing one counts as."""
    least = -np.inf if metric.min is None else metric.min
    greatest = np.inf if metric.max is None else metric.max
    return least, greatest, np.nan if metric.default is None else metric.default
