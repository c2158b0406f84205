"""Everything that a gate times. `benchmarks/test_cases.py` times the same."""

from __future__ import annotations

from . import gate_accounts, gate_policies
from .gate_case import Case
from .gate_kernels import ENGINES, INDICATORS

CASES: tuple[Case, ...] = (*INDICATORS, *ENGINES, *gate_policies.CASES, *gate_accounts.CASES)
