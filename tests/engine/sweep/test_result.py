"""A finished sweep: its table, the best of it, and any row as a whole backtest."""

from __future__ import annotations

import math

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.provenance import software
from barstep.engine.sweep.plan import plan_sweep
from barstep.engine.sweep.result import SweepResult, best_of, with_provenance
from barstep.engine.sweep.running import run_sweep
from barstep.errors import UsageError
from making import walk_bars
from sweeping import gapped

METRICS = ("sharpe", "trades")


def finished() -> SweepResult:
    """Two instruments with four sets."""
    bars = [walk_bars(200), gapped(1040, 3, "Y")]
    axes = {"fast_ma": [3, 4], "allow_short": [True, False]}
    return run_sweep(plan_sweep(bars, "sma_crossover", axes, slow_ma=12, metrics=METRICS), threads=1)


def table(*values: float) -> pl.DataFrame:
    return pl.DataFrame({"row": range(len(values)), "a": ["x"] * len(values), "sharpe": values})


def test_the_table_has_a_row_a_row() -> None:
    """Its number, the instrument, what was varied, the metrics; in the plan's order."""
    result = finished()
    assert result.table.columns == ["row", "symbol", "venue", "fast_ma", "allow_short", *METRICS]
    assert result.table["row"].to_list() == list(range(8))
    assert result.table["symbol"].to_list() == ["X"] * 4 + ["Y"] * 4
    assert result.table["fast_ma"].to_list() == [3, 3, 4, 4] * 2
    assert result.table["allow_short"].to_list() == [True, False] * 4
    assert np.array_equal(result.table.select(METRICS).to_numpy().T, result.values)


def test_the_best_are_the_greatest_or_the_lowest() -> None:
    """As many as asked for, or as there are."""
    result = finished()
    ranked = np.sort(result.values[1])
    assert result.best("trades", 3)["trades"].to_list() == ranked[::-1][:3].tolist()
    assert result.best("trades", 3, lowest=True)["trades"].to_list() == ranked[:3].tolist()
    assert result.best("trades", 99).height == 8
    assert result.best().columns == result.table.columns


def test_of_equal_rows_the_first_is_the_better() -> None:
    """Ranked either way."""
    found = table(1.0, 3.0, 3.0, 0.0, 0.0)
    assert best_of(found, ("sharpe",), "sharpe", 2)["row"].to_list() == [1, 2]
    assert best_of(found, ("sharpe",), "sharpe", 2, lowest=True)["row"].to_list() == [3, 4]


def test_rows_without_a_value_are_no_best() -> None:
    """NaN is left out, the infinities are not."""
    found = table(math.nan, -math.inf, 2.0, math.inf, math.nan)
    assert best_of(found, ("sharpe",), "sharpe", 9)["row"].to_list() == [3, 2, 1]
    assert best_of(found, ("sharpe",), "sharpe", 9, lowest=True)["row"].to_list() == [1, 2, 3]


def test_a_metric_that_was_not_measured_is_refused() -> None:
    """With the near name."""
    with pytest.raises(UsageError, match=r"unknown metric of this sweep 'sharp'. Did you mean 'sharpe'"):
        finished().best("sharp")


def test_a_row_is_run_again_as_a_whole() -> None:
    """The backtest that it is; another number than there are rows is refused."""
    result = finished()
    found = result.result(6)
    alone = bs.backtest(
        result.plan.result_of(6).instruments[0], "sma_crossover", fast_ma=4, slow_ma=12, allow_short=True
    )
    assert found.digests == alone.digests
    assert found.metrics["sharpe"] == result.values[0, 6]
    for row in (-1, 8):
        with pytest.raises(UsageError, match=f"row is {row}; allowed is 0 to 7"):
            result.result(row)


def test_curves_of_some_rows() -> None:
    """One row a bar, of each row that is asked for, in that order."""
    result = finished()
    curves = result.curves([5, 0])
    assert curves.columns == ["row", "timestamp", "equity"]
    assert curves["row"].unique(maintain_order=True).to_list() == [5, 0]
    for row in (5, 0):
        equity = curves.filter(pl.col("row") == row)["equity"].to_numpy()
        assert np.array_equal(equity, result.plan.result_of(row).equity_values)


def test_what_each_row_was_made_from() -> None:
    """The digest of its bars, the sweep's, and the versions of the software."""
    result = finished()
    told = with_provenance(result.plan, result.table)
    assert told.columns[: len(result.table.columns)] == result.table.columns
    row = told.row(7, named=True)
    assert row["strategy"] == "sma_crossover"
    assert row["sweep_sha384"] == result.plan.digest
    assert row["data_sha384"] == result.plan.result_of(7).instruments[0].content_digest
    assert {name: row[name] for name in software()} == software()
