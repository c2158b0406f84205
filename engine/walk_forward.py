"""Choose parameters on the past, trade them on what follows, move on: out of sample from end to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from ..errors import UsageError
from .bars import Bars
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .metrics import is_less_better
from .overfitting import BLOCKS, cross_validate, sharpe_by_row
from .strategy import StrategyEngine
from .sweep.axes import settled_axes
from .sweep.result import SweepResult
from .sweep.running import run_sweep
from .walk_forward_result import WalkForwardResult
from .walk_setup import WalkSetup
from .walk_stitching import Choice, stitch
from .walk_windows import Walk, Window

Progress = Callable[[int, int], None]

_ONE_FOR_ALL = ("capital", "lot", "liquidation_fee_bps", "ambiguous_fills")
"""Options of the one account that goes through all tests."""


def walk_forward(
    bars: Bars,
    strategy: str | StrategyEngine,
    axes: Mapping[str, Any],
    *,
    train_bars: int,
    test_bars: int,
    step_bars: int = 0,
    anchored: bool = False,
    purge_bars: int = 0,
    embargo_bars: int = 0,
    select: str = "sharpe",
    lowest: bool | None = None,
    sampling: str = "grid",
    sets: int | None = None,
    seed: int = 0,
    secondary: Bars | None = None,
    funding: pl.DataFrame | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> WalkForwardResult:
    """Sweep each training, trade its best set over the test that follows, and join the tests to one account.

    In a test the engine goes on from its training, so that it is warm. It decides from the close of the first test bar
    on, takes up what the engine then wishes, and its position is closed at the open of the last one: each test starts
    flat, with the equity that the one before left. Pardo 2008, The Evaluation and Optimization of Trading Strategies.

    Args:
        bars: The instrument's history.
        strategy: An engine, or its name.
        axes: What is varied: parameters of the engine and options of `Execution`, as in `sweep`.
        train_bars: Length of a training; of the first one where they are anchored.
        test_bars: Length of a test.
        step_bars: From one test to the next; 0: the length of a test.
        anchored: Whether every training starts at the first bar; else it rolls on with its length.
        purge_bars: Bars between a training and its test that belong to neither.
        embargo_bars: Bars after each test that later trainings leave out.
        select: The metric by which the best set is chosen; of equal ones the first. Where no set has a value, the test
            is not traded.
        lowest: Whether its least value is best; None: as the metric has it, so for drawdowns and costs.
        sampling: How sets are drawn, as in `sweep`. All trainings have the same sets.
        sets: How many are drawn; None for a grid.
        seed: Of what is drawn.
        secondary: The second venue's history; for engines that trade two.
        funding: Funding rates, as in `backtest`.
        catalog: Where names are looked up.
        threads: How many run sets side by side; None: one a processor. Results do not depend on it.
        progress: Told of the bars that are done, counted once for each set, and of all of them.
        **options: Parameters and options that are not varied.

    Raises:
        UsageError: A name or value is refused, or the windows do not fit into the history.
        DataError: The two venues have no time in common.
    """
    if not isinstance(bars, Bars):
        raise UsageError(f"the bars are a {type(bars).__name__}; a walk forward takes the Bars of one instrument")
    for name in _ONE_FOR_ALL:
        if name in axes:
            raise UsageError(f"{name} is one for the account that goes through all tests; it cannot be varied")
    walk = Walk(
        train_bars=train_bars, test_bars=test_bars, step_bars=step_bars, anchored=anchored, purge_bars=purge_bars,
        embargo_bars=embargo_bars,
    )  # fmt: skip
    windows = walk.windows(len(bars))
    engine = catalog[strategy] if isinstance(strategy, str) else strategy
    setup = WalkSetup(
        engine=engine, bars=bars, axes=settled_axes(axes), walk=walk, windows=windows, select=select,
        lowest=is_less_better(select) if lowest is None else lowest,
        sampling=sampling, sets=sets, seed=seed, options=options, secondary=secondary, funding=funding,
    )  # fmt: skip
    sweeps = _Sweeps(setup, threads, progress)
    choices = [sweeps.choose(window) for window in windows]
    stitched, tested = stitch(setup, choices)
    swept = sweeps.whole()
    moments = [np.ascontiguousarray(each) for each in np.moveaxis(swept.slice_moments, 2, 0)]
    can_be_judged = sweeps.plan.count > 1 and sweeps.bars >= 2 * BLOCKS
    return WalkForwardResult(
        asked=setup,
        stitched=stitched,
        tested=tested,
        drawn=sweeps.plan.asked,
        trials=swept.table.with_columns(pl.Series("sharpe_per_bar", sharpe_by_row(*moments))),
        overfitting=cross_validate(*moments) if can_be_judged else None,
    )


class _Sweeps:
    """The sweeps of the trainings and of the whole span, and how far they are.

    Attributes:
        bars: How many bars the whole span has.
        plan: The sweep of these.
    """

    def __init__(self, setup: WalkSetup, threads: int | None, progress: Progress | None) -> None:
        self._setup, self._threads, self._progress = setup, threads, progress
        self.bars = setup.windows[-1].test_stop
        self.plan = setup.plan(setup.bars.part(0, self.bars), slices=min(BLOCKS, self.bars))
        trained = sum(window.train_bars for window in setup.windows)
        self._done, self._all = 0, self.plan.count * (trained + self.bars)

    def choose(self, window: Window) -> Choice:
        """The set that is best in a training."""
        plan = self._setup.plan(window.training(self._setup.bars))
        swept = run_sweep(plan, threads=self._threads, progress=self._tell)
        self._done += plan.cells
        best = swept.best(self._setup.select, 1, lowest=self._setup.lowest)
        if not best.height:
            return Choice(window=window)
        found = best.row(0, named=True)
        return Choice(
            window=window,
            row=found["row"],
            varied={name: found[name] for name in plan.sets.columns},
            metrics={name: found[name] for name in plan.metrics},
        )

    def whole(self) -> SweepResult:
        """The sweep of all bars from the first training to the last test."""
        return run_sweep(self.plan, threads=self._threads, progress=self._tell)

    def _tell(self, done: int, _: int) -> None:
        if self._progress is not None:
            self._progress(self._done + done, self._all)
