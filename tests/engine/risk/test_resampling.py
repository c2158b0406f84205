"""Resampled markets are drawn by seed and path alone, in blocks, and lie where the recorded one ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from barstep.engine.risk.market import Market
from barstep.engine.risk.measures import DAY_US
from barstep.engine.risk.resampling import MarketBlocks, market_block_bars
from markets import sources

BLOCKS = MarketBlocks(market=Market.of(sources()), block_bars=10.0, before=30, horizon=48, seed=5)


def test_a_path_is_its_number_and_the_seed() -> None:
    """The same twice; another path and another seed are other bars."""
    assert np.array_equal(BLOCKS.places(7), BLOCKS.places(7))
    assert not np.array_equal(BLOCKS.places(7), BLOCKS.places(8))
    assert not np.array_equal(BLOCKS.places(7), replace(BLOCKS, seed=6).places(7))
    assert BLOCKS.places(7).min() >= 0
    assert BLOCKS.places(7).max() < len(BLOCKS.market)


def test_blocks_have_their_mean_length() -> None:
    """A bar follows its neighbour nine times in ten."""
    steps = np.concatenate([np.diff(BLOCKS.places(path)) for path in range(200)])
    follows = (steps == 1) | (steps == 1 - len(BLOCKS.market))
    assert follows.mean() == pytest.approx(0.9, abs=0.02)


def test_every_bar_is_drawn_about_as_often() -> None:
    """Blocks go around the end, so none is rare."""
    counts = np.bincount(np.concatenate([BLOCKS.places(path) for path in range(3_000)]), minlength=len(BLOCKS.market))
    assert counts.min() > 0.6 * counts.mean()
    assert counts.max() < 1.4 * counts.mean()


def test_the_horizon_begins_at_midnight() -> None:
    """The last midnight at which the recorded market has closed; bars follow one another."""
    path = BLOCKS.path(0)
    assert path.ts_us[30] == BLOCKS.begins_us
    assert BLOCKS.begins_us % DAY_US == 0
    assert 0 <= int(BLOCKS.market.closes_us[-1]) - BLOCKS.begins_us < DAY_US
    assert (np.diff(path.ts_us) == 3_600_000_000).all()


def test_blocks_are_as_long_as_wild_times_last() -> None:
    """Moves that come in calm and wild spells of 40 bars ask for longer blocks than moves that do not."""
    recorded = sources(1_000)
    calm = market_block_bars(Market.of(recorded))
    market = Market.of(recorded)
    leg = market.primary["ONE"]
    wild = np.where(np.arange(leg.ratios.shape[1]) // 40 % 2, 3.0, 0.3)
    spelled = replace(leg, ratios=1.0 + wild * (leg.ratios - 1.0))
    assert market_block_bars(replace(market, primary={**market.primary, "ONE": spelled})) > 2 * calm
