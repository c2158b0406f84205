"""Capital policies: shares of the capital for schedules, from a table of their metrics."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import polars as pl
from msgspec import Struct

from ..config import policies
from ..config.policy_reading import read_policy
from ..errors import UsageError, unknown_name
from ..kernels.capital import MAY_RUN, SCRATCH, allocate
from .bars import Floats
from .policy_diagnostics import Diagnostics, label_of
from .policy_metrics import MetricsTable
from .policy_program import PolicyProgram, Traits, compile_policy

State = dict[str, dict[str, float]]


class CapitalAllocationPolicy:
    """The common face of all capital policies.

    A policy is made with the fields of its written form, as keywords; a field that takes a policy takes one of these
    objects, a name or a mapping. An object keeps the memory of the moving averages in its whole tree in `state`; a
    policy that stands inside another is only read, its own `state` is left alone.

    Attributes:
        written: How the policy is written, a Struct of `config.policies`.
    """

    form: ClassVar[type[policies.Written]]

    def __init_subclass__(cls) -> None:
        """Show the fields of the written form, and their defaults, as what the class takes."""
        taken = [field.replace(annotation=field.empty) for field in inspect.signature(cls.form).parameters.values()]
        cls.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]

    def __init__(self, **fields: object) -> None:
        """Raises UsageError where a field is unknown or missing, or its value is not allowed."""
        name = str(self.form.__struct_config__.tag)
        self.written = read_policy({**_plain(fields), "name": name}, name)
        self._state: State = {}
        self._program: PolicyProgram | None = None
        self._schedules: tuple[Traits, ...] = ()
        self._registers: Floats = np.empty((0, 0))

    @property
    def label(self) -> str:
        """What it is called in diagnostics and logs."""
        return label_of(self.written)

    @property
    def rebalance_seconds(self) -> float | None:
        """The interval that it recommends; None where it recommends none."""
        return self.written.rebalance_seconds

    def weights(self, metrics: pl.DataFrame) -> dict[str, float]:
        """Shares of the capital by schedule, sorted by name: over or equal to 0, their sum 1; all 0 where none may run.

        Args:
            metrics: A row per schedule: `schedule`, and where they are known `strategy`, `risk_profile`, `tags` (a
                list, the primary one first), `may_run` (by default true; null is false) and metrics. A metric that is
                null, NaN, infinite or has no column is missing; each policy says what that means to it.

        Raises:
            UsageError: `schedule` is missing or not unique, or a column is of another type.
        """
        table = MetricsTable(metrics)
        if self._program is None or table.schedules != self._schedules:
            self._program, self._schedules = compile_policy(self.written, table.schedules), table.schedules
        program = self._program
        self._registers = program.registers.copy()
        self._registers[MAY_RUN] = table.may_run
        for metric, register in program.metrics.items():
            self._registers[register] = table.values(metric)
        names = [traits.schedule for traits in table.schedules]
        held = [self._state.get(path, {}) for path in program.smoothings]
        carry = np.array([[shares.get(name, 0.0) for name in names] for shares in held]).reshape(len(held), len(names))
        weights, scratch = np.empty(len(names)), np.empty((SCRATCH, len(names)))
        allocate(program.rows, program.constants, program.groups, self._registers, carry, scratch, weights)
        self._state = {path: _held(names, shares) for path, shares in zip(program.smoothings, carry, strict=True)}
        return dict(zip(names, weights.tolist(), strict=True))

    @property
    def state(self) -> State:
        """What the moving averages keep: by place in the tree, then by schedule, its share; plain values.

        Set it to go on from there: the same calls then give the same bits.
        """
        return {path: dict(shares) for path, shares in self._state.items()}

    @state.setter
    def state(self, saved: Mapping[str, Mapping[str, float]]) -> None:
        known = compile_policy(self.written, ()).smoothings
        for path, shares in saved.items():
            if path not in known:
                raise UsageError(f"the state: {unknown_name('moving average', path, known)}")
            for schedule, share in shares.items():
                if not (math.isfinite(share) and share >= 0.0):
                    raise UsageError(f"the state of {schedule!r} in {path} is {share}; allowed is 0 or more")
        self._state = {path: dict(shares) for path, shares in saved.items()}

    @property
    def allocation_diagnostics(self) -> dict[str, Any]:
        """How the last weights came about, as plain values; empty before the first call.

        Every policy has `name`, `label` and `weights`, then what it has of: `scores`, `penalties`, `raw_weights` and
        `smoothed_weights`, `profiles`, `profile_weights` and `profile_floor_adjustment`, `tags`, `tag_weights` and
        `tag_members`, `components` (`label`, `mix_weight`, `shares`), and the policies inside it, by field.
        """
        if self._program is None:
            return {}
        return self._diagnostics(self._program).of(self._program.root)

    def _diagnostics(self, program: PolicyProgram) -> Diagnostics:
        return Diagnostics(program, self._registers, self._schedules)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.written!r})"


class EqualWeightAllocation(CapitalAllocationPolicy):
    """`equal_weight`: equal shares."""

    form = policies.EqualWeight


class RiskParityAllocation(CapitalAllocationPolicy):
    """`risk_parity`: the inverse of `avg_realized_volatility`, or of `realized_volatility` where that is missing."""

    form = policies.RiskParity


class VolatilityTargetAllocation(CapitalAllocationPolicy):
    """`volatility_target`: 1/(1 + |r|/100), r = `realized_vs_target_vol_pct`."""

    form = policies.VolatilityTarget


class SignalStrengthAllocation(CapitalAllocationPolicy):
    """`signal_strength`: `signals` × `avg_confidence`."""

    form = policies.SignalStrength


class MetricWeightedAllocation(CapitalAllocationPolicy):
    """`metric_weighted`: the sum of weight × clamp(metric, min, max), no less than 0."""

    form = policies.MetricWeighted


class SmoothedCapitalAllocationPolicy(CapitalAllocationPolicy):
    """`smoothed`: a moving average of another policy's weights."""

    form = policies.Smoothed


class DrawdownAdaptiveAllocation(CapitalAllocationPolicy):
    """`drawdown_guard`: less for what is in a drawdown, by `max_drawdown_pct` and `drawdown_pressure`."""

    form = policies.DrawdownGuard


class FixedWeightAllocation(CapitalAllocationPolicy):
    """`fixed_weight`: given weights by schedule, by strategy and profile, by strategy, or by profile."""

    form = policies.FixedWeight


class RiskProfileBudgetAllocation(CapitalAllocationPolicy):
    """`risk_profile`: budgets by risk profile, divided inside each by another policy."""

    form = policies.RiskProfileBudget

    def profile_allocation_snapshot(self) -> dict[str, float]:
        """Share of each profile that was present at the last call."""
        return self._diagnostics(self._program).shares(self._program.root) if self._program else {}

    @property
    def floor_adjustment_applied(self) -> bool:
        """Whether `profile_floor` raised a profile at the last call."""
        return self._program is not None and self._diagnostics(self._program).floor_adjustment_applied(
            self._program.root
        )


class BlendedAllocation(CapitalAllocationPolicy):
    """`blended`: several policies, mixed by weight."""

    form = policies.Blended


class TagQuotaAllocation(CapitalAllocationPolicy):
    """`tag_quota`: quotas by tag, divided inside each by another policy."""

    form = policies.TagQuota


_CLASSES = {kind.form: kind for kind in CapitalAllocationPolicy.__subclasses__()}


def policy_of(written: object) -> CapitalAllocationPolicy:
    """The policy that is written as a name, as a mapping with `name`, or as a Struct of `config.policies`.

    Raises:
        UsageError: A name or a field is unknown, a field is missing, or a value is not allowed; says where.
    """
    read = read_policy(_plain(written))
    kind = _CLASSES[type(read)]
    return kind(**{name: getattr(read, name) for name in read.__struct_fields__})


def _plain(value: Any) -> Any:
    """The same with policies replaced by how they are written, at any depth."""
    if isinstance(value, CapitalAllocationPolicy):
        return value.written
    if isinstance(value, Struct):
        return value
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _held(names: list[str], shares: Floats) -> dict[str, float]:
    """The shares over 0: a schedule without one and one that is not there are the same."""
    return {name: share for name, share in zip(names, shares.tolist(), strict=True) if share > 0.0}
