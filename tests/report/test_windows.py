"""Which bars are shown as candles."""

from __future__ import annotations

from collections.abc import Callable

import barstep as bs
import numpy as np
from barstep.report.sheet import sheet_of
from barstep.report.windows import LENGTH, window_bars, windows


def test_the_last_bars_and_the_extremes(hours: bs.Result) -> None:
    """The first window ends with the data; then come the three largest gains and losses, each around its trade."""
    found = windows(sheet_of(hours).instruments[0])
    assert (found[0].start, found[0].stop) == (len(hours.bars) - LENGTH, len(hours.bars))
    assert len(found) == 7
    profits = hours.trades["profit"].sort()
    assert f"{profits[-1]:,.2f}" in found[1].label
    assert f"{-profits[0]:,.2f}" in found[4].label
    best = hours.trades.filter(hours.trades["profit"] == profits[-1]).row(0, named=True)
    inside = hours.equity["timestamp"][found[1].start : found[1].stop]
    assert inside[0] < best["entry_time"] < best["exit_time"] < inside[-1]


def test_windows_stay_inside_the_bars(made: Callable[..., bs.Result]) -> None:
    """Few bars, few trades and none give windows that hold only bars there are."""
    for n in (0, 1, 2, 5, 40, 301):
        for window in windows(sheet_of(made(n, busy=0.5)).instruments[0]):
            assert 0 <= window.start < window.stop <= n


def test_the_bars_of_all_windows(made: Callable[..., bs.Result]) -> None:
    """Each bar in any window, once, in order."""
    instrument = sheet_of(made(30_000)).instruments[0]
    inside = np.unique(np.concatenate([np.arange(w.start, w.stop) for w in windows(instrument)]))
    np.testing.assert_array_equal(window_bars(instrument), inside)
