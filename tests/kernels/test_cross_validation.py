"""Cross-validation over all halves of some blocks, against the returns themselves and plain loops over the splits."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from barstep.kernels import cross_validation as kernel
from contract import assert_close, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from numpy.typing import NDArray

pytestmark = pytest.mark.unit_kernel

Counts = NDArray[np.int64]
SPARE = 3
"""Places behind each output that must stay as they were."""


def moments_of(returns: list[list[Floats]]) -> Floats:
    """float64[row, BLOCK_MOMENTS, block] of returns by row and block."""
    return np.array(
        [
            [
                [float(block.size) for block in row],
                [math.fsum(block) / block.size for block in row],
                [math.fsum((block - math.fsum(block) / block.size) ** 2) for block in row],
            ]
            for row in returns
        ]
    )


def random_returns(rows: int, blocks: int, seed: int) -> list[list[Floats]]:
    """Returns by row and block; blocks are of different lengths, the last row repeats the first."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 9, blocks)
    some = [[rng.normal(rng.normal(0.0, 0.5), 1.0, n) for n in lengths] for _ in range(rows - 1)]
    return [*some, some[0]]


def splits_of(blocks: int) -> list[tuple[int, ...]]:
    """Blocks in sample of each split, in the order of their bits."""
    return sorted(combinations(range(blocks), blocks // 2), key=lambda split: sum(1 << block for block in split))


def sharpe(returns: list[Floats]) -> float:
    joined = np.concatenate(returns).astype(np.longdouble)
    mean = joined.mean()
    return float(mean / np.sqrt(((joined - mean) ** 2).sum() / (joined.size - 1)))


def run(moments: Floats, cuts: list[int]) -> tuple[Floats, Floats, Counts, Counts, Counts]:
    """Both kernels over all rows, cut before the rows of `cuts`."""
    rows, blocks = moments.shape[0], moments.shape[2]
    splits = math.comb(blocks, blocks // 2)
    scores, counts = np.full((2, splits + SPARE), np.nan), np.zeros((3, splits + SPARE), np.int64)
    counts[0] = -1
    inside, outside, chosen, below, equal = (*scores[:, :splits], *counts[:, :splits])
    for start, stop in pairwise([0, *sorted(cuts), rows]):
        kernel.choose_in_sample(moments, start, stop, inside, outside, chosen)
    for start, stop in pairwise([0, *sorted(cuts), rows]):
        kernel.rank_out_of_sample(moments, start, stop, outside, below, equal)
    assert np.isnan(scores[:, splits:]).all(), "written beyond the splits"
    assert (counts[:, splits:] == [[-1], [0], [0]]).all(), "written beyond the splits"
    return inside, outside, chosen, below, equal


@given(rows=st.integers(2, 7), blocks=st.sampled_from([2, 4, 6]), seed=st.integers(0, 999))
def test_agrees_with_the_returns_themselves(rows: int, blocks: int, seed: int) -> None:
    """Every split's choice, both its scores and its rank are those of the joined returns, in the order of the bits."""
    returns = random_returns(rows, blocks, seed)
    inside, outside, chosen, below, equal = run(moments_of(returns), [])
    for k, split in enumerate(splits_of(blocks)):
        rest = [block for block in range(blocks) if block not in split]
        seen = np.array([sharpe([row[block] for block in split]) for row in returns])
        unseen = np.array([sharpe([row[block] for block in rest]) for row in returns])
        best = int(seen.argmax())
        assert chosen[k] == best, f"split {split}"
        assert_close(np.array([inside[k], outside[k]]), np.array([seen[best], unseen[best]]), 1e-12, 1.0)
        assert below[k] == (unseen < unseen[best]).sum()
        assert equal[k] == (unseen == unseen[best]).sum()


@given(cuts=st.lists(st.integers(0, 9), max_size=4), seed=st.integers(0, 99))
def test_rows_cut_anywhere_give_the_same_bits(cuts: list[int], seed: int) -> None:
    """Rows may come in any number of calls, empty ones included."""
    moments = moments_of(random_returns(9, 4, seed))
    whole, cut = run(moments, []), run(moments, cuts)
    for name, a, b in zip(("in sample", "out of sample", "chosen", "below", "equal"), whole, cut, strict=True):
        assert_same_bits(b.view(np.float64), a.view(np.float64), f"{name}, cut at {cuts}")


def test_a_row_that_did_nothing_scores_nothing() -> None:
    """A row without a return ranks between one that loses and one that earns."""
    nothing, gains = [np.zeros(3)] * 4, [np.array([1.0, 3.0, 2.0])] * 4
    losses = [-block for block in gains]
    inside, outside, chosen, below, equal = run(moments_of([losses, nothing]), [])
    assert (chosen == 1).all()
    assert (inside == 0.0).all()
    assert (outside == 0.0).all()
    assert (below == 1).all()
    assert (equal == 1).all()
    assert (run(moments_of([losses, nothing, gains]), [])[2] == 2).all()


def test_a_return_without_deviation_is_infinitely_good_or_bad() -> None:
    """Always the same gain is over all others, always the same loss under them."""
    steady = [[np.full(4, value)] * 4 for value in (-0.5, 0.5)]
    noise = random_returns(3, 4, 1)
    inside, outside, chosen, below, _ = run(moments_of([*noise, *steady]), [])
    assert (chosen == 4).all()
    assert (inside == np.inf).all()
    assert (outside == np.inf).all()
    assert (below == 4).all()


def test_deviations_survive_a_great_mean() -> None:
    """Where all returns lie about 1e6, deviations of 1 are still told: sums of squares less squares would lose them."""
    rng = np.random.default_rng(5)
    returns = [[1e6 + rng.normal(0.0, 1.0, 50) for _ in range(4)] for _ in range(3)]
    inside, _, chosen, *_ = run(moments_of(returns), [])
    for k, split in enumerate(splits_of(4)):
        seen = [sharpe([row[block] for block in split]) for row in returns]
        assert chosen[k] == int(np.argmax(seen))
        assert inside[k] == pytest.approx(max(seen), rel=1e-8)
