"""Sweeps as people ask for them: in memory or in a folder, on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
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
from ..engine.sweep.running import Run, Told, count_threads, run_sweep, runner_of
from ..engine.sweep.scheduler_plan import plan_scheduler_sweep
from ..errors import UsageError
from .sweep_folder import SweepFolder
from .sweep_rows import CountedRows


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
    cluster: str | None = None,
    cluster_data: str | Path | None = None,
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
        memory: Most that is held above the bars, in bytes or as `400M`, `4G`; on a cluster in each
            thread of a worker.
        cluster: Where rows are run: `tcp://host:port` or `tls://host:port` of a Dask scheduler, or `local:N` for N
            processes of this machine; None: on threads of this process.
        cluster_data: A folder that workers see; datasets that they find there by digest are not sent to them.
        progress: Told of the cells (rows × bars) that are done, and of all of them.
        **asked: Everything else that `plan_sweep` takes: sampling, sets, seed, metrics, slices, secondary, funding,
            catalog, and parameters and options that are not varied.

    Raises:
        UsageError: A name or value is refused, the memory does not do, or the folder has something else.
        DataError: The folder cannot be read.
        JournalError: A file of it is not the one that was written.
        UnreachableError: The cluster does not answer, or is lost on the way.
    """
    plan = plan_sweep(bars, strategy, axes, **asked)
    return run_planned(
        plan, folder=folder, resume=resume, overwrite=overwrite, threads=threads, memory=memory, cluster=cluster,
        cluster_data=cluster_data, progress=progress,
    )  # fmt: skip


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
    cluster: str | None = None,
    cluster_data: str | Path | None = None,
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
        cluster: Where rows are run.
        cluster_data: A folder that workers see.
        progress: Told of the cells that are done, and of all of them.
        **asked: Everything else that `plan_scheduler_sweep` takes.

    Raises:
        ConfigError: The configuration or a value is refused.
        UsageError: A name or value is refused, the memory does not do, or the folder has something else.
        DataError: The folder, or the bars, cannot be read.
        UnreachableError: The cluster does not answer, or is lost on the way.
    """
    plan = plan_scheduler_sweep(config, scheduler, axes, **asked)
    return run_planned(
        plan, folder=folder, resume=resume, overwrite=overwrite, threads=threads, memory=memory, cluster=cluster,
        cluster_data=cluster_data, progress=progress,
    )  # fmt: skip


def run_planned(
    plan: AnySweep,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    memory: int | str | None = None,
    cluster: str | None = None,
    cluster_data: str | Path | None = None,
    progress: Told | None = None,
    rows: Told | None = None,
) -> SweepResult:
    """Run a plan; arguments and errors are those of `sweep`.

    rows: told of the rows that are done, and of all of them.
    """
    most_bytes = parse_bytes(memory) if isinstance(memory, str) else memory
    with ExitStack() as opened:
        run, reckoned = opened.enter_context(_running(cluster, cluster_data, threads))
        state_memory(runner_of(plan), count_threads(reckoned), most_bytes)  # what is refused is so before a folder goes
        store = None
        if folder is not None:
            store = opened.enter_context(closing(SweepFolder(Path(folder), plan, resume=resume, overwrite=overwrite)))
        counted = store if rows is None else CountedRows(store, plan.count, rows)
        result = run_sweep(plan, threads=reckoned, memory_bytes=most_bytes, progress=progress, store=counted, run=run)
        if store is not None:
            store.finish(result)
    return result


@contextmanager
def _running(
    cluster: str | None, cluster_data: str | Path | None, threads: int | None
) -> Iterator[tuple[Run | None, int | None]]:
    """Give what runs portions, None for threads of this process, and the threads that memory is reckoned for."""
    if cluster is None:
        if cluster_data is not None:
            raise UsageError("cluster_data is where a cluster's workers find bars; it goes with cluster")
        yield None, threads
        return
    if threads is not None:
        raise UsageError("threads are those of this process; on a cluster each worker has its own number of them")
    try:
        from .cluster import open_cluster  # noqa: PLC0415 - an extra, and a third of a second
        from .sweep_cluster import ClusterRun  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(f"a cluster needs {error.name}, which is missing: pip install 'barstep[cluster]'") from error
    with open_cluster(cluster) as client:
        folder = None if cluster_data is None else str(Path(cluster_data).absolute())
        yield ClusterRun(client, cluster, folder), 1
