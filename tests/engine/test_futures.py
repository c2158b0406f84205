"""Other futures: the past stays as it was, and what comes after it is bars that are fit to trade on."""

from __future__ import annotations

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.futures import CHANGES, Change, changed_from
from barstep.kernels.columns import CLOSE, OPEN, VOLUME


@pytest.fixture(scope="module")
def bars() -> Bars:
    """Two hundred hours."""
    whole = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    columns = (row[:200] for row in whole.values[:5])
    return Bars.from_arrays(whole.ts_us[:200], *columns, interval_seconds=whole.interval_seconds, symbol="S", venue="V")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
@pytest.mark.parametrize("place", [0, 1, 57, 199])
def test_the_past_stays_and_the_future_does_not(bars: Bars, change: Change, place: int) -> None:
    """Bars before the cut are the same bits, returns included; from it on bars differ, and `Bars` takes them."""
    other = changed_from(bars, int(bars.ts_us[place]), change, np.random.default_rng(place))
    assert (other.symbol, other.venue, other.interval_seconds) == ("S", "V", 3600)
    np.testing.assert_array_equal(other.values[:, :place], bars.values[:, :place])
    np.testing.assert_array_equal(other.ts_us[:place], bars.ts_us[:place])
    if change.name == "removed":
        assert len(other) == place
    elif change.name == "thinned":
        assert len(other) <= 200
    elif not (change.name == "reversed" and place == 199):  # one bar in reverse order is itself
        assert len(other) == 200
        assert (other.values[CLOSE, place:] != bars.values[CLOSE, place:]).any()


def test_one_change_keeps_the_first_open(bars: Bars) -> None:
    """Only that open is kept, and nothing else of its bar."""
    (change,) = [change for change in CHANGES if change.keeps_open]
    other = changed_from(bars, int(bars.ts_us[80]), change, np.random.default_rng(0))
    assert other.values[OPEN, 80] == bars.values[OPEN, 80]
    assert (other.values[1:, 80] != bars.values[1:, 80]).all()
    assert other.values[OPEN, 81] != bars.values[OPEN, 81]


def test_an_instant_after_the_last_bar_changes_nothing(bars: Bars) -> None:
    """The same bars come back."""
    assert changed_from(bars, int(bars.closes_us[-1]), CHANGES[0], np.random.default_rng(0)) is bars


def test_missing_volume_stays_missing(bars: Bars) -> None:
    """Where a source has no volume a made-up future has none to compare with either."""
    without = Bars.from_arrays(bars.ts_us, *bars.values[:4], interval_seconds=3600)
    for change in CHANGES:
        if change.name != "shocked":
            other = changed_from(without, int(bars.ts_us[50]), change, np.random.default_rng(1))
            assert np.isnan(other.values[VOLUME]).all()
