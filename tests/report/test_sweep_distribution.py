"""The histogram counts every row that has a value, and the words say where the best stands."""

from __future__ import annotations

import math

import numpy as np
import pytest
from barstep.report.sweep.distribution import distribution, greatest_of, words
from barstep.report.sweep.sheet import SweepSheet
from swept import drawn, gridded


def _with(values: list[float], by: str = "sharpe") -> SweepSheet:
    made = gridded(a=list(range(len(values))), by=by)
    return SweepSheet(document=made.document, table=made.table.with_columns(**{by: np.array(values)}), by=by)


def test_every_value_is_counted() -> None:
    """Counts sum to the rows with a value; the edges reach from the lowest to the highest."""
    sheet = drawn(700)
    found = distribution(sheet)
    assert found.counts.sum() == found.known == 700
    assert (found.edges[0], found.edges[-1]) == (sheet.values.min(), sheet.values.max())
    assert found.counts.size == math.ceil(2 * 700 ** (1 / 3))


def test_values_that_are_missing_are_told() -> None:
    """NaN and infinity are not counted but named."""
    sheet = _with([1.0, 2.0, math.nan, math.inf])
    found = distribution(sheet)
    assert (found.known, found.missing, found.median, found.best) == (2, 2, 1.5, 2.0)
    assert "2 of 4 rows have no value" in words(sheet, found)


def test_less_may_be_better() -> None:
    """The best drawdown is the lowest."""
    assert distribution(_with([30.0, 10.0, 20.0], by="max_drawdown_pct")).best == 10.0


@pytest.mark.parametrize("values", [[2.0], [2.0, 2.0, 2.0], [0.0]])
def test_values_that_are_all_alike(values: list[float]) -> None:
    """There is a bar that holds all of them, and no deviation to tell."""
    sheet = _with(values)
    found = distribution(sheet)
    assert found.counts.max() == len(values)
    assert found.edges[0] < values[0] < found.edges[-1]
    assert math.isnan(found.deviations)
    assert "deviations" not in words(sheet, found)


def test_no_value_at_all() -> None:
    """Nothing is drawn and nothing is claimed."""
    sheet = _with([math.nan, math.nan])
    assert distribution(sheet).known == 0
    assert words(sheet, distribution(sheet)) == "No row has a value of it."


@pytest.mark.parametrize("count", [2, 10, 1000])
def test_the_greatest_of_draws(count: int) -> None:
    """The approximation is within a twentieth of the mean of greatest draws, or of a tenth of a deviation for two."""
    draws = np.random.default_rng(count).normal(size=(20_000 if count < 1000 else 2_000, count))
    assert greatest_of(count) == pytest.approx(draws.max(axis=1).mean(), rel=0.05, abs=0.1)
