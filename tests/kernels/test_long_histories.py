"""What only a long history shows: chunks that meet, windows of any length, errors that might grow.

Not among the unit tests of kernels: these would take minutes with the JIT off.
"""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import breakout, extrema, recurrences, returns, true_range
from cases import CASES
from contract import Case, assert_close, assert_same_bits, check_partition, check_reach
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import Columns, walk
from numpy.lib.stride_tricks import sliding_window_view

BARS = 6000


def _with_faults() -> Columns:
    """A walk with stretches of NaN, jumps and single infinities, so that every path of a kernel meets every other."""
    bars = walk(BARS)
    rng = np.random.default_rng(3)
    for column in vars(bars).values():
        for at in rng.integers(0, BARS, 6):
            column[at : at + rng.integers(1, 20)] = np.nan
        column[rng.integers(0, BARS, 3)] = np.inf
        column[rng.integers(0, BARS)] *= 1.5
    return bars


FAULTY = _with_faults()
ORDINARY = walk(BARS)
cuts = st.lists(st.integers(0, BARS), max_size=8)


@pytest.mark.parametrize("case", CASES, ids=str)
@given(cuts=cuts, faulty=st.booleans())
@settings(max_examples=settings().max_examples // 2)
def test_any_cut_gives_the_same_bits(case: Case, cuts: list[int], faulty: bool) -> None:
    """Calls longer and shorter than the kernels' chunks give the bits of one call."""
    check_partition(case, FAULTY if faulty else ORDINARY, cuts)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_past_is_read_no_further_than_promised(case: Case) -> None:
    """Over several chunks, too, a call reads at most `reach` bars before its start."""
    check_reach(case, FAULTY, BARS // 2 + 1)


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511, 1000, 5999, 6000, 6001])
def test_extrema_of_any_window(window: int) -> None:
    """The extremes are those that numpy finds in each window, whichever method the kernel takes."""
    for values in (ORDINARY.close, FAULTY.close):
        for kernel, find in ((extrema.rolling_max, np.max), (extrema.rolling_min, np.min)):
            expected, out = np.full(BARS, np.nan), np.full(BARS, 1e300)
            if window <= BARS:
                expected[window - 1 :] = find(sliding_window_view(values, window), axis=1)
            kernel(values, window, out, 0, BARS)
            assert_same_bits(out, expected, f"{find.__name__} over {window}")


@pytest.mark.parametrize("window", [20, 300, 2500])
def test_breakout_over_several_chunks(window: int) -> None:
    """The sides are those of a comparison with numpy's extremes of the window before."""
    expected, out = np.full(BARS, np.nan), np.full(BARS, 1e300)
    tops = sliding_window_view(ORDINARY.high, window).max(axis=1)[: BARS - window]
    bottoms = sliding_window_view(ORDINARY.low, window).min(axis=1)[: BARS - window]
    expected[window:] = np.sign((ORDINARY.close[window:] > tops) * 1.0 - (ORDINARY.close[window:] < bottoms))
    breakout.breakout(ORDINARY.high, ORDINARY.low, ORDINARY.close, window, out, 0, BARS)
    assert_same_bits(out, expected, "sides")


@pytest.mark.parametrize(("share", "price"), [(2 / 21, 100.0), (1 / 14, 50_000.0), (1e-4, 1e8)])
def test_an_average_does_not_drift(share: float, price: float) -> None:
    """After 200,000 bars the error is still some last bits of the price, over the share."""
    values = walk(200_000, price=price, step=1e-4).close
    out = np.empty(values.size)
    recurrences.ema(values, share, np.zeros(recurrences.SMOOTHED_CARRY), out, 0, values.size)
    level, expected = np.longdouble(values[0]), np.empty(values.size, dtype=np.longdouble)
    for bar, value in enumerate(values):
        level = level + np.longdouble(share) * (np.longdouble(value) - level)
        expected[bar] = level
    assert_close(out, expected, 2.3e-16 * (2.0 + 1.0 / share))


def test_an_average_range_does_not_drift() -> None:
    """The average true range of 50,000 bars is that of longdouble to 1e-13."""
    bars = walk(50_000, price=50_000.0)
    out = np.empty(len(bars))
    true_range.atr(bars.high, bars.low, bars.close, 14, np.zeros(true_range.ATR_CARRY), out, 0, len(bars))
    high, low, before = (x.astype(np.longdouble) for x in (bars.high[1:], bars.low[1:], bars.close[:-1]))
    ranges = np.maximum(high, before) - np.minimum(low, before)
    expected = np.full(len(bars), np.nan, dtype=np.longdouble)
    level = expected[14] = ranges[:14].mean()
    for bar in range(15, len(bars)):
        level = expected[bar] = (level * 13 + ranges[bar - 1]) / 14
    assert_close(out, expected, 1e-13)


def test_log_returns_of_a_long_history_keep_their_last_bits() -> None:
    """Small moves, one tick at 50,000 among them, are right to a few last bits of the return itself."""
    steps = np.random.default_rng(5).integers(-2, 3, 100_000)
    close = 50_000.0 + 0.01 * np.cumsum(steps)
    out = np.empty(close.size)
    returns.log_returns(close, out, 0, close.size)
    old, new = close[:-1].astype(np.longdouble), close[1:].astype(np.longdouble)
    assert_close(out[1:], np.log1p((new - old) / old), 5e-16)
