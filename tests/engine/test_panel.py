"""Bars of many instruments on one axis of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from barstep.engine.bars import Bars
from barstep.engine.panel import PRICES, Panel
from barstep.kernels.columns import CLOSE, HIGH, OPEN, VOLUME
from making import HOUR_US, START_US
from panels import NAN, named

A = named("A", [10.0, 11.0, 12.0, 13.0])
GAPPY = named("B", [20.0, 30.0], [19.0, 29.0], hours=[1, 3], volume=[5.0, 6.0])


def prices_of(panel: Panel, columns: list[int], others: tuple[int, ...] = ()) -> np.ndarray:
    """What it writes behind one place that is left alone, and one place more; -1 where nothing was written."""
    out = np.full((len(panel.names), PRICES, 1 + len(columns) + 1), -1.0)
    panel.fill_prices(np.array(columns), np.array(others, dtype=np.int64), out, 1)
    assert (out[:, :, 0] == -1.0).all()
    return out[:, :, 1:]


def test_times_are_the_union() -> None:
    """A bar of any instrument makes a time; numbers are hours since the epoch."""
    panel = Panel([named("B", [1.0, 1.0], hours=[4, 6]), A])
    hours = [0, 1, 2, 3, 4, 6]
    assert panel.ts_us.tolist() == [START_US + hour * HOUR_US for hour in hours]
    assert (panel.numbers - START_US // HOUR_US).tolist() == hours
    assert panel.times.astype("datetime64[h]").astype(int).tolist() == panel.numbers.tolist()
    assert (len(panel), panel.names, panel.interval_seconds) == (6, ("B", "A"), 3600)


@pytest.mark.parametrize(
    ("instruments", "has_gaps"),
    [
        ([A], False),
        ([A, replace(A, symbol="B")], False),
        ([A, named("B", [1.0] * 3)], True),
        ([A, named("B", [1.0] * 4, hours=[1, 2, 3, 4])], True),
        ([named(name, [1.0] * 2, hours=[0, 2]) for name in "AB"], True),
        ([A, GAPPY], True),
    ],
)
def test_gaps(instruments: list[Bars], has_gaps: bool) -> None:
    """There is one where an instrument lacks a bar that another has, or where time jumps for all."""
    assert Panel(instruments).has_gaps is has_gaps


def test_bars_off_by_half_an_hour_are_other_bars() -> None:
    """Hours that begin at half past are not those of the full hour, though their numbers are the same."""
    panel = Panel([named("A", [10.0, 11.0]), named("B", [20.0, 21.0], hours=[0.5, 1.5])])
    assert ((panel.ts_us - START_US) / HOUR_US).tolist() == [0.0, 0.5, 1.0, 1.5]
    assert panel.closes(1).tolist() == [0.0, 20.0, 20.0, 21.0]


def test_closes_are_carried_forward() -> None:
    """Before its first bar an instrument has none, which is 0; after its last one the last stays."""
    panel = Panel([named("A", [1.0] * 6), GAPPY])
    assert panel.closes(1).tolist() == [0.0, 20.0, 20.0, 30.0, 30.0, 30.0]


def test_prices_of_all_bars() -> None:
    """Chosen columns of instruments that have all bars are written as they are, and nothing else is."""
    got = prices_of(Panel([A, replace(A, symbol="B")]), [1, 3])
    expected = np.full_like(got, -1.0)
    expected[:, OPEN, :2], expected[:, CLOSE, :2] = [10.0, 12.0], [11.0, 13.0]
    np.testing.assert_array_equal(got, expected)


def test_prices_where_bars_lack() -> None:
    """The close is carried forward and NaN before the first bar; the rest is NaN where there is no bar."""
    got = prices_of(Panel([A, GAPPY]), [0, 1, 2, 3], (VOLUME,))
    np.testing.assert_array_equal(got[1, OPEN], [NAN, 19.0, NAN, 29.0, -1.0])
    np.testing.assert_array_equal(got[1, CLOSE], [NAN, 20.0, 20.0, 30.0, -1.0])
    np.testing.assert_array_equal(got[1, VOLUME], [NAN, 5.0, NAN, 6.0, -1.0])
    np.testing.assert_array_equal(got[0, CLOSE], [10.0, 11.0, 12.0, 13.0, -1.0])
    assert (got[:, HIGH] == -1.0).all()


def test_an_instrument_without_bars() -> None:
    """It has no price at any time, and is left out of the benchmark."""
    panel = Panel([A, named("B", [])])
    assert np.isnan(prices_of(panel, [0, 1, 2])[1, [OPEN, CLOSE], :3]).all()
    assert panel.closes(1).tolist() == [0.0] * 4
    assert panel.benchmark_growth() == 1.3


def test_the_benchmark_is_bought_in_equal_parts() -> None:
    """The mean of what each grew by from its first close to its last: 1.3 and 1.5 make 1.4."""
    assert Panel([A, GAPPY]).benchmark_growth() == pytest.approx(1.4, rel=1e-15)


def test_the_benchmark_at_each_close() -> None:
    """Each part grows from its instrument's first close on, is cash before, and without a bar there is no part."""
    panel = Panel([A, GAPPY, named("EMPTY", [])])
    assert panel.benchmark().tolist() == pytest.approx([1.0, (1.1 + 1.0) / 2, (1.2 + 1.0) / 2, (1.3 + 1.5) / 2])
    assert panel.benchmark()[-1] == panel.benchmark_growth()
    assert Panel([named("EMPTY", [])]).benchmark().tolist() == []
