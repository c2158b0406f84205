"""Every kernel, engine and policy, the backtests and the loops by themselves: `.venv-bench/bin/pytest benchmarks`.

For work on barstep's own code; `--benchmark-compare` sets it beside an earlier run. The cases are those that
`barstep bench gate` holds to their budgets.
"""

from typing import Any

import pytest
from barstep.ops.gate_case import Case
from barstep.ops.gate_cases import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_speed(case: Case, benchmark: Any) -> None:
    """Times a run; what makes each ready is not timed."""
    fresh = case.prepare(case.bars)
    fresh()()
    benchmark.extra_info["bars"], benchmark.extra_info["unit"] = case.bars, case.unit
    benchmark.pedantic(lambda run: run(), setup=lambda: ((fresh(),), {}), rounds=50)
