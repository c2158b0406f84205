"""What many noisy times of one thing say: the least of each block of rounds, and how far the blocks agree.

Whatever else runs on a machine only adds to a time: it interrupts, empties caches, takes half of a core. So the least
of many short times is near the time by itself, also where both cores are busy. The rounds are dealt to eight blocks in
turn, so that each has its share of every phase of the load. The median of the blocks' ratios is the estimate; least and
greatest of them hold the median of such ratios with a chance of 1 - 2 · 2⁻⁸ = 99.2 % (the sign test's bounds; Conover,
Practical Nonparametric Statistics, 3rd ed., 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BLOCKS = 8


class Least:
    """The least time of each block."""

    def __init__(self) -> None:
        self._blocks = np.full(BLOCKS, np.inf)
        self.rounds = 0

    def add(self, nanoseconds: float) -> None:
        """Take the time of the next round."""
        block = self.rounds % BLOCKS
        self._blocks[block] = min(self._blocks[block], nanoseconds)
        self.rounds += 1

    def over(self, other: Least) -> Estimate:
        """The ratio to another time, block by block."""
        return _estimate(self._blocks / other._blocks)

    @property
    def nanoseconds(self) -> Estimate:
        """The time itself."""
        return _estimate(self._blocks)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its bounds: least, median and greatest of the blocks."""

    low: float
    middle: float
    high: float

    def over(self, limit: float) -> bool | None:
        """Whether it is over a limit; None where the blocks do not agree."""
        if self.high <= limit:
            return False
        return True if self.low > limit else None


def _estimate(blocks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Estimate:
    return Estimate(low=float(blocks.min()), middle=float(np.median(blocks)), high=float(blocks.max()))
