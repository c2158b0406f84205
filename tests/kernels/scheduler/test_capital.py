"""Weights by hand: who may run, metrics at their registers, ceilings of profiles, and the rows of a refresh."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels.capital import MAY_RUN, NONE, NORMALISE, PROGRAM_COLUMNS, SCRATCH
from barstep.kernels.scheduler import capital, layout, telemetry
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from schedules import INF, NAN, Scheduler, Shape

pytestmark = pytest.mark.unit_kernel


@pytest.mark.parametrize(
    ("now", "refusal", "answer"), [(99, 0.0, 0.0), (100, 0.0, 1.0), (101, 0.0, 1.0), (100, 3.0, 0.0)]
)
def test_who_may_run(now: int, refusal: float, answer: float) -> None:
    """From the instant on at which it is warm, unless something holds it back."""
    assert capital.may_run(now, refusal, 100.0) == answer


def test_another_set_is_noticed() -> None:
    """A schedule that is warm, or suspended, since the last refresh makes another set; before it there is none."""
    one = Scheduler(Shape(schedules=2))
    one.schedules[layout.WARM_AT] = [0.0, 100.0]
    registers = np.zeros((1, 2))
    assert capital.others_may_run(50, one.control, one.schedules, registers)
    registers[MAY_RUN] = [1.0, 0.0]
    assert not capital.others_may_run(50, one.control, one.schedules, registers)
    assert capital.others_may_run(100, one.control, one.schedules, registers)
    one.control[layout.REFUSAL] = [0.0, 3.0]
    assert not capital.others_may_run(100, one.control, one.schedules, registers)
    one.control[layout.REFUSAL] = [3.0, 0.0]
    assert capital.others_may_run(100, one.control, one.schedules, registers)


def held(weights: list[float], ceilings: list[float], profiles: list[float], groups: list[float]) -> list[float]:
    one = Scheduler(Shape(schedules=len(weights)))
    one.schedules[layout.CEILING], one.schedules[layout.PROFILE] = ceilings, profiles
    one.schedules[layout.GROUP] = groups
    out, scratch = np.array(weights), np.full((2, len(weights)), POISON)
    capital.hold_to_ceilings(one.schedules, scratch[0], scratch[1], out)
    return [float(weight) for weight in out]


def test_a_strategy_gets_its_part_of_its_profile_at_most() -> None:
    """0.3 + 0.1 of a profile with 0.5 held to half of it: both are cut alike, and nobody gets what is cut."""
    assert held([0.3, 0.1, 0.1, 0.5], [0.5, 0.5, INF, INF], [0, 0, 0, 1], [0, 0, 1, 2]) == pytest.approx(
        [0.1875, 0.0625, 0.1, 0.5]
    )


def test_a_part_within_the_ceiling_is_not_touched() -> None:
    """At the ceiling itself too, to the bit; a ceiling of nothing leaves nothing."""
    assert held([0.25, 0.25], [0.5, 0.9], [0, 0], [0, 1]) == [0.25, 0.25]
    assert held([0.1, 0.3], [0.0, INF], [0, 0], [0, 1]) == [0.0, 0.3]


def test_the_same_strategy_under_another_profile_has_its_own_ceiling() -> None:
    """Totals are of a profile and parts of a strategy under it."""
    assert held([0.4, 0.1, 0.4, 0.1], [0.5, INF, 0.9, INF], [0, 0, 1, 1], [0, 1, 2, 3]) == pytest.approx(
        [0.25, 0.1, 0.4, 0.1]
    )


@given(seed=st.integers(0, 10**6))
def test_ceilings_are_kept(seed: int) -> None:
    """For any weights: against sums over the members of each strategy and profile."""
    rng = np.random.default_rng(seed)
    weights, profiles = rng.uniform(0.0, 1.0, 6), rng.integers(0, 2, 6)
    groups, ceilings = 2 * rng.integers(0, 3, 6) + profiles, rng.choice([0.0, 0.2, 0.6, INF], 6)[: 6 // 1]
    by_group = {int(g): float(ceilings[g % 6]) for g in groups}
    got = held(weights.tolist(), [by_group[int(g)] for g in groups], profiles.tolist(), groups.tolist())
    for s in range(6):
        total, part = weights[profiles == profiles[s]].sum(), weights[groups == groups[s]].sum()
        most = by_group[int(groups[s])] * total
        assert got[s] == pytest.approx(weights[s] * min(most / part, 1.0), rel=1e-12)


class Policy(Scheduler):
    """Three schedules whose weights are shares of their signals; each has had that many in its one run."""

    def __init__(self, signals: list[float]) -> None:
        super().__init__(Shape(schedules=3, window=2))
        self.schedules[layout.WARM_AT] = [0.0, 0.0, 100.0]
        self.registers = np.full((5, 3), POISON)
        self.registers[[MAY_RUN, 1]] = 0.0
        self.sources = np.array([[1, telemetry.SIGNALS_OF, 0], [2, telemetry.STATED, 0], [3, telemetry.PRESSURE, 0]])
        for s, count in enumerate(signals):
            for number, accepted, equity in ((7, count, 900.0), (8, 0.0, 810.0)):
                row = telemetry.row_of_run(number, 0, s, self.runs, self.rests, self.since, self.stretch)
                self.runs[row, s] = 1.0, accepted, equity, NAN
                telemetry.add_run(self.runs[row, s], self.since[s])

    def fill_metrics(self) -> Floats:
        capital.fill_metrics(
            self.sources, np.array([NAN, 60.0, NAN]), self.profiles, self.schedules, self.rests, self.since,
            self.stretch, self.registers,
        )  # fmt: skip
        return self.registers

    def refresh(self, now: int) -> list[float]:
        program = np.zeros((2, PROGRAM_COLUMNS), dtype=np.int64)
        program[0] = NORMALISE, 4, 1, NONE, 0, 0, 0
        program[1] = NORMALISE, 3, 4, NONE, 0, 0, 0
        capital.refresh(
            now, self.control, self.profiles, self.sources[:1], np.array([NAN]), 4, program, np.empty(0),
            np.zeros((1, 3), dtype=np.int64), self.registers, np.zeros((0, 3)), np.full((SCRATCH, 3), POISON),
            self.rests, self.since, self.stretch, self.account, self.schedules, self.refreshes,
        )  # fmt: skip
        return [float(weight) for weight in self.schedules[layout.WEIGHT]]


def test_metrics_stand_at_their_registers() -> None:
    """Signals of the window, what is stated, and the pressure of a fall of 10 % in a profile that allows 20 %."""
    policy = Policy([3.0, 1.0, 4.0])
    policy.profiles[0, layout.MAX_FALL] = 0.2
    registers = policy.fill_metrics()
    assert registers[1].tolist() == [3.0, 1.0, 4.0]
    assert registers[2].tolist() == [60.0] * 3
    assert registers[3].tolist() == pytest.approx([0.5] * 3)
    assert_same_bits(registers[4], np.full(3, POISON), "other registers")


def test_a_refresh_is_a_row() -> None:
    """Time, weights before the ceilings, weights after them; who may not run yet is known to the policy."""
    policy = Policy([3.0, 1.0, 0.0])
    policy.schedules[layout.CEILING, 0] = 0.5
    policy.account[layout.REFRESHES] = 1.0
    policy.refreshes[:, 0] = POISON
    assert policy.refresh(50) == [0.5, 0.25, 0.0]
    assert policy.registers[MAY_RUN].tolist() == [1.0, 1.0, 0.0]
    assert policy.refreshes[:, 1].tolist() == [50.0, 0.75, 0.25, 0.0, 0.5, 0.25, 0.0]
    assert policy.account[[layout.REFRESHES, layout.REFRESHED_AT]].tolist() == [2.0, 50.0]
    assert_same_bits(policy.refreshes[:, 2:], np.full_like(policy.refreshes[:, 2:], POISON), "rows after it")


def test_where_nothing_was_measured_all_that_may_run_share_alike() -> None:
    """No signals at all: equal parts among the two that are neither cold nor suspended."""
    policy = Policy([0.0, 0.0, 0.0])
    policy.control[layout.REFUSAL, 1] = 3.0
    assert policy.refresh(100) == [0.5, 0.0, 0.5]
