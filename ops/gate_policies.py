"""Cases of the capital policies: the shares of 20 schedules, as a scheduler's compiled loop asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from ..engine.capital_policies import policy_of
from ..engine.policy_metrics import MetricsTable
from ..engine.policy_program import compile_policy
from ..kernels._jit import kernel
from ..kernels.capital import MAY_RUN, SCRATCH, allocate
from .gate_case import Case, Fresh, always

SCHEDULES, CALLS = 20, 400
BUDGETS = {"balanced": 0.5, "aggressive": 0.3, "calm": 0.2}
PAIR = [{"policy": "signal_strength"}, {"policy": "drawdown_guard"}]

POLICIES: dict[str, dict[str, Any]] = {
    "equal_weight": {},
    "risk_parity": {},
    "volatility_target": {},
    "signal_strength": {},
    "metric_weighted": {"metrics": {"avg_confidence": {"weight": 2.0}, "avg_realized_volatility": {"weight": -1.0}}},
    "smoothed": {"base": {"name": "blended", "components": PAIR}},
    "drawdown_guard": {},
    "fixed_weight": {"weights": {f"schedule_{s:02d}": 1.0 + s for s in range(SCHEDULES)}},
    "risk_profile": {"profiles": BUDGETS, "profile_floor": 0.1},
    "blended": {"components": PAIR},
    "tag_quota": {"tags": {"trend": 2.0, "mean": 1.0}, "default_weight": 1.0},
}


@kernel
def allocate_often(calls, program, constants, groups, registers, carry, scratch, weights):  # type: ignore[no-untyped-def]
    """Ask for the shares `calls` times in a row."""
    for _ in range(calls):
        allocate(program, constants, groups, registers, carry, scratch, weights)


def metrics() -> pl.DataFrame:
    """Random metrics, all known, for schedules in three profiles and with one of three tags, or with none."""
    rng = np.random.default_rng(7)
    return pl.DataFrame(
        {
            "schedule": [f"schedule_{s:02d}" for s in range(SCHEDULES)],
            "risk_profile": [tuple(BUDGETS)[s % 3] for s in range(SCHEDULES)],
            "tags": [[["trend"], ["mean"], ["core"], []][s % 4] for s in range(SCHEDULES)],
            "avg_realized_volatility": rng.uniform(0.1, 0.9, SCHEDULES),
            "realized_vs_target_vol_pct": rng.uniform(-50.0, 50.0, SCHEDULES),
            "signals": rng.integers(0, 9, SCHEDULES),
            "avg_confidence": rng.uniform(0.0, 1.0, SCHEDULES),
            "max_drawdown_pct": rng.uniform(0.0, 20.0, SCHEDULES),
            "drawdown_pressure": rng.uniform(0.0, 1.0, SCHEDULES),
        },
        schema_overrides={"tags": pl.List(pl.String)},
    )


def kernel_arguments(written: Mapping[str, Any]) -> tuple[Any, ...]:
    """What `allocate` takes for a policy; the weights come last."""
    table = MetricsTable(metrics())
    program = compile_policy(policy_of(dict(written)).written, table.schedules)
    registers = program.registers.copy()
    registers[MAY_RUN] = table.may_run
    for metric, register in program.metrics.items():
        registers[register] = table.values(metric)
    carry, scratch = np.zeros((len(program.smoothings), SCHEDULES)), np.empty((SCRATCH, SCHEDULES))
    return program.rows, program.constants, program.groups, registers, carry, scratch, np.empty(SCHEDULES)


def _allocation(written: Mapping[str, Any], calls: int) -> Fresh:
    arguments = kernel_arguments(written)
    return always(lambda: allocate_often(calls, *arguments))


CASES = tuple(
    Case(name=f"policy {name}", bars=CALLS, prepare=partial(_allocation, {"name": name, **fields}), unit="call")
    for name, fields in POLICIES.items()
)
