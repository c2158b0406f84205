"""Where audits cut: as many places as asked for, everywhere, and where something happens."""

from __future__ import annotations

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.cuts import cut_places
from barstep.engine.tracks import Track


@pytest.fixture(scope="module")
def bars() -> Bars:
    """Two years of hours."""
    return bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")


def test_cuts_are_spread_over_all(bars: Bars) -> None:
    """They rise, begin where they may, are no more than asked for, and no tenth of the history is without one."""
    places = cut_places(bars, [], 60, 100, np.random.default_rng(0))
    assert (np.diff(places) > 0).all()
    assert places[0] >= 100
    assert (np.histogram(places, bins=10, range=(100, len(bars)))[0] > 0).all()
    assert 50 <= len(places) <= 60


def test_as_many_as_there_are_bars_cuts_after_each(bars: Bars) -> None:
    """Then every bar from the first allowed one on is a cut; with none allowed there is none."""
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(cut_places(bars, [], len(bars), 5, rng), np.arange(5, len(bars)))
    assert cut_places(bars, [], 10, len(bars), rng).size == 0


def test_both_sides_of_a_jump_are_cut(bars: Bars) -> None:
    """An output that changes at one bar only is cut before and after that bar."""
    rare = np.zeros(len(bars))
    rare[7777:] = 1.0
    track = Track(name="t", known_us=bars.closes_us, columns={"rare": rare})
    places = cut_places(bars, [track], 120, 1, np.random.default_rng(0))
    assert {7777, 7778} <= set(places.tolist())
