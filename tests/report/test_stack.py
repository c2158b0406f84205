"""Weights as areas that stand on one another."""

from __future__ import annotations

import numpy as np
import polars as pl
from barstep.report.stack import SHOWN, bases, parts


def weights(**columns: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": range(len(next(iter(columns.values())))), **columns})


def test_the_largest_and_the_rest() -> None:
    """Eight have an area of their own, ordered by their mean size, short ones too; the rest are added up."""
    table = weights(**{f"I{k}": [0.01 * k, -0.01 * k] for k in range(11)})
    found = parts(table)
    assert list(found) == [f"I{k}" for k in range(10, 2, -1)] + ["3 others"]
    assert len(found) == SHOWN + 1
    np.testing.assert_allclose(found["I10"], [10.0, -10.0])
    np.testing.assert_allclose(found["3 others"], [3.0, -3.0])
    np.testing.assert_allclose(sum(found.values()), [55.0, -55.0])


def test_few_have_no_rest() -> None:
    """Eight instruments are eight areas; of no bars too."""
    assert list(parts(weights(A=[0.1], B=[0.3]))) == ["B", "A"]
    assert parts(weights(A=[], B=[])).keys() == {"A", "B"}


def test_long_stands_on_long_and_short_hangs_below_short() -> None:
    """By hand: where each of three areas begins."""
    heights = {"a": np.array([2.0, 2.0, -1.0]), "b": np.array([-1.0, 3.0, -2.0]), "c": np.array([4.0, -5.0, 6.0])}
    found = {name: base.tolist() for name, base in bases(heights).items()}
    assert found == {"a": [0.0, 0.0, 0.0], "b": [0.0, 2.0, -1.0], "c": [2.0, 0.0, 0.0]}
