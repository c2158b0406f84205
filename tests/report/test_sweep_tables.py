"""The tables of a sweep's report name the rows that a sort finds."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from barstep.report.sweep.sheet import SweepSheet
from barstep.report.sweep.tables import BEST, BEST_OF_EACH, WORST, tables
from barstep.report.tables import Table
from swept import drawn, gridded, noise, sheet_with


def _column(table: Table, heading: str) -> list[str]:
    return [row[table.headings.index(heading)] for row in table.rows]


def test_best_and_worst_rows() -> None:
    """The first table has the rows with the greatest values, the last those with the lowest."""
    sheet = drawn(300)
    found = dict(zip(("best", "worst"), [table for table, _ in tables(sheet)], strict=True))
    order = np.argsort(-sheet.values, kind="stable")
    assert _column(found["best"], "row") == [str(row) for row in order[:BEST]]
    assert _column(found["worst"], "row") == [str(row) for row in order[::-1][:WORST]]
    assert found["best"].headings == (
        "row", "Sharpe", "lookback", "entry", "stop", "Max drawdown, %", "Profit factor",
    )  # fmt: skip
    assert _column(found["best"], "Sharpe")[0] == f"{sheet.values.max():.2f}"


def test_the_least_drawdown_is_the_best() -> None:
    """Of a metric of which less is better, the lowest come first, and the heading says so."""
    made = drawn(100)
    sheet = SweepSheet(document=made.document, table=made.table, by="max_drawdown_pct")
    (best, said), (worst, _) = tables(sheet)
    assert said == "lowest first"
    assert _column(best, "row")[0] == str(np.argmin(sheet.values))
    assert _column(worst, "row")[0] == str(np.argmax(sheet.values))


def test_instruments() -> None:
    """Of several instruments: the best rows of each, and each set's median over all of them."""
    sheet = gridded(symbols=("A", "B", "C"), a=[1, 2, 3, 4], b=["x", "y"])
    found = {table.title: table for table, _ in tables(sheet)}
    best, sets = found["Best rows by Sharpe"], found["Best sets over all instruments by Sharpe"]
    each = found["Best rows of each instrument by Sharpe"]
    by_set = sheet.values.reshape(3, 8)
    order = np.argsort(-np.median(by_set, axis=0))
    assert list(zip(_column(sets, "a"), _column(sets, "b"), strict=True)) == [
        ("1234"[place // 2], "xy"[place % 2]) for place in order
    ]
    assert _column(sets, "lowest")[0] == f"{by_set[:, order[0]].min():.2f}".replace("-", "−")
    assert _column(sets, "instruments") == ["3"] * 8
    for k, name in enumerate("ABC"):
        mine = [row for row, own in zip(_column(each, "row"), _column(each, "instrument"), strict=True) if own == name]
        assert mine == [str(8 * k + place) for place in np.argsort(-by_set[k])[:BEST_OF_EACH]]
    assert {"instrument", "b"} <= set(best.texts)


def test_rows_without_a_value_are_not_ranked() -> None:
    """NaN is no best; in another column it is a dash."""
    sets = pl.DataFrame({"a": [1, 2, 3]})
    metrics = noise(3)
    metrics["sharpe"][1] = metrics["profit_factor"][0] = math.nan
    (best, _), *_ = tables(sheet_with(sets, {"a": {"values": [1, 2, 3]}}, metrics))
    assert sorted(_column(best, "a")) == ["1", "3"]
    assert _column(best, "Profit factor")[_column(best, "a").index("1")] == "–"


def test_nothing_to_rank() -> None:
    """Where no row has a value, there is no table."""
    sheet = gridded(symbols=("A", "B"), a=[1, 2])
    table = sheet.table.with_columns(sharpe=pl.lit(math.nan))
    assert tables(SweepSheet(document=sheet.document, table=table, by="sharpe")) == []
