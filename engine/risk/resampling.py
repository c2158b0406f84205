"""Markets put together from blocks of the recorded one, all instruments and venues at once.

The stationary bootstrap (Politis and Romano 1994, JASA 89(428)): blocks begin anywhere, their lengths are geometric,
and the first bar follows the last. Every draw is of a bar of the whole market, so that what instruments do together,
and what binds neighbouring bars within a block, stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...kernels import bootstrap
from ..bars import MICROSECONDS, Integers
from ..block_length import optimal_block_length
from ..montecarlo import survivals
from .market import AT_CLOSE, Market
from .measures import DAY_US


@dataclass(frozen=True, kw_only=True)
class MarketBlocks:
    """How resampled markets are drawn.

    Attributes:
        market: The recorded market.
        block_bars: Mean length of a block.
        before: Bars before what is measured.
        horizon: Bars that are measured.
        seed: What the draws are made from.
    """

    market: Market
    block_bars: float
    before: int
    horizon: int
    seed: int

    @property
    def begins_us(self) -> int:
        """When what is measured begins: the last midnight (UTC) at which the recorded market has closed."""
        return int(self.market.closes_us[-1]) // DAY_US * DAY_US

    def places(self, path: int) -> Integers:
        """int64[bar]: which recorded bars a path is made of; they depend on seed and path alone."""
        carry, drawn = np.empty(bootstrap.PATH_CARRY), np.empty((bootstrap.DRAWN_ROWS, bootstrap.BLOCKS_AT_ONCE))
        bootstrap.start_path(carry)
        numbers, out = np.arange(len(self.market), dtype=np.float64), np.empty(self.before + self.horizon)
        bootstrap.fill_blocks(
            numbers, numbers.size, self.block_bars, survivals(self.block_bars), self.seed, path, carry, drawn, out
        )
        return out.astype(np.int64)

    def path(self, path: int) -> Market:
        """A market: bars in other order, at the times around the end of the recorded ones."""
        interval_us = self.market.interval_seconds * MICROSECONDS
        first_us = self.begins_us - self.before * interval_us
        times = first_us + interval_us * np.arange(self.before + self.horizon, dtype=np.int64)
        return self.market.resampled(self.places(path), times)


def market_block_bars(market: Market) -> float:
    """The mean length of blocks that keeps quiet and wild times together, in whole bars.

    That of `engine.block_length` for the size of the moves, whose dependence lasts longer than that of the moves
    themselves; the longest over the instruments.
    """
    sizes = (np.abs(leg.ratios[AT_CLOSE] - 1.0) for leg in market.primary.values())
    return float(min(max(math.ceil(optimal_block_length(each).stationary) for each in sizes), len(market)))
