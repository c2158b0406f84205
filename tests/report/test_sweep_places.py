"""Rows stand at the place of their value, of many values in a stretch, and apart where an axis is not varied."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from barstep.report.sweep.places import places_of
from barstep.report.sweep.sheet import INSTRUMENT
from swept import drawn, grid, gridded, noise, sheet_with


def test_listed_numbers_rise() -> None:
    """Each value has a place, whatever the order in which they were listed."""
    sheet = gridded(a=[3, 1, 2], b=[True, False], c=["one", "two"])
    found = places_of(sheet, "a", 24, 24)
    assert found.labels == ("1", "2", "3")
    assert [found.labels[place] for place in found.of] == [str(value) for value in sheet.table["a"]]


def test_words_stand_as_listed() -> None:
    """Truths are yes and no; words and instruments keep their order."""
    sheet = gridded(symbols=("Z", "A"), b=[True, False], c=["two", "one"])
    assert places_of(sheet, "b", 24, 24).labels == ("yes", "no")
    assert places_of(sheet, "c", 24, 24).labels == ("two", "one")
    found = places_of(sheet, INSTRUMENT, 24, 24)
    assert found.labels == ("Z", "A")
    assert found.of.tolist() == [0] * 4 + [1] * 4


def test_symbols_at_two_venues_are_told_apart() -> None:
    """Where a symbol alone does not name an instrument, its venue is named too."""
    sets, axes = grid(a=[1, 2])
    sheet = sheet_with(sets, axes, noise(4), symbols=("X", "X"), venues=("v", "w"))
    assert sheet.instruments == ("v X", "w X")


def test_many_values_stand_in_stretches() -> None:
    """Each value is within the stretch of its place, and stretches have nearly as many values each."""
    values = [7 * k for k in range(100)]
    sheet = gridded(a=values)
    found = places_of(sheet, "a", 24, 24)
    assert found.count == 24
    for place, label in enumerate(found.labels):
        low, high = (int(text) for text in label.split(" to "))
        inside = sheet.table["a"].to_numpy()[found.of == place]
        assert (inside.min(), inside.max()) == (low, high)
        assert 4 <= inside.size <= 5


def test_many_words_share_the_last_place() -> None:
    """The first words have places of their own, and the others one that says how many they are."""
    sheet = gridded(a=[f"word{k}" for k in range(30)])
    found = places_of(sheet, "a", 24, 24)
    assert found.labels[-2:] == ("word22", "7 others")
    assert (found.of == 23).sum() == 7


def test_spans_are_cut_evenly() -> None:
    """A drawn value is between the edges of its place; a logarithmic span is cut by the logarithm."""
    sheet = drawn(500)
    for axis in ("lookback", "entry", "stop"):
        found, values = places_of(sheet, axis, 24, 10), sheet.table[axis].to_numpy()
        assert found.count == 10
        assert (found.edges[found.of] <= values).all()
        assert (values <= found.edges[found.of + 1]).all()
    ratios = np.diff(np.log(places_of(sheet, "stop", 24, 10).edges))
    assert np.allclose(ratios, math.log(20.0) / 10)
    assert places_of(sheet, "entry", 24, 4).labels == ("1 to 1.5", "1.5 to 2", "2 to 2.5", "2.5 to 3")
    whole, values = places_of(sheet, "lookback", 24, 10), sheet.table["lookback"].to_numpy()
    assert whole.labels[3] == f"{values[whole.of == 3].min()} to {values[whole.of == 3].max()}"
    assert np.ptp(values[whole.of == 3]) <= 21


def test_where_it_is_not_varied_it_stands_apart() -> None:
    """A conditional axis keeps a value elsewhere; those rows have the last place, though the value is a listed one."""
    sets = pl.DataFrame({"short": [True, True, False], "exit": [0.2, 0.4, 0.2]})
    axes = {"short": {"values": [True, False]}, "exit": {"values": [0.2, 0.4], "when": {"short": True}}}
    found = places_of(sheet_with(sets, axes, noise(3)), "exit", 24, 24)
    assert found.labels == ("0.2", "0.4", "not varied (0.2)")
    assert found.of.tolist() == [0, 1, 2]


def test_no_limit_and_no_value_are_words() -> None:
    """Infinity is no limit; a missing value is a dash."""
    sets = pl.DataFrame({"most": [10.0, math.inf], "units": [None, 2.0]})
    axes = {"most": {"values": [10.0, None]}, "units": {"values": [None, 2.0]}}
    sheet = sheet_with(sets, axes, noise(2))
    assert places_of(sheet, "most", 24, 24).labels == ("10", "no limit")
    assert places_of(sheet, "units", 24, 24).labels == ("–", "2")


def test_lists_are_told_as_they_are_written() -> None:
    """A key of a configuration may hold a list."""
    sets = pl.DataFrame({"windows": [[1, 2], [3]]})
    sheet = sheet_with(sets, {"windows": {"values": [[1, 2], [3]]}}, noise(2))
    assert places_of(sheet, "windows", 24, 24).labels == ("[1, 2]", "[3]")
