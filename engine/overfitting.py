"""How likely it is that the best of many trials was chosen for its luck: all halves of a history against each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from ..kernels import cross_validation as kernel
from .bars import Floats, Integers

BLOCKS = 16
"""Blocks a history is cut into where nothing else is said: 12,870 splits."""

_MOST_BLOCKS = 20
"""184,756 splits. Four more blocks would make 2.7 million, and say nothing more."""

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class Overfitting:
    """What choosing the best in one half of the blocks came to in the other half, for every way to halve them.

    Attributes:
        rows: Trials that were chosen from.
        blocks: Blocks that the history was cut into.
        chosen: int64[split], the row with the greatest Sharpe ratio in sample.
        in_sample: float64[split], its Sharpe ratio there, per bar.
        out_of_sample: float64[split], its Sharpe ratio out of sample, per bar.
        relative_rank: float64[split], its rank out of sample among all rows, over rows + 1: near 1 is best. Rows that
            do equally well share the middle of their ranks.
    """

    rows: int
    blocks: int
    chosen: Integers
    in_sample: Floats
    out_of_sample: Floats
    relative_rank: Floats

    @cached_property
    def logits(self) -> Floats:
        """float64[split]: log(rank / (1 - rank)) of the relative rank; 0 is the middle of the rows."""
        logits: Floats = np.log(self.relative_rank / (1.0 - self.relative_rank))
        return logits

    @property
    def probability(self) -> float:
        """Probability of backtest overfitting: the share of splits whose chosen row did no better than the middle."""
        return float((self.relative_rank <= 0.5).mean())

    @property
    def probability_of_loss(self) -> float:
        """Share of splits whose chosen row lost out of sample."""
        return float((self.out_of_sample < 0.0).mean())

    @cached_property
    def degradation(self) -> tuple[float, float, float]:
        """Intercept, slope and R² of the line of Sharpe ratios out of sample over those in sample; NaN where all agree.

        The two halves of one history share its whole, so that a slope under 0 is also seen where nothing was chosen.
        """
        finite = np.isfinite(self.in_sample) & np.isfinite(self.out_of_sample)
        x, y = self.in_sample[finite], self.out_of_sample[finite]
        if not x.size or x.min() == x.max():
            return math.nan, math.nan, math.nan
        across, along = x - x.mean(), y - y.mean()
        slope = float((across * along).sum() / (across * across).sum())
        about = float((along * along).sum())
        explained = slope * slope * float((across * across).sum()) / about if about else math.nan
        return float(y.mean()) - slope * float(x.mean()), slope, explained

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values; Sharpe ratios are per bar."""
        intercept, slope, explained = self.degradation
        return {
            "probability_of_backtest_overfitting": self.probability,
            "probability_of_loss": self.probability_of_loss,
            "rows": self.rows,
            "blocks": self.blocks,
            "splits": self.chosen.size,
            "median_logit": float(np.median(self.logits)),
            "degradation_intercept": intercept,
            "degradation_slope": slope,
            "degradation_r_squared": explained,
        }


def cross_validate(counts: ArrayLike, means: ArrayLike, squares: ArrayLike) -> Overfitting:
    """Cross-validate choosing the greatest Sharpe ratio among rows, combinatorially and symmetrically (CSCV).

    Bailey, Borwein, López de Prado and Zhu 2017, J. Computational Finance 20(4), section 2: of S blocks each half is in
    sample once. It takes rows × S moments and memory for C(S, S/2) splits, however many bars there were.

    Args:
        counts: [row, block], bar returns in each block; a row of counts stands for all.
        means: [row, block], their means, as shares.
        squares: [row, block], their sums of squared deviations from these means.

    A row that never earned or lost anything in a half has a Sharpe ratio of 0 there.

    Raises:
        UsageError: Fewer than two rows, an odd number of blocks or too many, blocks of fewer than 2 bars, a number that
            is none.
    """
    means, squares = np.asarray(means, dtype=np.float64), np.asarray(squares, dtype=np.float64)
    counts = np.broadcast_to(np.asarray(counts, dtype=np.float64), means.shape)
    _refuse_bad(counts, means, squares)
    rows, blocks = means.shape
    splits = math.comb(blocks, blocks // 2)
    inside, outside, chosen = np.full(splits, np.nan), np.full(splits, np.nan), np.full(splits, -1)
    for first, moments in _pieces(counts, means, squares):
        piece = np.full(splits, -1)
        kernel.choose_in_sample(moments, 0, moments.shape[0], inside, outside, piece)
        chosen = np.where(piece < 0, chosen, piece + first)
    below, equal = np.zeros(splits, np.int64), np.zeros(splits, np.int64)
    for _, moments in _pieces(counts, means, squares):
        kernel.rank_out_of_sample(moments, 0, moments.shape[0], outside, below, equal)
    return Overfitting(
        rows=rows,
        blocks=blocks,
        chosen=chosen,
        in_sample=inside,
        out_of_sample=outside,
        relative_rank=(below + (equal + 1) / 2.0) / (rows + 1),
    )


def block_moments(returns: ArrayLike, blocks: int = BLOCKS) -> tuple[Floats, Floats, Floats]:
    """Counts, means and sums of squared deviations, each float64[row, block], of bar returns [row, bar].

    Blocks follow each other and differ by a bar at most, as the slices of a sweep do.
    """
    values = np.asarray(returns, dtype=np.float64)
    parts = np.split(values, np.arange(1, blocks) * values.shape[1] // blocks, axis=1)
    means = np.stack([part.mean(axis=1) for part in parts], axis=1)
    squares = np.stack(
        [((part - mean[:, None]) ** 2).sum(axis=1) for part, mean in zip(parts, means.T, strict=True)], axis=1
    )
    counts = np.broadcast_to(np.array([float(part.shape[1]) for part in parts]), means.shape).copy()
    return counts, means, squares


def sharpe_by_row(counts: ArrayLike, means: ArrayLike, squares: ArrayLike) -> Floats:
    """float64[row]: Sharpe ratio per bar (ddof 1) over all blocks; 0 where nothing was earned. As `cross_validate`."""
    means, squares = np.asarray(means, dtype=np.float64), np.asarray(squares, dtype=np.float64)
    counts = np.broadcast_to(np.asarray(counts, dtype=np.float64), means.shape)
    bars = counts.sum(axis=1)
    mean = (counts * means).sum(axis=1) / bars
    variance = (squares + counts * (means - mean[:, None]) ** 2).sum(axis=1) / (bars - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = np.where(mean == 0.0, 0.0, mean / np.sqrt(variance))
    return ratios


def _pieces(counts: Floats, means: Floats, squares: Floats) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Some rows at a time as the kernel reads them, and the number of the first."""
    for first in range(0, means.shape[0], _ROWS_AT_ONCE):
        some = slice(first, first + _ROWS_AT_ONCE)
        yield first, np.stack((counts[some], means[some], squares[some]), axis=1)


def _refuse_bad(counts: Floats, means: Floats, squares: Floats) -> None:
    if means.ndim != 2 or squares.shape != means.shape:
        raise UsageError(f"means are {means.shape} and squares {squares.shape}; both must be [row, block]")
    rows, blocks = means.shape
    if rows < 2:
        raise UsageError(f"there are {rows} rows; nothing is chosen from fewer than 2")
    if blocks % 2 or not 2 <= blocks <= _MOST_BLOCKS:
        raise UsageError(f"there are {blocks} blocks; allowed is an even number from 2 to {_MOST_BLOCKS}")
    for name, values, bad in (
        ("count", counts, ~(counts >= 2.0)),
        ("mean", means, ~np.isfinite(means)),
        ("sum of squares", squares, ~(np.isfinite(squares) & (squares >= 0.0))),
    ):
        if bad.any():
            row, block = (int(place) for place in np.argwhere(bad)[0])
            allowed = {"count": "2 bars or more", "mean": "a number"}.get(name, "0 or more")
            raise UsageError(f"the {name} of row {row}, block {block} is {values[row, block]:g}; it must be {allowed}")
