"""What a sweep came to: one row an instrument and parameter set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from ...errors import UsageError, unknown_name
from ..bars import Floats
from ..provenance import software
from ..result import Result
from ..simulation import simulate
from .plan import SweepPlan


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepResult:
    """A finished sweep.

    Attributes:
        plan: What was run.
        values: float64[metric, row], in the plan's order.
        slice_moments: float64[row, slice, 3]: count, mean and sum of squared deviations of the bar returns in each of
            the equal parts of the history.
    """

    plan: SweepPlan
    values: Floats
    slice_moments: Floats

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row a row of the sweep: `row`, `symbol`, `venue`, what was varied, and the metrics."""
        return table_of(self.plan, 0, self.values)

    def best(self, by: str = "sharpe", count: int = 10, *, lowest: bool = False) -> pl.DataFrame:
        """The rows with the greatest, or lowest, value of a metric; those without a value are left out.

        Raises:
            UsageError: The metric was not measured.
        """
        return best_of(self.table, self.plan.metrics, by, count, lowest=lowest)

    def result(self, row: int) -> Result:
        """The backtest of a row, run again: its curve, trades and everything else.

        Raises:
            UsageError: There is no such row.
        """
        if not 0 <= row < self.plan.count:
            raise UsageError(f"row is {row}; allowed is 0 to {self.plan.count - 1:,}")
        return simulate(self.plan.setup_of(row))


def best_of(
    table: pl.DataFrame, metrics: tuple[str, ...], by: str, count: int, *, lowest: bool = False
) -> pl.DataFrame:
    """The best rows of a table; of equal ones the first."""
    if by not in metrics:
        raise UsageError(unknown_name("metric of this sweep", by, metrics))
    known = table.filter(pl.col(by).is_not_nan())
    return known.sort([by, "row"], descending=[not lowest, False]).head(count)


def table_of(plan: SweepPlan, start: int, values: Floats) -> pl.DataFrame:
    """The rows from `start` on whose figures are float64[metric, row]."""
    rows = np.arange(start, start + values.shape[1], dtype=np.int64)
    instrument, place = np.divmod(rows, plan.sets.height)
    bars = [setup.bars for setup in plan.setups]
    names = {
        "row": pl.Series(rows),
        "symbol": pl.Series([bars[k].symbol for k in instrument], dtype=pl.String),
        "venue": pl.Series([bars[k].venue for k in instrument], dtype=pl.String),
    }
    figures = {name: pl.Series(row) for name, row in zip(plan.metrics, values, strict=True)}
    return pl.DataFrame({**names, **plan.sets[place].to_dict(), **figures})


def with_provenance(plan: SweepPlan, table: pl.DataFrame) -> pl.DataFrame:
    """The same with what each row was made from: strategy, digest of the bars, versions of the software."""
    by_symbol = [setup.bars.content_digest for setup in plan.setups]
    digests = pl.Series("data_sha384", [by_symbol[row // plan.sets.height] for row in table["row"]])
    constant = {"strategy": plan.engine.name, "sweep_sha384": plan.digest, **software()}
    return table.with_columns(digests, *(pl.lit(value).alias(name) for name, value in constant.items()))
