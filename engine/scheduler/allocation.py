"""The shares of capital at one time, by schedule, profile and tag, and how they came about."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...config.policies import RiskProfileBudget
from ..bars import Floats
from ..policy_diagnostics import Diagnostics
from ..policy_program import PolicyProgram
from .setup import SchedulerSetup


class Allocation:
    """What the last refresh made; all 0 before the first one."""

    def __init__(
        self, setup: SchedulerSetup, program: PolicyProgram, registers: Floats, raw: Floats, weights: Floats
    ) -> None:
        """program, registers: the policy and what it made of the last telemetry.

        raw, weights: float64[schedule], shares before smoothing, and after the ceilings of the risk profiles.
        """
        self._setup, self._program, self._registers = setup, program, registers
        self._raw, self._weights = raw, weights

    def snapshot(self) -> dict[str, float]:
        """Each schedule's share."""
        return dict(zip(self._setup.schedules, self._weights.tolist(), strict=True))

    def state(self) -> dict[str, dict[str, float]]:
        """`raw` and `smoothed` shares of the policy, `weights`, and these added up by `profile` and primary `tag`."""
        schedules, weights = self._setup.schedules, self.snapshot()
        smoothed = np.nan_to_num(self._registers[self._program.root.weights])
        added: dict[str, dict[str, float]] = {"profile": {}, "tag": {}}
        for by, label in (("profile", "risk_profile"), ("tag", "tag")):
            for name, weight in zip(self._setup.labels[label], weights.values(), strict=True):
                added[by][name] = added[by].get(name, 0.0) + weight
        return {
            "raw": dict(zip(schedules, self._raw.tolist(), strict=True)),
            "smoothed": dict(zip(schedules, smoothed.tolist(), strict=True)),
            "weights": weights,
            **added,
        }

    def diagnostics(self) -> dict[str, Any]:
        """How the shares came about, by each policy of the tree."""
        return self._diagnostics.of(self._program.root)

    def profiles(self) -> dict[str, float]:
        """Share of each profile that is present, where the policy budgets by profile; else empty."""
        root = self._program.root
        return self._diagnostics.shares(root) if isinstance(root.policy, RiskProfileBudget) else {}

    @property
    def floor_adjustment_applied(self) -> bool:
        """Whether the policy's `profile_floor` raised a profile."""
        return self._diagnostics.floor_adjustment_applied(self._program.root)

    @property
    def _diagnostics(self) -> Diagnostics:
        return Diagnostics(self._program, self._registers, self._setup.traits)
