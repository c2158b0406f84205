"""A table of targets read onto the bars of a panel."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from .bars import Floats, Integers
from .panel import Panel


class Targets:
    """Target weights at the bars where they are said."""

    watches_every_bar = False
    rebalances = True

    def __init__(self, panel: Panel, plan: NDArray[np.float64] | pl.DataFrame, every: int) -> None:
        at, self._rows = _weights_by_bar(panel, plan)
        chosen = panel.numbers[at] % every == 0
        if not chosen.all():
            at, self._rows = at[chosen], self._rows[chosen]
        if np.isinf(self._rows).any():
            raise UsageError("a weight is infinite; weights are shares of equity")
        self.due_bars = at

    def fill(self, columns: Integers, out: Floats) -> None:
        """Write the wishes of the bars at `columns` to out[0, instrument, 0:n]."""
        out[:, :, : columns.size] = np.nan
        places = np.searchsorted(self.due_bars, columns)
        places[places == self.due_bars.size] = 0
        said = np.flatnonzero(self.due_bars[places] == columns) if self.due_bars.size else np.empty(0, dtype=np.int64)
        out[0, :, said] = self._rows[places[said]]


def _weights_by_bar(panel: Panel, plan: NDArray[np.float64] | pl.DataFrame) -> tuple[Integers, Floats]:
    """Places of the bars, and float64[·, instrument]."""
    if isinstance(plan, np.ndarray):
        if plan.shape != (len(panel), len(panel.names)):
            raise UsageError(
                f"the weights have shape {plan.shape}; they must be [bar, instrument]: "
                f"({len(panel)}, {len(panel.names)})"
            )
        return np.arange(len(panel)), np.asarray(plan, dtype=np.float64)
    for name in plan.columns:
        if name not in ("timestamp", *panel.names):
            raise UsageError(unknown_name("column of the weights", name, ("timestamp", *panel.names)))
    if "timestamp" not in plan.columns:
        raise UsageError("the weights have no column 'timestamp'")
    times = plan["timestamp"]
    if times.dtype.is_temporal():
        times = times.cast(pl.Datetime("us")).to_physical()
    elif not times.dtype.is_integer():
        raise UsageError(f"the weights' timestamp is {times.dtype}; it must be a time, or microseconds since the epoch")
    at = np.searchsorted(panel.ts_us, times.to_numpy())
    if (np.diff(at) <= 0).any() or not np.array_equal(panel.ts_us[at[at < len(panel)]], times.to_numpy()):
        raise UsageError("the times of the weights must rise, and each be the open of a bar")
    missing = pl.lit(np.nan).alias
    present = plan.with_columns(missing(name) for name in panel.names if name not in plan.columns)
    return at.astype(np.int64), present.select(pl.col(panel.names).cast(pl.Float64)).fill_null(np.nan).to_numpy()
