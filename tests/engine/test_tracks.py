"""What audits compare: rows by the instant at which they are known, bit for bit."""

from __future__ import annotations

from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.tracks import Track, column_of, first_moves, same


def _track(known: list[int], *, at_open: bool = False, **columns: Any) -> Track:
    arrays = {name: column_of(name, values) for name, values in columns.items()}
    return Track(name="t", known_us=np.array(known, dtype=np.int64), columns=arrays, at_open=at_open)


def test_bits_are_compared_and_nan_agrees_with_nan() -> None:
    """A zero and its negative differ, as do neighbours; NaN and NaN do not."""
    one = np.array([1.0, 0.0, np.nan, 1.0, np.inf])
    other = np.array([1.0, -0.0, -np.nan, np.nextafter(1.0, 2.0), np.inf])
    assert same(one, other).tolist() == [True, False, True, False, True]


def test_words_and_missing_ones_are_compared() -> None:
    """Text agrees with the same text, nothing with nothing, and no number with text."""
    words = column_of("w", pl.Series(["a", None, "c"]))
    assert same(words, column_of("w", pl.Series(["a", None, "d"]))).tolist() == [True, True, False]
    assert not same(np.array([1.0, 2.0, 3.0]), words).any()


def test_only_rows_that_are_known_count() -> None:
    """A row that is known at the instant is compared, a later one is not."""
    one, other = _track([1, 2, 3], a=[1.0, 2.0, 3.0]), _track([1, 2, 3], a=[1.0, 9.0, 9.0])
    assert list(first_moves(one, other, 1)) == []
    (moved,) = first_moves(one, other, 2)
    assert (moved.column, moved.row, moved.known_us, moved.before, moved.after) == ("a", 1, 2, 2.0, 9.0)


def test_what_is_settled_by_an_open_counts_when_it_is_known() -> None:
    """At the instant of an open its rows count only where that open stayed."""
    one, other = (_track([1, 2], at_open=True, price=[1.0, price]) for price in (2.0, 9.0))
    assert list(first_moves(one, other, 2, open_is_known=False)) == []
    assert len(list(first_moves(one, other, 2, open_is_known=True))) == 1


def test_rows_and_outputs_too_many_move() -> None:
    """A run with more rows, or with another output, differs by that."""
    one, other = _track([1, 2], a=[1, 2]), _track([1, 2, 2], a=[1, 2, 3])
    (moved,) = first_moves(one, other, 2)
    assert (moved.column, moved.row, moved.before, moved.after) == ("number of rows", 2, 2, 3)
    (moved,) = first_moves(one, _track([1, 2], b=[1, 2]), 2)
    assert (moved.column, moved.before, moved.after) == ("names of outputs", "a", "b")


def test_an_output_is_one_value_a_bar() -> None:
    """A table inside a mapping is refused."""
    with pytest.raises(bs.UsageError, match=r"output 'a' has the shape \(2, 2\); it must be one value a bar"):
        column_of("a", np.zeros((2, 2)))
