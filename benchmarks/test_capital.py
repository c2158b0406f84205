"""Capital policies for 20 schedules: the kernel from a compiled loop and from Python, and the call on a table.

Before anything is timed, the weights are compared with those of a walk in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from barstep.engine.capital_policies import policy_of
from barstep.engine.policy_metrics import MetricsTable
from barstep.engine.policy_program import compile_policy
from barstep.kernels._jit import kernel
from barstep.kernels.capital import MAY_RUN, SCRATCH, allocate
from plain_capital import plain_weights

SCHEDULES = 20
CALLS = 1_000
GUARDED = {"name": "blended", "components": [{"policy": "signal_strength"}, {"policy": "drawdown_guard"}]}
TAGS = {"name": "tag_quota", "tags": {"trend": 2.0, "mean": 1.0}, "default_weight": 1.0}
FOUR = {
    "name": "blended",
    "components": [*GUARDED["components"], {"policy": "risk_parity"}, {"policy": TAGS}],
}
BUDGETS = {"balanced": 0.5, "aggressive": 0.3, "calm": 0.2}
POLICIES = {
    "smoothed blend of two": {"name": "smoothed", "base": GUARDED},
    "smoothed budgets of four": {
        "name": "smoothed",
        "base": {"name": "risk_profile", "profiles": BUDGETS, "profile_floor": 0.1, "within_profile": FOUR},
    },
}


@kernel
def allocate_often(calls, program, constants, groups, registers, carry, scratch, weights):
    """Many calls in a row, as a scheduler's loop makes them."""
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
            "signals": rng.integers(0, 9, SCHEDULES),
            "avg_confidence": rng.uniform(0.0, 1.0, SCHEDULES),
            "max_drawdown_pct": rng.uniform(0.0, 20.0, SCHEDULES),
            "drawdown_pressure": rng.uniform(0.0, 1.0, SCHEDULES),
        },
        schema_overrides={"tags": pl.List(pl.String)},
    )


def kernel_arguments(written: dict[str, Any]) -> tuple[Any, ...]:
    """What `allocate` takes for a policy, its weights compared with the plain walk's."""
    table = MetricsTable(metrics())
    program = compile_policy(policy_of(written).written, table.schedules)
    registers = program.registers.copy()
    registers[MAY_RUN] = table.may_run
    for metric, register in program.metrics.items():
        registers[register] = table.values(metric)
    carry, scratch = np.zeros((len(program.smoothings), SCHEDULES)), np.empty((SCRATCH, SCHEDULES))
    arguments = (program.rows, program.constants, program.groups, registers, carry, scratch, np.empty(SCHEDULES))
    allocate(*arguments)
    expected = list(plain_weights(written, metrics().to_dicts(), {}).values())
    np.testing.assert_allclose(arguments[-1], expected, rtol=0.0, atol=1e-14)
    return arguments


@pytest.mark.parametrize("name", POLICIES)
def test_speed_in_a_compiled_loop(name: str, benchmark: Any) -> None:
    """Times a thousand calls from compiled code."""
    benchmark.extra_info["calls"] = CALLS
    benchmark(allocate_often, CALLS, *kernel_arguments(POLICIES[name]))


@pytest.mark.parametrize("name", POLICIES)
def test_speed_from_python(name: str, benchmark: Any) -> None:
    """Times one call of the kernel from Python."""
    benchmark(allocate, *kernel_arguments(POLICIES[name]))


@pytest.mark.parametrize("name", POLICIES)
def test_speed_on_a_table(name: str, benchmark: Any) -> None:
    """Times one call on a frame, most of which is reading the frame."""
    benchmark(policy_of(POLICIES[name]).weights, metrics())
