"""Rows of a sweep are counted as they are done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from barstep.engine.bars import Bars
from barstep.engine.sweep.plan import plan_sweep
from barstep.ops.sweeping import run_planned


def test_each_row_is_told_once_and_kept_ones_first(tmp_path: Path) -> None:
    """From what was kept to all of them, never back; with a folder and without."""
    close = 100.0 + np.cumsum(np.random.default_rng(1).normal(size=300))
    hours = np.arange(300) * 3_600_000_000
    bars = Bars.from_arrays(hours, close, close + 1.0, close - 1.0, close, np.ones(300), interval_seconds=3600)
    plan = plan_sweep(bars, "mean_reversion", {"lookback": [24, 36, 48, 60]})
    for folder in (None, tmp_path / "kept"):
        told: list[tuple[int, int]] = []
        run_planned(plan, folder=folder, threads=1, rows=lambda *one: told.append(one))  # noqa: B023
        assert told[0] == (0, 4) and told[-1] == (4, 4)
        assert [done for done, _ in told] == sorted(done for done, _ in told)
    again: list[tuple[int, int]] = []
    run_planned(plan, folder=tmp_path / "kept", resume=True, threads=1, rows=lambda *one: again.append(one))
    assert again == [(4, 4)]
