"""The venue against one by other reasoning, which walks every path that a bar allows."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import account, venue
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from numpy.typing import NDArray
from venues import follow, rules_of
from walked import Levels, walk

pytestmark = pytest.mark.unit_kernel


@st.composite
def roads(draw: st.DrawFn) -> tuple[Floats, Floats, NDArray[np.int64], Levels]:
    """Bars on a coarse grid, so that prices meet levels exactly; wishes of all, nothing, or all of it short; levels."""
    n = draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grid = draw(st.sampled_from([0.01, 0.5, 1.0]))
    close = 100.0 + np.cumsum(rng.normal(0.0, 1.5, n))
    opening = np.concatenate((close[:1], close[:-1])) + rng.normal(0.0, 1.0, n) * (rng.random(n) < 0.3)
    high = np.maximum(opening, close) + rng.exponential(1.0, n)
    low = np.minimum(opening, close) - rng.exponential(1.0, n)
    bars = np.round(np.stack((opening, high, low, close)) / grid) * grid
    fresh = rng.choice([-1.0, 0.0, 1.0], n)
    stays = np.maximum.accumulate(np.where(rng.random(n) < 0.25, np.arange(n), 0))
    numbers = np.cumsum(rng.choice([1, 1, 1, 1, 5], n))
    some = st.sampled_from([0.0, 0.01, 0.02, 0.05])
    levels = Levels(
        stop=draw(some), target=draw(some), trail=draw(some), offset=draw(st.sampled_from([0.0, 0.01, 0.02])),
        patience=draw(st.sampled_from([1.0, 3.0])), optimistic=draw(st.booleans()),
    )  # fmt: skip
    return bars, fresh[stays], numbers, levels


@given(road=roads())
def test_agrees_with_a_walk_along_every_path(road: tuple[Floats, Floats, NDArray[np.int64], Levels]) -> None:
    """Fills, money and the number of ambiguous bars are those of the worst (or best) of all possible paths."""
    bars, wishes, numbers, levels = road
    rules = rules_of(
        units=5.0, stop_distance=levels.stop, take_profit_distance=levels.target,
        trail_distance=levels.trail, limit_offset=levels.offset, max_age_bars=levels.patience,
        optimistic=float(levels.optimistic),
    )  # fmt: skip
    columns = np.concatenate((bars, np.full((2, bars.shape[1]), np.nan)))
    got = follow(columns, wishes, rules, numbers=numbers, capital=1e6)
    state, ambiguous = walk(bars.T.tolist(), wishes.tolist(), numbers.tolist(), 5, levels)
    assert got.rows == list(state.fills)
    assert got[account.CASH] - 1e6 == pytest.approx(state.cash, abs=1e-6)
    assert (got[venue.AMBIGUOUS], got[account.LOTS]) == (ambiguous, state.lots)
