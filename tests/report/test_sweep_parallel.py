"""Lines across the axes are those of the rows they name, and the best rows are always among them."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.report.sweep.parallel import ALWAYS, MOST_LINES, parallel
from barstep.report.sweep.sheet import SweepSheet
from swept import drawn, gridded


@pytest.mark.parametrize("by", ["sharpe", "max_drawdown_pct"])
def test_the_best_are_among_them(by: str) -> None:
    """Of many rows so many lines are drawn, the best last; their ranks are those of the whole sweep."""
    made = drawn(5000)
    sheet = SweepSheet(document=made.document, table=made.table, by=by)
    found = parallel(sheet)
    assert found.rows.size == MOST_LINES == np.unique(found.rows).size
    assert found.rows[::-1][:ALWAYS].tolist() == sheet.best(ALWAYS)["row"].to_list()
    assert found.rows[0] == sheet.best(1, worst=True)["row"][0]
    ordered = np.sort(sheet.values)[:: 1 if by == "max_drawdown_pct" else -1]
    assert np.array_equal(ordered[np.round(found.ranks * 5000).astype(int)], found.values)


def test_heights_are_values() -> None:
    """A line passes each axis at its value, the metric's at its share of the range."""
    sheet = gridded(symbols=("A", "B"), a=[1, 2, 4, 8], b=["x", "y"])
    found = parallel(sheet)
    assert found.names == ("a", "b", "instrument", "sharpe")
    for line, row in enumerate(found.rows):
        assert found.heights["a"][line] == ([1, 2, 4, 8].index(sheet.table["a"][int(row)]) + 0.5) / 4
        assert found.heights["b"][line] == ("xy".index(sheet.table["b"][int(row)]) + 0.5) / 2
    assert found.ticks["a"] == [(0.125, "1"), (0.375, "2"), (0.625, "4"), (0.875, "8")]
    low, high = sheet.values.min(), sheet.values.max()
    assert np.allclose(found.heights["sharpe"] * (high - low) + low, sheet.values[found.rows])


def test_rows_without_a_value_have_no_line() -> None:
    """NaN and infinity are nowhere on the metric's axis."""
    made = gridded(a=[1, 2, 3, 4], b=[1, 2])
    values = made.table["sharpe"].to_numpy().copy()
    values[[0, 3]] = np.nan, np.inf
    table = made.table.with_columns(sharpe=values)
    found = parallel(SweepSheet(document=made.document, table=table, by="sharpe"))
    assert sorted(found.rows) == [1, 2, 4, 5, 6, 7]
    assert np.isfinite(found.heights["sharpe"]).all()
