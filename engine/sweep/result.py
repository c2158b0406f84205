"""What a sweep came to: one row an instrument and parameter set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from ...errors import UsageError, unknown_name
from ..bars import Floats
from ..metrics import is_less_better
from ..outcome import Outcome
from ..provenance import software
from .kinds import AnySweep


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepResult:
    """A finished sweep.

    Attributes:
        plan: What was run.
        values: float64[metric, row], in the plan's order.
        slice_moments: float64[row, slice, 3]: count, mean and sum of squared deviations of the bar returns in each of
            the equal parts of the history.
    """

    plan: AnySweep
    values: Floats
    slice_moments: Floats

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row a row of the sweep: `row`, `symbol`, `venue`, what was varied, and the metrics."""
        return _table_of(self.plan, self.values)

    def best(self, by: str = "sharpe", count: int = 10, *, lowest: bool | None = None) -> pl.DataFrame:
        """The rows with the best value of a metric; those without a value are left out.

        Args:
            by: The metric.
            count: How many, at most.
            lowest: Whether its least value is best; None: as the metric has it, so for volatility, drawdown and costs.

        Raises:
            UsageError: The metric was not measured.
        """
        return best_of(self.table, self.plan.metrics, by, count, lowest=lowest)

    def report(self, path: str | Path, by: str = "sharpe") -> Path:
        """Write the sweep for people to read, and return where: `.html` to explore, `.pdf` or `.png` to print.

        Args:
            path: The file.
            by: The metric that rows are ranked by.

        Raises:
            UsageError: The metric was not measured, another ending, or the extra `barstep[report]` is not installed.
        """
        from ...report.sweep.writing import report_sweep  # noqa: PLC0415 - a call up, made by the reader

        return report_sweep(self, Path(path), by)

    def result(self, row: int) -> Outcome:
        """The backtest of a row, run again: its curve, trades and everything else.

        Raises:
            UsageError: There is no such row.
        """
        if not 0 <= row < self.plan.count:
            raise UsageError(f"row is {row}; allowed is 0 to {self.plan.count - 1:,}")
        return self.plan.result_of(row)

    def curves(self, rows: Iterable[int]) -> pl.DataFrame:
        """`row`, `timestamp` and `equity` of some rows at each bar's close; they are run again for it.

        Raises:
            UsageError: There is no such row.
        """
        made = [self.result(row).equity.select(pl.lit(row).alias("row"), "timestamp", "equity") for row in rows]
        return pl.concat(made)


def best_of(
    table: pl.DataFrame, metrics: tuple[str, ...], by: str, count: int, *, lowest: bool | None = None
) -> pl.DataFrame:
    """The best rows of a table; of equal ones the first."""
    if by not in metrics:
        raise UsageError(unknown_name("metric of this sweep", by, metrics))
    known = table.filter(pl.col(by).is_not_nan())
    ascends = is_less_better(by) if lowest is None else lowest
    return known.sort([by, "row"], descending=[not ascends, False]).head(count)


def _table_of(plan: AnySweep, values: Floats) -> pl.DataFrame:
    """All rows; their figures are float64[metric, row]."""
    rows = np.arange(values.shape[1], dtype=np.int64)
    figures = {name: pl.Series(row) for name, row in zip(plan.metrics, values, strict=True)}
    varied = plan.sets[rows % plan.sets.height].to_dict()
    return pl.DataFrame({"row": pl.Series(rows), **plan.labels(rows), **varied, **figures})


def with_provenance(plan: AnySweep, table: pl.DataFrame) -> pl.DataFrame:
    """The same with what each row was made from: strategy, digest of the bars, versions of the software."""
    own = plan.provenance_of(table["row"].to_numpy())
    constant = {"strategy": plan.strategy, "sweep_sha384": plan.digest, **software()}
    return table.with_columns(**own, **{name: pl.lit(value, dtype=pl.Categorical) for name, value in constant.items()})
