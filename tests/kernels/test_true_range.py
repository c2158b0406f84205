"""True range and its average: what holds beside the contract."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import recurrences, true_range
from contract import assert_close, assert_same_bits
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel

# TA-Lib 0.6 on `made_up_bars`: ATR(14) of bars 14, 15, 27 and 39, ATR(2) of bars 2 to 4, TRANGE of bars 1 to 5.
ATR_14 = [24.3125, 22.736607142857142, 24.385521719182048, 27.160636813052207]
ATR_2 = [12.4375, 17.28125, 9.890625]
TRANGE = [3.5, 21.375, 22.125, 2.5, 21.125]


def ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    out = np.full(close.size, 1e300)
    true_range.true_range(high, low, close, out, 0, close.size)
    return out


def average(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    out = np.full(close.size, 1e300)
    true_range.atr(high, low, close, window, np.zeros(true_range.ATR_CARRY), out, 0, close.size)
    return out


def made_up_bars() -> tuple[Floats, Floats, Floats]:
    bar = np.arange(40.0)
    close = 100.0 + 7.0 * ((bar * 13) % 11) - 3.0 * ((bar * 5) % 7) + bar / 8.0
    return close + 1.0 + ((bar * 3) % 5) / 4.0, close - 1.0 - ((bar * 7) % 4) / 4.0, close


def test_a_gap_counts() -> None:
    """Over a gap the range reaches from the close before, up or down; inside a bar it is high less low."""
    high = np.array([11.0, 11.0, 21.0, 6.0])
    low = np.array([9.0, 9.0, 19.0, 5.0])
    close = np.array([10.0, 10.0, 20.0, 5.5])
    got = ranges(high, low, close)
    assert np.isnan(got[0])
    assert got[1:].tolist() == [2.0, 11.0, 15.0]


def test_agrees_with_ta_lib() -> None:
    """The values are those of TA-Lib 0.6 (ATR 14, 2 and 1, and TRANGE), from its first to the last."""
    bars = made_up_bars()
    got = average(*bars, 14)
    assert np.isnan(got[:14]).all()
    assert_close(got[[14, 15, 27, 39]], np.array(ATR_14), 1e-14)
    assert_close(average(*bars, 2)[2:5], np.array(ATR_2), 1e-14)
    assert_same_bits(average(*bars, 1), ranges(*bars), "over one bar")
    assert_close(ranges(*bars)[1:6], np.array(TRANGE), 1e-15)


@pytest.mark.parametrize("window", [1, 2, 14])
def test_is_wilders_average_of_the_true_range(window: int) -> None:
    """The fused pass gives the bits of the two kernels one after the other."""
    bars = walk(300)
    ranged = ranges(bars.high, bars.low, bars.close)
    expected = np.full(len(bars), 1e300)
    recurrences.wilder(ranged, window, np.zeros(recurrences.SMOOTHED_CARRY), expected, 0, len(bars))
    assert_same_bits(average(bars.high, bars.low, bars.close, window), expected, "fused")


@pytest.mark.parametrize("column", ["high", "low", "close"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_missing_price_costs_only_its_bars(column: str, value: float) -> None:
    """A missing high or low takes its own bar's range, a missing close the next one's; the average goes on."""
    bars, at = walk(60), 30
    whole = ranges(bars.high, bars.low, bars.close)
    getattr(bars, column)[at] = value
    got = ranges(bars.high, bars.low, bars.close)
    lost = at + 1 if column == "close" else at
    assert np.flatnonzero(np.isnan(got)).tolist() == [0, lost]
    kept = np.arange(60) != lost
    assert_same_bits(got[kept], whole[kept], "other bars")
    averaged = average(bars.high, bars.low, bars.close, 5)
    assert np.flatnonzero(np.isnan(averaged)).tolist() == [0, 1, 2, 3, 4, lost]


def test_flat_bars_have_no_range() -> None:
    """Where no price moves the range is zero and so is its average."""
    flat = np.full(30, 50_000.0)
    assert (ranges(flat, flat, flat)[1:] == 0.0).all()
    assert (average(flat, flat, flat, 5)[5:] == 0.0).all()
