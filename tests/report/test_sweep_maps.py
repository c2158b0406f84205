"""Maps and lines hold what a plain loop over the rows finds."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from barstep.engine.metrics import is_less_better
from barstep.report.sweep import maps as module
from barstep.report.sweep.maps import AGGREGATES, explained, lines, maps, telling_map
from barstep.report.sweep.places import places_of
from barstep.report.sweep.sheet import SweepSheet
from swept import drawn, grid, gridded, noise, sheet_with


def _by_hand(sheet: SweepSheet, metric: str, name: str, rows: list[int]) -> float:
    """An aggregate of the finite values of some rows."""
    known = [value for row in rows if np.isfinite(value := sheet.table[metric][row])]
    if not known:
        return float("nan")
    if name == "best":
        return min(known) if is_less_better(metric) else max(known)
    if name in ("low", "high"):
        return float(np.quantile(known, 0.25 if name == "low" else 0.75))
    return statistics.median(known) if name == "median" else statistics.fmean(known)


def _with_gaps(sheet: SweepSheet) -> SweepSheet:
    """The same with values missing: one everywhere in a cell, and one infinite."""
    values = sheet.table["sharpe"].to_numpy().copy()
    values[:3], values[7] = np.nan, np.inf
    table = sheet.table.with_columns(sharpe=values)
    return SweepSheet(document=sheet.document, table=table, by="sharpe")


@pytest.mark.parametrize(
    "sheet",
    [
        _with_gaps(gridded(symbols=("A", "B"), a=[1, 2, 3], b=[0.5, 1.5], c=["x", "y"])),
        _with_gaps(drawn(60)),
    ],
    ids=["grid", "drawn"],
)
def test_cells_hold_what_a_loop_finds(sheet: SweepSheet) -> None:
    """Median, mean, best and count of each cell, of all instruments and of each."""
    found, left_out = maps(sheet)
    assert left_out == 0
    for each in found:
        mine = [row for row in range(sheet.table.height) if each.group in ("", sheet.instrument_column[row])]
        for cell in range(each.rows.size):
            y, x = divmod(cell, each.x.count)
            rows = [row for row in mine if each.x.of[row] == x and each.y.of[row] == y]
            assert each.rows[cell] == len(rows)
            for metric, values in each.values.items():
                for name, column in values.items():
                    assert column[cell] == pytest.approx(_by_hand(sheet, metric, name, rows), rel=1e-12, nan_ok=True)


def test_lines_hold_what_a_loop_finds() -> None:
    """Median, quartiles and best along each axis."""
    sheet = _with_gaps(gridded(symbols=("A", "B"), a=[1, 2, 3], b=[0.5, 1.5]))
    found = lines(sheet)
    assert [line.places.axis for line in found] == ["a", "b", "instrument"]
    for line in found:
        for place in range(line.places.count):
            rows = np.flatnonzero(line.places.of == place).tolist()
            assert line.rows[place] == len(rows)
            for metric, values in line.values.items():
                for name, column in values.items():
                    assert column[place] == pytest.approx(_by_hand(sheet, metric, name, rows), rel=1e-12)


def test_one_row_a_cell_is_told_once() -> None:
    """Median, mean and best of a single row are the same number, which is held once."""
    (only,), _ = maps(gridded(a=[1, 2, 3], b=[1, 2]))
    assert all(values.keys() == {"median"} for values in only.values.values())
    assert (only.x.axis, only.y.axis) == ("a", "b"), "the longer side lies across"


def test_one_axis_has_no_map() -> None:
    """There is nothing to set it against."""
    sheet = gridded(a=[1, 2, 3])
    assert maps(sheet) == ([], 0)
    assert telling_map(sheet) is None


def test_the_telling_pair_is_first() -> None:
    """The pair that the metric depends on comes before those that are noise, in the page and in print."""
    sets, axes = grid(idle=list(range(5)), steep=list(range(5)), other=list(range(5)), deep=list(range(5)))
    metrics = noise(sets.height)
    metrics["sharpe"] += 10.0 * sets["steep"].to_numpy() * sets["deep"].to_numpy()
    sheet = sheet_with(sets, axes, metrics)
    first = maps(sheet)[0][0]
    assert {first.x.axis, first.y.axis} == {"steep", "deep"}
    printed = telling_map(sheet)
    assert printed is not None
    assert (printed.x.axis, printed.y.axis) == (first.x.axis, first.y.axis)


def test_noise_explains_nothing() -> None:
    """What chance puts between cells is not counted; what the cells decide is counted in full."""
    sheet = gridded(a=list(range(8)), b=list(range(8)), c=list(range(30)))
    x, y = (places_of(sheet, axis, 24, 24) for axis in "ab")
    assert abs(explained(sheet.values, x, y)) < 0.05
    assert explained((x.of * 8 + y.of).astype(float), x, y) == pytest.approx(1.0)
    assert explained(np.full(sheet.table.height, 2.0), x, y) == 0.0


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps are kept in their order while there is room, and the rest is a number."""
    sheet = gridded(a=[1, 2, 3], b=[1, 2], c=[1, 2, 3, 4])
    every, _ = maps(sheet)
    sizes = [each.rows.size * len(AGGREGATES) * len(sheet.metrics) for each in every]
    monkeypatch.setattr(module, "MOST_NUMBERS", sizes[0])
    found, left_out = maps(sheet)
    assert [each.x.axis for each in found] == [every[0].x.axis]
    assert left_out == len(every) - 1 == 2


def test_a_large_grid_is_drawn_coarser() -> None:
    """Axes of many values have as many places as a map has cells for."""
    found, _ = maps(gridded(a=list(range(60)), b=list(range(60))))
    assert found[0].rows.size <= module.MOST_PLACES**2
    assert found[0].rows.sum() == 3600
    fine, _ = maps(gridded(a=list(range(60)), b=[1, 2]))
    assert fine[0].x.count == 60
