"""Breakout of the channel of the bars before: what holds beside the contract."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import breakout
from contract import assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats, walk

pytestmark = pytest.mark.unit_kernel


def sides(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    out = np.full(close.size, 1e300)
    breakout.breakout(high, low, close, window, out, 0, close.size)
    return out


def of_closes(*close: float, window: int = 3) -> list[float]:
    """The sides of bars that are a single price each, from the first that has one."""
    prices = np.array(close)
    return sides(prices, prices, prices, window)[window:].tolist()


def test_known_values() -> None:
    """Over the highest of the three bars before is 1, under the lowest -1, between them and on the edge 0."""
    assert of_closes(1.0, 3.0, 2.0, 4.0) == [1.0]
    assert of_closes(1.0, 3.0, 2.0, 0.5) == [-1.0]
    assert of_closes(1.0, 3.0, 2.0, 3.0) == [0.0]
    assert of_closes(1.0, 3.0, 2.0, 1.0) == [0.0]
    assert of_closes(1.0, 3.0, 2.0, 2.5) == [0.0]


def test_the_bar_itself_is_not_in_its_channel() -> None:
    """A close under its own high still breaks out of the bars before: the first bar after the window counts."""
    bars = walk(40)
    assert_same_bits(
        sides(bars.high + 50.0, bars.low - 50.0, np.full(40, 1e6), 5)[5:], np.ones(35), "a close over everything"
    )


def test_each_bar_of_a_rise_breaks_out() -> None:
    """A price that rises at every bar is over its channel at every bar, and mirrored when it falls."""
    rise = np.arange(1.0, 61.0)
    assert (sides(rise, rise, rise, 20)[20:] == 1.0).all()
    assert (sides(-rise, -rise, -rise, 20)[20:] == -1.0).all()


def test_a_price_infinitely_far_is_never_passed() -> None:
    """An infinite high in the channel is a value: nothing is over it, and what is under the low still is."""
    assert of_closes(1.0, np.inf, 2.0, 1e308, 0.5) == [0.0, -1.0]


@pytest.mark.parametrize("column", [0, 1])
@given(at=st.integers(0, 29), window=st.integers(1, 8))
def test_an_unknown_channel_has_no_side(column: int, at: int, window: int) -> None:
    """A NaN high or low makes NaN of the bars whose channel it is in, not of its own."""
    bars = walk(30)
    columns = [bars.high, bars.low, bars.close]
    columns[column][at] = np.nan
    expected = {*range(window), *range(at + 1, min(30, at + 1 + window))}
    assert set(np.flatnonzero(np.isnan(sides(*columns, window)))) == expected


@given(at=st.integers(5, 29))
def test_an_unknown_close_has_no_side(at: int) -> None:
    """A NaN close makes NaN of its own bar only."""
    bars = walk(30)
    bars.close[at] = np.nan
    assert set(np.flatnonzero(np.isnan(sides(bars.high, bars.low, bars.close, 5)))) == {0, 1, 2, 3, 4, at}


@given(chunk=st.integers(1, 40))
def test_the_scratch_may_have_any_length(chunk: int) -> None:
    """A fused kernel's scratch row, whatever its length, gives the same bits."""
    bars, out = walk(60), np.full(50, 1e300)
    breakout.fill_breakout(bars.high, bars.low, bars.close, 10, 50, 7, out, np.empty(chunk))
    assert_same_bits(out, sides(bars.high, bars.low, bars.close, 7)[10:], f"scratch of {chunk}")
