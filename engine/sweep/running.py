"""Runs the portions of a sweep on threads; compiled rows release the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import islice
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..threads import count_threads
from .kinds import AnySweep, Rows, Runner
from .plan import SweepPlan
from .portions import cut, state_memory
from .result import SweepResult
from .rows import RowRunner
from .scheduler_plan import SchedulerSweepPlan
from .scheduler_rows import SchedulerRowRunner

Told = Callable[[int, int], None]
"""Told of the cells that are done, and of all of them."""


class Store(Protocol):
    """Keeps rows as they are done, so that a sweep that was stopped can go on."""

    def kept(self) -> Iterator[Rows]:
        """The rows that are done."""

    def add(self, rows: Rows) -> None:
        """Keep rows."""


Run = Callable[[Runner, Iterable[tuple[int, int]], Told | None], Iterator[Rows]]
"""Runs portions and yields the rows of each as it is done."""


def run_sweep(
    plan: AnySweep,
    *,
    threads: int | None = None,
    memory_bytes: int | None = None,
    progress: Told | None = None,
    store: Store | None = None,
    run: Run | None = None,
) -> SweepResult:
    """Run a sweep.

    Args:
        plan: What is run.
        threads: How many run side by side; None: one a processor. Results do not depend on it.
        memory_bytes: Most that is held above the bars; None: what `portions.state_memory` says.
        progress: Told of the cells that are done, and of all of them.
        store: Has rows that are done already, and keeps the others; None: nothing is kept.
        run: What runs the portions; None: threads of this process.

    Raises:
        UsageError: The memory does not do.
    """
    used = count_threads(threads)
    runner = runner_of(plan)
    together = state_memory(runner, used, memory_bytes).together
    values = np.full((len(plan.metrics), plan.count), np.nan)
    slices = np.zeros((plan.count, plan.slices, 3))
    is_done = np.zeros(plan.count, dtype=bool)

    def take(rows: Rows) -> None:
        values[:, rows.start : rows.stop] = rows.values
        slices[rows.start : rows.stop] = rows.slices
        is_done[rows.start : rows.stop] = True

    for rows in store.kept() if store is not None else ():
        take(rows)
    gaps = list(_gaps(is_done))
    left = [portion for start, stop in gaps for portion in cut(runner, start, stop, together, used)]
    on_threads: Run = lambda runner, portions, told: run_portions(runner, portions, used, told)  # noqa: E731
    before = plan.cells - sum(plan.cells_of(start, stop) for start, stop in gaps)  # of rows that were kept
    told = None if progress is None else partial(_tell, progress, before)
    for rows in (run or on_threads)(runner, left, told):
        take(rows)
        if store is not None:
            store.add(rows)
    return SweepResult(plan=plan, values=values, slice_moments=slices)


def _tell(progress: Told, before: int, done: int, cells: int) -> None:
    progress(before + done, cells)


def runner_of(plan: AnySweep) -> Runner:
    """What runs the rows of a plan."""
    if isinstance(plan, SchedulerSweepPlan):
        return SchedulerRowRunner(plan)
    if isinstance(plan, SweepPlan):
        return RowRunner(plan)
    raise TypeError(f"{type(plan).__name__} is no plan of a sweep")


def _gaps(is_done: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where rows are not done: (start, stop) of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], is_done, [True])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def run_portions(
    runner: Runner, portions: Iterable[tuple[int, int]], threads: int, progress: Told | None
) -> Generator[Rows]:
    """Yield the rows of each portion as it is done. Closing the iterator, or an error, stops what runs."""
    state = _State(runner.plan.cells, progress)
    left = iter(portions)
    with ThreadPoolExecutor(threads, thread_name_prefix="sweep") as pool:
        running: set[Future[Rows]] = set()
        try:
            while True:
                for start, stop in islice(left, 2 * threads - len(running)):  # one waits for each that runs
                    running.add(pool.submit(runner.run, start, stop, state.done))
                if not running:
                    return
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(ended, key=lambda one: one.result().start):
                    yield future.result()
        finally:
            state.stopped = True


class _State:
    """What all threads of a sweep know: how far it is, and whether it goes on."""

    def __init__(self, cells: int, progress: Told | None) -> None:
        self.stopped = False
        self._cells, self._progress, self._lock = cells, progress, Lock()
        self._done = 0

    def done(self, cells: int) -> bool:
        """Add cells that are done; whether to go on."""
        with self._lock:
            self._done += cells
            if self._progress is not None:
                self._progress(self._done, self._cells)
        return not self.stopped
