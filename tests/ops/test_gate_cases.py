"""The cases do the work that they say: as many bars, and the same again each time."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.ops import gate_accounts, gate_kernels, gate_policies, yardsticks
from barstep.ops.gate_case import Case
from barstep.ops.gate_rounds import MachineTimer


@pytest.mark.parametrize("case", [*gate_kernels.INDICATORS[:3], gate_kernels.ENGINES[1], *gate_accounts.CASES[:2]])
def test_a_case_can_be_run_again(case: Case) -> None:
    """Its runs raise nothing and are ready again."""
    fresh = case.prepare(min(case.bars, 2_048))
    for _ in range(2):
        fresh()()


@pytest.mark.parametrize("case", gate_accounts.CASES[3:], ids=lambda case: case.name)
def test_a_loop_is_begun_anew_at_its_end(case: Case) -> None:
    """It never runs out of bars."""
    fresh = case.prepare(40)
    runs = [fresh() for _ in range(gate_accounts.PARTS + 1)]
    for run in runs[:2]:
        run()
    assert runs[0] is runs[gate_accounts.PARTS - 1]
    assert runs[0] is not runs[gate_accounts.PARTS]


def test_the_policies_are_all_there() -> None:
    """One case for each written form, and its weights sum to 1."""
    from barstep.engine.capital_policies import CapitalAllocationPolicy  # noqa: PLC0415

    known = {str(one.form.__struct_config__.tag) for one in CapitalAllocationPolicy.__subclasses__()}
    assert set(gate_policies.POLICIES) == known
    for name, fields in gate_policies.POLICIES.items():
        arguments = gate_policies.kernel_arguments({"name": name, **fields})
        gate_policies.allocate_often(1, *arguments)
        assert arguments[-1].sum() == pytest.approx(1.0)


def test_the_yardstick_does_what_it_says() -> None:
    """A recurrence and a division for each value, beside a plain walk."""
    values, out = np.array([1.0, 2.0, -1.0]), np.full(3, 7.0)
    yardsticks.mean_square_ratio(values, 2, out)
    before, expected = 0.0, []
    for value in [1.0, 2.0, -1.0] * 2:
        before = 0.9 * before + 0.1 * value
        expected.append(value / (1.0 + before * before))
    np.testing.assert_allclose(out, expected[3:], rtol=1e-15)


def test_the_machine_is_timed_in_nanoseconds_of_one_bar() -> None:
    """Twice the bars with twice the work is the same time a bar, and times are over 0."""
    timer, calls = MachineTimer(), []
    take = timer.prepare(Case(name="own", bars=5, prepare=lambda bars: lambda: lambda: calls.append(bars)))
    assert take() > 0.0
    assert calls == [5, 5, 5]
    assert timer.arithmetic() > 0.0
    assert timer.copy() > 0.0
