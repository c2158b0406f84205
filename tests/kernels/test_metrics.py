"""Bar returns and the statistics of an equity curve, against exact sums and plain loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from barstep.kernels import metrics
from contract import POISON, assert_close, assert_same_bits, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel

BLOCK = metrics.STATISTICS_BLOCK
lengths = st.sampled_from([1, 2, 3, 4, 5, 7, 100, 256, 300, 700, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 3])


def bar_returns(equity: Floats, initial: float) -> Floats:
    out = np.full(equity.size + 1, POISON)
    metrics.bar_returns(equity, initial, out)
    assert bits(out)[-1] == bits(POISON), "written beyond the curve"
    assert not (bits(out[:-1]) == bits(POISON)).any(), "a bar was left out"
    return out[:-1]


def statistics(equity: Floats, initial: float, blocks: Sequence[int] = ()) -> Floats:
    """The carry after the whole curve, cut at these numbers of blocks."""
    carry = np.full(metrics.STATISTICS_CARRY, POISON)
    metrics.start_statistics(initial, carry)
    cuts = [0, *sorted(min(block * BLOCK, equity.size) for block in blocks), equity.size]
    for start, stop in pairwise(cuts):
        scratch = np.full(metrics.STATISTICS_SCRATCH, POISON)
        metrics.advance_statistics(equity[start:stop], scratch, carry)
    return carry


def by_hand(equity: Floats, initial: float) -> Floats:
    """The same by sums without error and one loop over the drawdowns."""
    returns = [after / before - 1.0 if before > 0.0 else 0.0 for before, after in pairwise([initial, *equity])]
    n, mean = len(returns), math.fsum(returns) / len(returns)
    peak, peak_bar, deepest, longest = initial, -1, 1.0, 0
    for bar, value in enumerate(equity):
        if value >= peak:
            longest = max(longest, bar - peak_bar - 1)
            peak, peak_bar = value, bar
        deepest = min(deepest, value / peak)
    expected = np.empty(metrics.STATISTICS_CARRY)
    expected[metrics.RETURNS], expected[metrics.MEAN] = n, mean
    expected[metrics.SQUARES] = math.fsum((r - mean) ** 2 for r in returns)
    expected[metrics.DOWNSIDE_SQUARES] = math.fsum(r * r for r in returns if r < 0.0)
    expected[metrics.GAINS] = math.fsum(r for r in returns if r > 0.0)
    expected[metrics.LOSSES] = -math.fsum(r for r in returns if r < 0.0)
    expected[metrics.DEEPEST], expected[metrics.LONGEST] = deepest, longest
    expected[metrics.BEFORE], expected[metrics.PEAK] = equity[-1], peak
    expected[metrics.AGE] = len(equity) - 1 - peak_bar
    expected[metrics.TOTAL] = math.fsum(equity)
    return expected


def test_known_returns() -> None:
    """The first return is against the money at the start; each is a share of the bar before."""
    assert bar_returns(np.array([110.0, 55.0, 110.0]), 100.0).tolist() == [110.0 / 100.0 - 1.0, -0.5, 1.0]
    assert bar_returns(np.empty(0), 100.0).size == 0


def test_where_nothing_was_left_there_is_no_return() -> None:
    """After a bar at zero or under it, the next return is 0, not infinite."""
    assert bar_returns(np.array([-5.0, 5.0, 0.0, 7.0]), 10.0).tolist() == [-1.5, 0.0, -1.0, 0.0]
    assert bar_returns(np.array([5.0]), 0.0).tolist() == [0.0]


def test_known_statistics() -> None:
    """Of the curve 100, 50, 100, 100, 25, 200: every slot as it is told by hand."""
    got = statistics(np.array([50.0, 100.0, 100.0, 25.0, 200.0]), 100.0)
    returns = [-0.5, 1.0, 0.0, -0.75, 7.0]
    assert got[metrics.RETURNS] == 5.0
    assert got[metrics.MEAN] == pytest.approx(1.35)
    assert got[metrics.SQUARES] == pytest.approx(sum((r - 1.35) ** 2 for r in returns))
    assert got[metrics.DOWNSIDE_SQUARES] == 0.8125
    assert (got[metrics.GAINS], got[metrics.LOSSES]) == (8.0, pytest.approx(1.25))
    assert (got[metrics.DEEPEST], got[metrics.LONGEST]) == (0.25, 1.0)
    assert (got[metrics.BEFORE], got[metrics.PEAK], got[metrics.AGE]) == (200.0, 200.0, 0.0)


def test_a_drawdown_that_is_not_over_has_an_age() -> None:
    """Three bars under the peak at the end are its age, and not yet the length of a drawdown."""
    got = statistics(np.array([100.0, 120.0, 110.0, 90.0, 119.0]), 100.0)
    assert (got[metrics.AGE], got[metrics.LONGEST], got[metrics.DEEPEST]) == (3.0, 0.0, 0.75)


@given(n=lengths, step=st.sampled_from([1e-6, 1e-3, 0.05]), seed=st.integers(0, 99))
def test_agrees_with_exact_sums(n: int, step: float, seed: int) -> None:
    """Every slot is that of sums without rounding, to 1e-12 of what went into it."""
    equity = walk(n, seed, price=1e5, step=step).close
    got, expected = statistics(equity, 1e5), by_hand(equity, 1e5)
    # Σ|r| is the size of the returns' sums; the rounding of a return against 1 is in each of them.
    sums = expected[metrics.GAINS] + expected[metrics.LOSSES] + 1e-16 * n
    of_returns = [0, sums / n, sums * step, sums * step, sums, sums]
    sizes = np.maximum(np.abs(expected), np.array(of_returns + [0] * (expected.size - len(of_returns))))
    assert_close(got, expected, 1e-12, sizes)


@given(n=lengths, blocks=st.lists(st.integers(0, 3), max_size=4))
def test_cuts_at_blocks_give_the_same_bits(n: int, blocks: list[int]) -> None:
    """A curve cut at multiples of the block, empty pieces included, has the statistics of the whole one."""
    equity = walk(n, price=1e5).close
    assert_same_bits(statistics(equity, 1e5, blocks), statistics(equity, 1e5), f"cut at blocks {blocks}")


@given(cuts=st.lists(st.integers(0, 300), max_size=5))
def test_returns_cut_anywhere_give_the_same_bits(cuts: list[int]) -> None:
    """Each piece begins with the equity that the piece before ended with."""
    equity = walk(300, price=1e5).close
    pieces = [
        bar_returns(equity[start:stop], equity[start - 1] if start else 1e5)
        for start, stop in pairwise([0, *sorted(cuts), 300])
    ]
    assert_same_bits(np.concatenate(pieces), bar_returns(equity, 1e5), f"cut at {sorted(cuts)}")


def test_a_flat_curve_has_no_spread() -> None:
    """Where equity never moves, every sum is exactly zero and there is no drawdown."""
    got = statistics(np.full(3000, 1e5), 1e5)
    assert not got[[metrics.MEAN, metrics.SQUARES, metrics.DOWNSIDE_SQUARES, metrics.GAINS, metrics.LOSSES]].any()
    assert (got[metrics.DEEPEST], got[metrics.LONGEST], got[metrics.AGE]) == (1.0, 0.0, 0.0)


def test_an_empty_curve_changes_nothing() -> None:
    """No bars leave the statistics as they were begun."""
    begun = np.zeros(metrics.STATISTICS_CARRY)
    begun[metrics.DEEPEST] = 1.0
    begun[[metrics.BEFORE, metrics.PEAK]] = 1e5
    assert_same_bits(statistics(np.empty(0), 1e5), begun, "carry")
