"""Sweeps as people ask for them: in memory or in a folder, on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..config.core import CoreConfig
from ..data.sizes import parse_bytes
from ..engine.bars import Bars
from ..engine.strategy import StrategyEngine
from ..engine.sweep.kinds import AnySweep
from ..engine.sweep.plan import plan_sweep
from ..engine.sweep.portions import state_memory
from ..engine.sweep.result import SweepResult
from ..engine.sweep.running import Told, count_threads, run_sweep, runner_of
from ..engine.sweep.scheduler_plan import plan_scheduler_sweep
from .sweep_folder import SweepFolder


def sweep(
    bars: Bars | Sequence[Bars],
    strategy: str | StrategyEngine,
    axes: Mapping[str, Any],
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: Told | None = None,
    **asked: Any,
) -> SweepResult:
    """Backtest many parameter sets.

    Every row has the bits of the single backtest with its parameters, whatever the threads, memory or cluster.

    Args:
        bars: The history of an instrument, or of several.
        strategy: An engine, or its name.
        axes: By parameter what it is varied over: a list or a range of values, a `Span` to draw from, or a `When`.
        folder: Where rows are kept as they are done; None: in memory only.
        resume: Whether to go on in a folder that has the same sweep.
        overwrite: Whether to replace the folder where it is there.
        threads: How many run side by side; None: one a processor.
        memory: Most that is held above the bars, in bytes or as `400M`, `4G`.
        progress: Told of the cells (rows × bars) that are done, and of all of them.
        **asked: Everything else that `plan_sweep` takes: sampling, sets, seed, metrics, slices, secondary, funding,
            catalog, and parameters and options that are not varied.

    Raises:
        UsageError: A name or value is refused, the memory does not do, or the folder has something else.
        DataError: The folder cannot be read.
        JournalError: A file of it is not the one that was written.
    """
    plan = plan_sweep(bars, strategy, axes, **asked)
    return run_planned(
        plan, folder=folder, resume=resume, overwrite=overwrite, threads=threads, memory=memory, progress=progress
    )


def sweep_scheduler(
    config: CoreConfig | str | Path,
    scheduler: str | None,
    axes: Mapping[str, Any],
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: Told | None = None,
    **asked: Any,
) -> SweepResult:
    """Backtest a scheduler with many sets of values: its capital policy, its keys, parameters of its strategies.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        axes: By name what it is varied over; see `plan_scheduler_sweep`.
        folder: As for `sweep`, like what follows.
        resume: Whether to go on in a folder that has the same sweep.
        overwrite: Whether to replace the folder where it is there.
        threads: How many run side by side; None: one a processor.
        memory: Most that is held above the bars.
        progress: Told of the cells that are done, and of all of them.
        **asked: Everything else that `plan_scheduler_sweep` takes.

    Raises:
        ConfigError: The configuration or a value is refused.
        UsageError: A name or value is refused, the memory does not do, or the folder has something else.
        DataError: The folder, or the bars, cannot be read.
    """
    plan = plan_scheduler_sweep(config, scheduler, axes, **asked)
    return run_planned(
        plan, folder=folder, resume=resume, overwrite=overwrite, threads=threads, memory=memory, progress=progress
    )


def run_planned(
    plan: AnySweep,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: Told | None = None,
) -> SweepResult:
    """Run a plan; arguments and errors are those of `sweep`."""
    most_bytes = parse_bytes(memory) if isinstance(memory, str) else memory
    state_memory(runner_of(plan), count_threads(threads), most_bytes)  # what is refused is so before a folder goes
    store = None
    if folder is not None:
        store = SweepFolder(Path(folder), plan, resume=resume, overwrite=overwrite)
    result = run_sweep(plan, threads=threads, memory_bytes=most_bytes, progress=progress, store=store)
    if store is not None:
        store.finish(result)
    return result
