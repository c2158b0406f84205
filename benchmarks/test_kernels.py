"""Kernels, engines and the backtest by themselves, a million bars each: `.venv-bench/bin/pytest benchmarks`.

For work on barstep's own code; `--benchmark-compare` sets it beside an earlier run. What is timed is what the
comparison with peers checks and times.
"""

from typing import Any

import inputs
import pytest
import with_barstep
import with_barstep_backtest
import with_barstep_engines
from cases import CASES

MODULES = (with_barstep, with_barstep_backtest, with_barstep_engines)
KIND_OF = {case.first.work: case.kind for case in CASES}
SETUPS = {name: setup for module in MODULES for name, setup in module.WORK.items()}
ONE_BAR_CALLS = 10_000


@pytest.mark.parametrize("name", SETUPS)
def test_speed(name: str, benchmark: Any) -> None:
    """Times the work over a million bars; one bar at a time over ten thousand."""
    bars = ONE_BAR_CALLS if name.startswith("one bar") else 1_000_000
    benchmark.extra_info["bars"] = bars
    benchmark(SETUPS[name](inputs.KINDS[KIND_OF[name]](bars)).run)
