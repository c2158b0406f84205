"""What a walk forward depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from .bars import Bars
from .strategy import StrategyEngine
from .sweep.plan import SweepPlan, plan_sweep
from .walk_windows import Walk, Window

MEASURED = ("total_return_pct", "max_drawdown_pct", "trades")
"""Metrics that are told of every training and test beside the one that decides."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkSetup:
    """All that a walk forward depends on: it can be made again.

    Attributes:
        engine: The strategy engine.
        bars: The instrument's history.
        axes: What is varied, as `plan_sweep` takes it.
        walk: Lengths of the windows.
        windows: Where they are.
        select: The metric by which a set is chosen.
        lowest: Whether its least value is best.
        sampling: How sets are drawn; likewise `sets` and `seed`.
        sets: How many are drawn; None for a grid.
        seed: Of what is drawn.
        options: Parameters and options that are not varied.
        secondary: The second venue's history; None for engines that trade one.
        funding: Funding rates; None where none are paid.
    """

    engine: StrategyEngine
    bars: Bars
    axes: Mapping[str, Any]
    walk: Walk
    windows: tuple[Window, ...]
    select: str
    lowest: bool
    sampling: str
    sets: int | None
    seed: int
    options: Mapping[str, Any]
    secondary: Bars | None
    funding: pl.DataFrame | None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that are told of every training and test."""
        return tuple(dict.fromkeys((self.select, *MEASURED)))

    def plan(self, bars: Bars, slices: int = 0) -> SweepPlan:
        """The sweep over some of the bars. Its sets are the same over all of them."""
        return plan_sweep(
            bars, self.engine, self.axes, sampling=self.sampling, sets=self.sets, seed=self.seed, metrics=self.metrics,
            slices=slices, secondary=self.secondary, funding=self.funding, **self.options,
        )  # fmt: skip
