"""Columns that engines share: each kind beside numpy, cut anywhere, numbered as its bars are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from barstep.kernels import indicators
from barstep.kernels.columns import CLOSE, HIGH, LOW, RETURN
from barstep.kernels.engines.by_indicators import INDICATORS, MOST_INDICATORS
from barstep.kernels.engines.by_number import NUMBERED
from contract import POISON, assert_close, assert_same_bits, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import FIRST_NUMBER, as_bars, walk
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

pytestmark = pytest.mark.unit_kernel

SCALE = 93.6
BARS = as_bars(walk(300, seed=8))
Floats = NDArray[np.floating]
Reference = Callable[[Floats, int], Floats]


def _after(early: int, values: Floats) -> Floats:
    """The values behind `early` bars that have none."""
    return np.concatenate((np.full(early, np.nan), values))


def _mean(bars: Floats, window: int) -> Floats:
    return _after(window - 1, sliding_window_view(bars[CLOSE], window).mean(axis=1))


def _zscore(bars: Floats, window: int) -> Floats:
    seen = sliding_window_view(bars[CLOSE], window)
    return _after(window - 1, (seen[:, -1] - seen.mean(axis=1)) / seen.std(axis=1))


def _volatility(bars: Floats, window: int) -> Floats:
    return _after(window - 1, sliding_window_view(bars[RETURN], window).std(axis=1, ddof=1) * SCALE)


def _momentum(bars: Floats, window: int) -> Floats:
    return _after(window, bars[CLOSE, window:] / bars[CLOSE, :-window] - 1.0)


def _atr(bars: Floats, window: int) -> Floats:
    before = bars[CLOSE, :-1]
    ranges = np.maximum(bars[HIGH, 1:], before) - np.minimum(bars[LOW, 1:], before)
    average = [ranges[:window].mean()]
    for widest in ranges[window:]:
        average.append((average[-1] * (window - 1) + widest) / window)
    return _after(window, np.array(average))


def _prior(row: int, extreme: Callable[..., Floats]) -> Reference:
    return lambda bars, window: _after(window, extreme(sliding_window_view(bars[row, :-1], window), axis=1))


REFERENCES: dict[str, Reference] = {
    "MEAN": _mean,
    "ZSCORE_OF_CLOSE": _zscore,
    "VOLATILITY_OF_RETURNS": _volatility,
    "MOMENTUM_OF_CLOSE": _momentum,
    "AVERAGE_TRUE_RANGE": _atr,
    "PRIOR_HIGH": _prior(HIGH, np.max),
    "PRIOR_LOW": _prior(LOW, np.min),
}
every_kind = pytest.mark.parametrize("name", REFERENCES)


def fill(name: str, window: int, bars: Floats = BARS, cuts: Sequence[int] = (), scratch: int = 16) -> Floats:
    """The column, filled in calls that end before each bar of `cuts`."""
    carry, n = np.zeros(indicators.INDICATOR_CARRY), bars.shape[1]
    column = np.full(n + 2, POISON)
    for start, stop in pairwise([0, *sorted(cuts), n]):
        carry[0] = FIRST_NUMBER + start
        rest = np.full(scratch, POISON)
        kind = getattr(indicators, name)
        indicators.fill_indicator(kind, window, SCALE, bars, start, carry, column[1 + start : 1 + stop], rest)
    assert (bits(column[[0, -1]]) == bits(POISON)).all(), "written beside the bars"
    return column[1:-1]


@every_kind
@pytest.mark.parametrize("window", [2, 7, 90])
def test_is_what_numpy_makes_of_every_window(name: str, window: int) -> None:
    """NaN until its window is full, then the figure of the window's bars."""
    expected = REFERENCES[name](BARS.astype(np.longdouble), window)
    assert_close(fill(name, window), expected, 1e-11)


def test_the_comparison_can_fail() -> None:
    """A window longer by a bar is another column."""
    with pytest.raises(AssertionError):
        assert_close(fill("MEAN", 8), REFERENCES["MEAN"](BARS, 7), 1e-11)


@every_kind
@given(cuts=st.lists(st.integers(0, 300), max_size=9), window=st.sampled_from([2, 5, 40]), scratch=st.integers(1, 80))
def test_cuts_and_scratch_change_no_bit(name: str, cuts: list[int], window: int, scratch: int) -> None:
    """Called in one go or many, with a long scratch or a short one, also for no bar at all."""
    assert_same_bits(fill(name, window, cuts=cuts, scratch=scratch), fill(name, window), name)


@every_kind
def test_nothing_after_a_bar_changes_it(name: str) -> None:
    """With other prices from bar 200 on, the column up to there has the same bits."""
    other = BARS.copy()
    other[:, 200:] *= 1.5
    assert_same_bits(fill(name, 9, other)[:200], fill(name, 9)[:200], name)


@every_kind
def test_one_bar_and_none(name: str) -> None:
    """Neither has a window of two."""
    assert np.isnan(fill(name, 2, BARS[:, :1].copy())).all()
    assert fill(name, 2, BARS[:, :0].copy()).size == 0


def test_every_engine_has_its_indicators() -> None:
    """By the engines' numbers, none with more than there is room for."""
    assert len(INDICATORS) == len(NUMBERED)
    assert max(map(len, INDICATORS)) == MOST_INDICATORS
    assert {kind for each in INDICATORS for kind, *_ in each} == {getattr(indicators, name) for name in REFERENCES}
