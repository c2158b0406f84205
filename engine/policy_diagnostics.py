"""What a capital policy made of the last metrics: weights, scores, penalties and shares, of each policy in the tree."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..config.policies import Blended, DrawdownGuard, RiskProfileBudget, Smoothed, TagQuota, Written
from ..kernels.capital import MAY_RUN, NONE
from .bars import Floats
from .policy_program import Node, PolicyProgram, Traits, mix_weights


class Diagnostics:
    """Reads the registers of one run."""

    def __init__(self, program: PolicyProgram, registers: Floats, schedules: tuple[Traits, ...]) -> None:
        self._program, self._registers = program, registers
        self._names = [traits.schedule for traits in schedules]
        self._running = np.flatnonzero(registers[MAY_RUN])

    def of(self, node: Node) -> dict[str, Any]:
        """The diagnostics of a policy, plain values that JSON can hold; those of policies inside it stand in it."""
        found: dict[str, Any] = {"name": name_of(node.policy), "label": label_of(node.policy)}
        found["weights"] = self._all(node.weights)
        if node.scores != NONE:
            found["scores"] = self._present(node.scores)
        match node.policy:
            case DrawdownGuard():
                found["penalties"] = {name: 1.0 - score for name, score in found["scores"].items()}
            case Smoothed():
                found["raw_weights"] = self._all(node.inside["base"].weights)
                found["smoothed_weights"] = found["weights"]
            case RiskProfileBudget():
                found["profiles"], found["profile_weights"] = self.shares(node), self._present(node.shares)
                found["profile_floor_adjustment"] = self.floor_adjustment_applied(node)
            case TagQuota():
                found["tags"], found["tag_weights"] = self.shares(node), self._present(node.shares)
                found["tag_members"] = self._members(node)
            case Blended():
                found["components"] = self._components(node, node.policy)
        parts = node.inside.items()
        return found | {name: self.of(inside) for name, inside in parts if not name.startswith("components[")}

    def shares(self, node: Node) -> dict[str, float]:
        """Share of each profile or tag that is present, of those it is divided among.

        Where budgets stand in budgets, names are `outer/inner`, and the shares of one outer group sum to 1.
        """
        labels, groups = self._program.labels[node.groups], self._program.groups[node.groups]
        return {labels[groups[s]]: float(self._registers[node.shares, s]) for s in self._running}

    def floor_adjustment_applied(self, node: Node) -> bool:
        """Whether the floor raised the share of a profile."""
        if not isinstance(node.policy, RiskProfileBudget):
            return False
        inner, outer = self._program.groups[node.groups], self._program.groups[node.partition]
        budgets: dict[int, dict[int, float]] = {}
        for s in self._running:
            budgets.setdefault(outer[s], {})[inner[s]] = float(self._registers[node.budgets, s])
        return any(
            min(group.values()) / sum(group.values()) < min(node.policy.profile_floor, 1.0 / len(group))
            for group in budgets.values()
            if sum(group.values()) > 0.0
        )

    def _members(self, node: Node) -> dict[str, int]:
        """How many schedules that may run are in each group."""
        labels, groups = self._program.labels[node.groups], self._program.groups[node.groups]
        numbers, counts = np.unique(groups[self._running], return_counts=True)
        return {labels[number]: int(count) for number, count in zip(numbers, counts, strict=True)}

    def _components(self, node: Node, policy: Blended) -> list[dict[str, Any]]:
        parts = [node.inside[f"components[{place}]"] for place in range(len(policy.components))]
        return [
            {
                "label": component.label or label_of(part.policy),
                "mix_weight": mix,
                "shares": self._all(part.weights),
                "policy": self.of(part),
            }
            for component, mix, part in zip(policy.components, mix_weights(policy), parts, strict=True)
        ]

    def _all(self, register: int) -> dict[str, float]:
        return dict(zip(self._names, self._registers[register].tolist(), strict=True))

    def _present(self, register: int) -> dict[str, float]:
        return {self._names[s]: float(self._registers[register, s]) for s in self._running}


def name_of(policy: Written) -> str:
    """The name that a policy is written by."""
    return str(type(policy).__struct_config__.tag)


def label_of(policy: Written) -> str:
    """What a policy is called in diagnostics."""
    return policy.label or name_of(policy)
