"""Rows of a scheduler's sweep: one backtest after another."""

from __future__ import annotations

import numpy as np

from .kinds import Progress, Rows, StoppedError
from .scheduler_plan import SchedulerSweepPlan

_BYTES_A_CELL = 64
"""Tables of runs, decisions and equity, a bar of one schedule in one instrument; measured, and rounded up."""


class SchedulerRowRunner:
    """Runs rows of one plan; threads may share it."""

    def __init__(self, plan: SchedulerSweepPlan) -> None:
        self.plan = plan

    def bytes_of(self, sets: int) -> int:  # noqa: ARG002 - one row is there at a time, however many are asked for
        """What a row holds while it runs."""
        return _BYTES_A_CELL * self.plan.cells_of_a_row

    @property
    def bytes_kept(self) -> int:
        """Nothing beside the table."""
        return 0

    def shares_columns(self, start: int, stop: int) -> bool:
        """Rows share nothing: each is a portion by itself."""
        return stop - start == 1

    def run(self, start: int, stop: int, progress: Progress) -> Rows:
        """What rows start..stop come to.

        Raises:
            StoppedError: `progress` said so.
        """
        values = np.empty((len(self.plan.metrics), stop - start))
        for row in range(start, stop):
            metrics = self.plan.result_of(row).metrics
            values[:, row - start] = [metrics[name] for name in self.plan.metrics]
            if not progress(self.plan.cells_of_a_row):
                raise StoppedError
        return Rows(start, values, np.zeros((stop - start, 0, 3)))
