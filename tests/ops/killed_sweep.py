"""The sweep of the tests of a folder, run by a process of its own that is killed on the way: `killed_sweep.py FOLDER`.

It says a line for each portion that is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import barstep as bs
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.sweep.kinds import Rows
from barstep.engine.sweep.plan import SweepPlan, plan_sweep
from barstep.engine.sweep.portions import state_memory
from barstep.engine.sweep.rows import RowRunner
from barstep.ops import sweeping
from barstep.ops.sweep_folder import SweepFolder

METRICS = ("sharpe", "trades", "profit_factor")


def some_bars(count: int = 1500, name: str = "BTC") -> Bars:
    """The first hours of an embedded instrument."""
    bars = bs.load(EMBEDDED_FOLDER / f"binance_{name}USDT_1h.parquet")
    columns = (row[:count] for row in bars.values[:5])
    return Bars.from_arrays(
        bars.ts_us[:count], *columns, interval_seconds=bars.interval_seconds, symbol=bars.symbol, venue=bars.venue
    )


def planned(**asked: Any) -> SweepPlan:
    """80 rows of two instruments."""
    axes = asked.pop("axes", {"fast_ma": range(3, 23), "allow_short": [True, False]})
    bars = asked.pop("bars", None) or [some_bars(), some_bars(1200, "ETH")]
    given = {"slow_ma": 40, "metrics": METRICS, "slices": 2}
    return plan_sweep(bars, "sma_crossover", axes, **{**given, **asked})


def row_by_row(plan: SweepPlan) -> int:
    """Memory for a row at a time, so that there are many portions."""
    runner = RowRunner(plan)
    return state_memory(runner, 1, None).table + runner.bytes_of(1)


class Telling(SweepFolder):
    """Says which rows are kept."""

    def add(self, rows: Rows) -> None:
        super().add(rows)
        print(rows.start, rows.stop, flush=True)  # noqa: T201 - its only way to be heard


if __name__ == "__main__":
    sweeping.SweepFolder = Telling  # type: ignore[misc]
    plan = planned()
    sweeping.run_planned(plan, folder=Path(sys.argv[1]), resume=True, threads=1, memory=row_by_row(plan))
