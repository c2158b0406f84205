"""Shares of capital over raw arrays: every operation against a plain loop over groups, poisoned outputs, the carry."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from barstep.kernels import capital
from barstep.kernels.capital import MAY_RUN, NONE
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

NAN, INF = float("nan"), float("inf")
X, Y, MASK, RESULT = 1, 2, 3, 4
Row = tuple[int, ...]


class Run:
    """One call over schedules with two metrics, a mask, and groups inside outer groups."""

    def __init__(
        self,
        rows: Sequence[Row],
        x: Sequence[float],
        y: Sequence[float] | None = None,
        *,
        may_run: Sequence[bool] | None = None,
        mask: Sequence[float] | None = None,
        groups: Sequence[Sequence[int]] | None = None,
        constants: Sequence[float] = (),
        carry: Floats | None = None,
    ) -> None:
        n = len(x)
        self.registers = np.full((RESULT + len(rows), n), POISON)
        self.registers[MAY_RUN] = 1.0 if may_run is None else may_run
        self.registers[X], self.registers[Y] = x, x if y is None else y
        self.registers[MASK] = 0.0 if mask is None else mask
        inputs = self.registers[:RESULT].copy()
        partitions = np.zeros((1, n), dtype=np.int64) if groups is None else np.array([[0] * n, *groups])
        self.carry = np.zeros((1, n)) if carry is None else carry.copy()
        weights = np.full(n + 1, POISON)
        program = np.array(rows, dtype=np.int64)
        scratch = np.full((capital.SCRATCH, n), POISON)
        capital.allocate(
            program, np.array([*constants, POISON]), partitions, self.registers, self.carry, scratch, weights[:n]
        )
        assert_same_bits(self.registers[:RESULT], inputs, "inputs")
        assert_same_bits(weights[n:], np.array([POISON]), "beyond the weights")
        assert_same_bits(weights[:n], self.registers[RESULT + len(rows) - 1], "weights")
        self.weights = weights[:n]


def row(operation: int, *, a: int = X, b: int = Y, group: int = 0, outer: int = 0, k: int = 0, to: int = RESULT) -> Row:
    return (operation, to, a, b, group, outer, k)


def known(value: float) -> bool:
    return math.isfinite(value)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, list[float]]:
    """Metrics with holes, schedules that may not run, and two partitions, the second finer than the first."""
    n = draw(st.integers(1, 9))
    number = st.one_of(st.sampled_from([0.0, NAN, INF, -INF, -1.0, 1.0]), st.floats(0.01, 50.0))
    column = st.lists(number, min_size=n, max_size=n)
    outer = draw(st.lists(st.integers(0, min(2, n - 1)), min_size=n, max_size=n))
    inner = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    numbers: dict[tuple[int, int], int] = {}
    pairs = [numbers.setdefault(pair, len(numbers)) for pair in zip(outer, inner, strict=True)]
    run = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return {"x": draw(column), "y": draw(column), "may_run": run, "outer": outer, "inner": pairs}


def scores_of(case: dict[str, list[float]], score: Callable[[int, list[int]], float]) -> list[float]:
    """A score for each schedule that may run, given it and those of its outer group that may."""
    n = len(case["x"])
    running = [s for s in range(n) if case["may_run"][s]]
    peers = [[p for p in running if case["outer"][p] == case["outer"][s]] for s in range(n)]
    return [min(max(score(s, peers[s]), 0.0), 1e300) if s in running else 0.0 for s in range(n)]


def run_row(case: dict[str, list[float]], operation: int, constants: Sequence[float] = ()) -> Floats:
    groups = [case["outer"], case["inner"]]
    return Run(
        [row(operation, group=1)],
        case["x"],
        case["y"],
        may_run=case["may_run"],
        groups=groups,
        constants=constants,
    ).weights


@given(cases())
def test_risk_parity_is_the_inverse_of_the_first_volatility_that_is_one(case: dict[str, list[float]]) -> None:
    """What has no volatility over 0 gets the median of its group's others; a group without any is even."""

    def volatility(s: int) -> float | None:
        return next((v for v in (case["x"][s], case["y"][s]) if known(v) and v > 0.0), None)

    def score(s: int, peers: list[int]) -> float:
        others = [found for p in peers if (found := volatility(p)) is not None]
        own = volatility(s)
        return 1.0 / (own if own is not None else statistics.median(others) if others else 1.0)

    np.testing.assert_allclose(run_row(case, capital.RISK_PARITY), scores_of(case, score), rtol=1e-15)


@given(cases())
def test_the_nearer_to_the_target_the_higher_the_score(case: dict[str, list[float]]) -> None:
    """1/(1 + |r|/100); a missing r is the median distance of the group's others."""

    def score(s: int, peers: list[int]) -> float:
        others = [abs(case["x"][p]) for p in peers if known(case["x"][p])]
        own = case["x"][s]
        return 1.0 / (1.0 + (abs(own) if known(own) else statistics.median(others) if others else 1.0) / 100.0)

    np.testing.assert_allclose(run_row(case, capital.NEAR_TARGET), scores_of(case, score), rtol=1e-15)


@given(cases())
def test_a_product_with_something_missing_is_nothing(case: dict[str, list[float]]) -> None:
    """So is a product under 0."""
    score = scores_of(
        case, lambda s, _: case["x"][s] * case["y"][s] if known(case["x"][s]) and known(case["y"][s]) else 0.0
    )
    np.testing.assert_array_equal(run_row(case, capital.MULTIPLY), score)


@given(cases(), st.floats(0.0, 1.0), st.floats(0.0, 2.0))
def test_the_guard_takes_off_by_drawdown_and_pressure(
    case: dict[str, list[float]], least: float, weight: float
) -> None:
    """From 5 to 20 percent the ramp goes from 0 to 1; what is missing takes nothing off."""

    def score(s: int, _: list[int]) -> float:
        drawdown, pressure = (value if known(value) else 0.0 for value in (case["x"][s], case["y"][s]))
        ramp = 0.0 if drawdown <= 5.0 else 1.0 if drawdown >= 20.0 else (drawdown - 5.0) / 15.0
        return max(least, 1.0 - min(1.0, ramp + weight * pressure))

    out = run_row(case, capital.GUARD, (5.0, 20.0, weight, least))
    np.testing.assert_allclose(out, scores_of(case, score), rtol=1e-14, atol=1e-15)


@given(cases())
def test_metrics_are_clamped_weighed_and_added(case: dict[str, list[float]]) -> None:
    """Two times x between 1 and 10, less a half of y, which counts as 3 where it is missing."""

    def score(s: int, _: list[int]) -> float:
        first = 2.0 * min(max(case["x"][s], 1.0), 10.0) if known(case["x"][s]) else 0.0
        return first - 0.5 * (case["y"][s] if known(case["y"][s]) else 3.0)

    constants = (2.0, 7.0, X, 2.0, 1.0, 10.0, NAN, Y, -0.5, -INF, INF, 3.0)
    np.testing.assert_allclose(run_row(case, capital.METRICS, constants), scores_of(case, score), rtol=1e-14)


@given(cases())
def test_without_any_metric_the_default_score_counts(case: dict[str, list[float]]) -> None:
    """Where x is missing and has no default, the score is 7."""
    score = scores_of(case, lambda s, _: case["x"][s] if known(case["x"][s]) else 7.0)
    np.testing.assert_array_equal(run_row(case, capital.METRICS, (1.0, 7.0, X, 1.0, -INF, INF, NAN)), score)


@given(cases(), st.booleans())
def test_every_group_is_brought_to_sum_one(case: dict[str, list[float]], has_fallback: bool) -> None:
    """Where its scores are all 0 it takes the other register, or equal parts."""
    run = case["may_run"]
    scores = [abs(v) if known(v) and r else 0.0 for v, r in zip(case["x"], run, strict=True)]
    other = [5.0 if r else 0.0 for r in run]
    b = Y if has_fallback else NONE
    groups = [case["outer"], case["inner"]]
    found = Run([row(capital.NORMALISE, b=b, group=2)], scores, other, may_run=run, groups=groups).weights
    for number in set(case["inner"]):
        members = [s for s in range(len(scores)) if case["inner"][s] == number and run[s]]
        total = math.fsum(scores[s] for s in members)
        for s in members:
            want = scores[s] / total if total else 5.0 if has_fallback else 1.0 / len(members)
            assert found[s] == pytest.approx(want, abs=1e-15)
    assert all(found[s] == 0.0 for s in range(len(scores)) if not run[s])


@given(cases(), st.floats(0.0, 1.0), st.sampled_from([0.0, 1.0]))
def test_shares_follow_budgets_and_keep_to_the_floor(
    case: dict[str, list[float]], floor: float, without: float
) -> None:
    """Shares are the larger of the floor and one multiple of the budget, and sum to 1 in each outer group."""
    run, inner, outer = case["may_run"], case["inner"], case["outer"]
    budget = {g: abs(v) if known(v) else 0.0 for g, v in zip(inner, case["x"], strict=True)}
    column = [budget[g] for g in inner]
    operation = row(capital.SHARE, group=2, outer=1)
    found = Run([operation], column, may_run=run, groups=[outer, inner], constants=(floor, without)).weights
    for o in set(outer):
        present = sorted({inner[s] for s in range(len(inner)) if outer[s] == o and run[s]}, key=lambda g: budget[g])
        want = dict.fromkeys(present, without / max(len(present), 1))
        if sum(budget[g] for g in present) > 0.0 or (floor > 0.0 and present):
            want = filled(present, budget, floor, without)
        for s in range(len(inner)):
            if outer[s] == o:
                assert found[s] == (pytest.approx(want[inner[s]], abs=1e-14) if run[s] else 0.0)


def filled(present: list[int], budget: dict[int, float], floor: float, without: float) -> dict[int, float]:
    """Raise the fewest of the least that must be; `present` is sorted by budget."""
    total = sum(budget[g] for g in present)
    budgets = [budget[g] / total if total else without / len(present) for g in present]
    least = min(floor, 1.0 / len(present))
    for count in range(len(present)):
        rest = sum(budgets[count:])
        scale = (1.0 - count * least) / rest if rest else 0.0
        if count == 0 and budgets[0] >= least:
            return dict(zip(present, budgets, strict=True))
        if count and budgets[count] * scale >= least:
            return dict(zip(present, [least] * count + [b * scale for b in budgets[count:]], strict=True))
    return dict.fromkeys(present, least)


def test_a_mix_begins_with_its_first_part() -> None:
    """A quarter of x and three quarters of y."""
    rows = [
        row(capital.MIX, a=NONE, b=X, k=0),
        row(capital.MIX, a=RESULT, b=Y, k=1, to=RESULT + 1),
    ]
    assert Run(rows, [1.0, 0.0], [0.0, 1.0], constants=(0.25, 0.75)).weights.tolist() == [0.25, 0.75]


def test_a_mask_chooses() -> None:
    """Where it is not 0 the second register is taken."""
    found = Run([row(capital.CHOOSE, k=MASK)], [1.0, 2.0], [3.0, 4.0], mask=[0.0, 1.0])
    assert found.weights.tolist() == [1.0, 4.0]


def test_a_moving_average_begins_with_its_base_and_is_kept_in_the_carry() -> None:
    """0.8 becomes 0.35 × 0.2 + 0.65 × 0.8 = 0.59."""
    smooth = [row(capital.SMOOTH, b=0)]
    first = Run(smooth, [0.8, 0.2], constants=(0.35, 0.0))
    assert first.weights.tolist() == [0.8, 0.2]
    second = Run(smooth, [0.2, 0.8], constants=(0.35, 0.0), carry=first.carry)
    assert second.weights.tolist() == pytest.approx([0.59, 0.41], abs=1e-15)
    assert_same_bits(second.carry[0], second.weights, "carry")


def test_a_share_that_would_move_too_little_stays() -> None:
    """Half of 0.1 is under 0.06: nothing moves. Half of 0.2 is not."""
    smooth, carry = [row(capital.SMOOTH, b=0)], np.array([[0.5, 0.5]])
    assert Run(smooth, [0.6, 0.4], constants=(0.5, 0.06), carry=carry).weights.tolist() == [0.5, 0.5]
    assert Run(smooth, [0.7, 0.3], constants=(0.5, 0.06), carry=carry).weights.tolist() == [0.6, 0.4]


def test_one_that_had_nothing_is_not_held_back() -> None:
    """It comes in with alpha × base, however little that is: 0.1 × 0.2 = 0.02 beside the 0.98 of the other."""
    found = Run([row(capital.SMOOTH, b=0)], [0.8, 0.2], constants=(0.1, 0.9), carry=np.array([[1.0, 0.0]]))
    assert found.weights.tolist() == pytest.approx([1.0 / 1.02, 0.02 / 1.02], abs=1e-15)


def test_what_may_not_run_has_nothing_and_loses_its_memory() -> None:
    """Its share goes to the others, and it begins again from 0."""
    found = Run(
        [row(capital.SMOOTH, b=0)],
        [1.0, 0.0],
        may_run=[True, False],
        constants=(0.5, 0.0),
        carry=np.array([[0.5, 0.5]]),
    )
    assert found.weights.tolist() == [1.0, 0.0]
    assert found.carry.tolist() == [[1.0, 0.0]]


def test_the_largest_numbers_do_not_overflow() -> None:
    """Three scores of infinity are three equal ones."""
    rows = [row(capital.RISK_PARITY), row(capital.NORMALISE, a=RESULT, b=NONE, to=RESULT + 1)]
    assert Run(rows, [5e-324] * 3).weights.tolist() == [1.0 / 3.0] * 3


def test_no_schedule_is_no_weight() -> None:
    """A table without schedules is allowed."""
    assert Run([row(capital.NORMALISE, b=NONE)], []).weights.tolist() == []
