"""Probability of backtest overfitting: noise, an edge, and a plain walk over the whole matrix of returns."""

from __future__ import annotations

import math
from itertools import combinations

import barstep as bs
import numpy as np
import pytest
from barstep.engine.bars import Bars
from barstep.engine.overfitting import Overfitting, block_moments, cross_validate, sharpe_by_row
from barstep.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import bars_of, walk_bars
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def random_strategies(rows: int, bars: int, rng: np.random.Generator) -> Floats:
    """Bar returns [row, bar] of strategies that hold long, short or nothing at random, on one market of noise."""
    market = rng.normal(0.0, 0.01, bars)
    return rng.integers(-1, 2, (rows, bars)) * market


def judged(returns: Floats, blocks: int = 16) -> Overfitting:
    return cross_validate(*block_moments(returns, blocks))


def plain_walk(returns: Floats, blocks: int) -> tuple[Floats, Floats, Floats]:
    """Both Sharpe ratios and the relative rank of the chosen row of each split, from the joined returns themselves."""
    parts = [returns[:, k * len(returns[0]) // blocks : (k + 1) * len(returns[0]) // blocks] for k in range(blocks)]
    inside, outside, ranks = [], [], []
    for bits in range(1 << blocks):
        if bits.bit_count() * 2 != blocks:
            continue
        seen = np.concatenate([part for k, part in enumerate(parts) if bits >> k & 1], axis=1)
        unseen = np.concatenate([part for k, part in enumerate(parts) if not bits >> k & 1], axis=1)
        scores, others = (half.mean(axis=1) / half.std(axis=1, ddof=1) for half in (seen, unseen))
        best = int(np.argmax(scores))
        rank = 1 + sum(other < others[best] for other in others)
        inside.append(scores[best])
        outside.append(others[best])
        ranks.append(rank / (len(returns) + 1))
    return np.array(inside), np.array(outside), np.array(ranks)


@given(rows=st.integers(2, 12), blocks=st.sampled_from([2, 4, 8]), bars=st.integers(40, 90), seed=st.integers(0, 999))
def test_agrees_with_a_plain_walk(rows: int, blocks: int, bars: int, seed: int) -> None:
    """From moments of blocks comes what the whole matrix of returns gives, also where blocks differ in length."""
    returns = np.random.default_rng(seed).standard_t(3, (rows, bars)) * 0.01
    got = judged(returns, blocks)
    inside, outside, ranks = plain_walk(returns, blocks)
    np.testing.assert_allclose(got.in_sample, inside, rtol=0, atol=1e-13)
    np.testing.assert_allclose(got.out_of_sample, outside, rtol=0, atol=1e-13)
    np.testing.assert_allclose(got.relative_rank, ranks, rtol=1e-15)
    assert got.probability == np.mean([math.log(rank / (1.0 - rank)) <= 0.0 for rank in ranks])
    assert got.probability_of_loss == np.mean(outside < 0.0)


def test_noise_is_overfitted() -> None:
    """Over 50 sweeps of random strategies on noise the probability averages 0.40 to 0.60, with 16 blocks each."""
    found = [judged(random_strategies(20, 640, np.random.default_rng(seed))).probability for seed in range(50)]
    assert 0.40 <= float(np.mean(found)) <= 0.60


def test_an_edge_is_not_overfitted() -> None:
    """With one that really earns among them the probability is at most 0.05, and that one is chosen."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        returns = random_strategies(20, 640, rng)
        returns[7] += 0.0025
        got = judged(returns)
        assert got.probability <= 0.05
        assert np.mean(got.chosen == 7) > 0.95
        assert got.probability_of_loss < 0.01


def test_splits_are_all_halves() -> None:
    """16 blocks can be halved in 12,870 ways, and each half is judged by the other."""
    got = judged(random_strategies(3, 64, np.random.default_rng(1)))
    assert got.chosen.shape == (12_870,)
    assert got.to_dict()["splits"] == len(list(combinations(range(16), 8)))


def test_many_rows_in_pieces() -> None:
    """More rows than are taken at once: the best is found wherever it stands, and ranked among all."""
    returns = random_strategies(1500, 32, np.random.default_rng(2))
    returns[1400] = 0.01 + 1e-4 * returns[1400]
    got = judged(returns, 4)
    assert (got.chosen == 1400).all()
    np.testing.assert_allclose(got.relative_rank, 1500 / 1501)
    np.testing.assert_allclose(judged(returns[::-1].copy(), 4).chosen, 99)


def test_rows_that_are_all_alike_share_the_middle() -> None:
    """Where every row is the same nothing can be told apart: all ranks are the middle."""
    got = judged(np.tile(random_strategies(1, 40, np.random.default_rng(3)), (5, 1)), 4)
    assert (got.logits == 0.0).all()
    assert got.probability == 1.0


def test_the_line_of_degradation() -> None:
    """Intercept, slope and R² are those of least squares."""
    got = judged(random_strategies(12, 320, np.random.default_rng(4)), 8)
    slope, intercept = np.polyfit(got.in_sample, got.out_of_sample, 1)
    told = got.degradation
    assert told[0] == pytest.approx(intercept)
    assert told[1] == pytest.approx(slope)
    assert told[2] == pytest.approx(np.corrcoef(got.in_sample, got.out_of_sample)[0, 1] ** 2)


def test_the_ratio_of_a_row_is_that_of_its_returns() -> None:
    """Merged over the blocks it is what the whole row gives; a row that never traded has 0."""
    returns = random_strategies(5, 101, np.random.default_rng(6))
    returns[3] = 0.0
    got = sharpe_by_row(*block_moments(returns, 8))
    told = [row.mean() / row.std(ddof=1) if row.any() else 0.0 for row in returns]
    np.testing.assert_allclose(got, told, rtol=1e-12)


def test_rows_without_deviation() -> None:
    """Rows that never trade have a ratio of 0 and no line; constant gains are infinitely good, and still no line."""
    idle = judged(np.zeros((3, 40)), 4)
    assert (idle.in_sample == 0.0).all()
    assert all(math.isnan(value) for value in idle.degradation)
    gains = np.zeros((3, 40))
    gains[1] = 0.5
    got = judged(gains, 4)
    assert (got.chosen == 1).all()
    assert np.isinf(got.in_sample).all()
    assert math.isnan(got.to_dict()["degradation_slope"])


def spoilt(name: str, value: float) -> tuple[Floats, Floats, Floats]:
    """Good moments of 3 rows and 4 blocks, but for row 2, block 1."""
    moments = dict(zip(("counts", "means", "squares"), block_moments(np.ones((3, 40)), 4), strict=True))
    moments[name][2, 1] = value
    return moments["counts"], moments["means"], moments["squares"]


@pytest.mark.parametrize(
    ("moments", "text"),
    [
        (spoilt("means", math.nan), "the mean of row 2, block 1 is nan; it must be a number"),
        (spoilt("squares", -1.0), "the sum of squares of row 2, block 1 is -1; it must be 0 or more"),
        (spoilt("squares", math.inf), "the sum of squares of row 2, block 1 is inf"),
        (spoilt("counts", 1.0), "the count of row 2, block 1 is 1; it must be 2 bars or more"),
        (block_moments(np.ones((1, 40)), 4), "there are 1 rows; nothing is chosen from fewer than 2"),
        (block_moments(np.ones((2, 40)), 5), "there are 5 blocks; allowed is an even number from 2 to 20"),
        (block_moments(np.ones((2, 80)), 22), "there are 22 blocks"),
        ((10.0, np.ones(4), np.ones(4)), "both must be .row, block."),
    ],
)
def test_refusals(moments: tuple[Floats, Floats, Floats], text: str) -> None:
    """What cannot be judged is refused in one line that says where it is."""
    with pytest.raises(UsageError, match=text):
        cross_validate(*moments)


def swept(bars: Bars, axes: dict[str, list[float]], **fixed: float) -> Overfitting:
    """Cross-validation of the sweep of an engine, by what it keeps of its rows."""
    found = bs.sweep(bars, "mean_reversion", axes, slices=16, metrics=["total_return_pct"], **fixed)
    return cross_validate(*(np.ascontiguousarray(part) for part in np.moveaxis(found.slice_moments, 2, 0)))


def test_sweeps_of_an_engine_on_noise_are_overfitted() -> None:
    """Over 50 random walks the probability of an engine's sweep averages 0.40 to 0.60 too, alike as its sets are."""
    axes: dict[str, list[float]] = {"lookback": [10, 20, 40, 80], "entry_zscore": [0.5, 1.0, 1.5, 2.0]}
    found = [swept(walk_bars(1600, seed), axes, fee_bps=0.0).probability for seed in range(50)]
    assert 0.40 <= float(np.mean(found)) <= 0.60


def test_a_sweep_that_can_earn_is_not_overfitted() -> None:
    """In markets that come back, sets that fade the excursion are told from those that wait too long."""
    axes: dict[str, list[float]] = {"lookback": [10, 20, 40, 80], "entry_zscore": [0.5, 1.0, 2.5, 4.0]}
    for seed in range(5):
        away = np.zeros(2200)
        for k, step in enumerate(np.random.default_rng(seed).standard_normal(2199) * 0.01):
            away[k + 1] = 0.9 * away[k] + step
        assert swept(bars_of(100.0 * np.exp(away)), axes, fee_bps=0.0).probability <= 0.05
