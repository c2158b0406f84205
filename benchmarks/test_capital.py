"""Capital policies for 20 schedules: the kernel from a compiled loop and from Python, and the call on a table.

Before anything is timed, the weights are compared with those of a walk in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from barstep.engine.capital_policies import policy_of
from barstep.kernels.capital import allocate
from barstep.ops import gate_policies
from barstep.ops.gate_policies import BUDGETS, allocate_often, metrics
from plain_capital import plain_weights

CALLS = 1_000
GUARDED = {"name": "blended", "components": [{"policy": "signal_strength"}, {"policy": "drawdown_guard"}]}
TAGS = {"name": "tag_quota", "tags": {"trend": 2.0, "mean": 1.0}, "default_weight": 1.0}
FOUR = {
    "name": "blended",
    "components": [*GUARDED["components"], {"policy": "risk_parity"}, {"policy": TAGS}],
}
POLICIES = {
    "smoothed blend of two": {"name": "smoothed", "base": GUARDED},
    "smoothed budgets of four": {
        "name": "smoothed",
        "base": {"name": "risk_profile", "profiles": BUDGETS, "profile_floor": 0.1, "within_profile": FOUR},
    },
}


def kernel_arguments(written: dict[str, Any]) -> tuple[Any, ...]:
    """What `allocate` takes for a policy, its weights compared with the plain walk's."""
    arguments = gate_policies.kernel_arguments(written)
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
