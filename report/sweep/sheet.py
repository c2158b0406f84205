"""What a report of a sweep is made from, in memory or saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ...engine.bars import Floats
from ...engine.metrics import is_less_better
from ...engine.outcome import without_endless
from ...engine.provenance import software
from ...engine.sweep.result import best_of
from ...errors import UsageError, unknown_name

if TYPE_CHECKING:
    from ...engine.sweep.result import SweepResult

INSTRUMENT = "instrument"
"""The name of what a row was run on, as if it were varied."""

_NAMES = ("symbol", "venue")


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepSheet:
    """A finished sweep, and the metric that its report is about.

    Attributes:
        document: What `sweep.json` holds: a number that JSON has no word for is None.
        table: One row a row of the sweep.
        by: The metric.
    """

    document: Mapping[str, Any]
    table: pl.DataFrame
    by: str

    def __post_init__(self) -> None:
        if self.by not in self.metrics:
            raise UsageError(unknown_name("metric of this sweep", self.by, self.metrics))

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was measured."""
        return tuple(self.document["metrics"])

    @property
    def ranked_metrics(self) -> tuple[str, ...]:
        """The same, the report's own first."""
        return (self.by, *(name for name in self.metrics if name != self.by))

    @property
    def axes(self) -> Mapping[str, Mapping[str, Any]]:
        """What was varied, by name: `values`, or `low`, `high` and `log`; `when` it counts."""
        found: Mapping[str, Mapping[str, Any]] = self.document["axes"]
        return found

    @property
    def is_grid(self) -> bool:
        """Whether each value was combined with each."""
        return bool(self.document["sampling"] == "grid")

    @cached_property
    def instruments(self) -> tuple[str, ...]:
        """What rows were run on, by the names that tell them apart, in the order of the rows."""
        return tuple(self.instrument_column.unique(maintain_order=True))

    @cached_property
    def instrument_column(self) -> pl.Series:
        """The instrument of each row. Where a symbol is there at several venues, the venue is named too."""
        if "symbol" not in self.table.columns:  # one account over all of them
            return pl.Series(INSTRUMENT, [""], dtype=pl.String).new_from_index(0, self.table.height)
        pairs = self.table.select(_NAMES).unique(maintain_order=True)
        is_plain = pairs["symbol"].is_unique().all()
        named = pl.col("symbol") if is_plain else pl.format("{} {}", pl.col("venue"), pl.col("symbol"))
        return self.table.select(named.alias(INSTRUMENT)).to_series()

    @property
    def varied(self) -> list[str]:
        """Names of what rows differ in: the axes, and the instrument where there are several."""
        return [*self.axes, *([INSTRUMENT] if len(self.instruments) > 1 else [])]

    @cached_property
    def values(self) -> Floats:
        """float64[row]: the metric; NaN where it has no finite value."""
        found = self.table[self.by].to_numpy().astype(np.float64)
        return np.where(np.isfinite(found), found, np.nan)

    def best(self, count: int, *, worst: bool = False) -> pl.DataFrame:
        """The best or the worst rows, as `SweepResult.best` has them."""
        return best_of(self.table, self.metrics, self.by, count, lowest=is_less_better(self.by) != worst)

    def counts(self, axis: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """bool[row]: whether a row has the values of other axes under which this one is varied."""
        conditions = self.axes[axis].get("when", {}) if axis in self.axes else {}
        held = [pl.col(name).eq_missing(pl.lit(value)) for name, value in conditions.items()]
        if not held:
            return np.ones(self.table.height, dtype=bool)
        return self.table.select(pl.all_horizontal(held)).to_series().to_numpy()


def sheet_of(result: SweepResult, by: str) -> SweepSheet:
    """The sheet of a sweep in memory; the same as the one that is read from its folder.

    Raises:
        UsageError: The metric was not measured.
    """
    document = json.loads(json.dumps(without_endless({**result.plan.describe(), "provenance": software()})))
    return SweepSheet(document=document, table=result.table, by=by)
