"""A sweep on a cluster: rows go out in batches, each as plain values, and come back as they are done.

Bars are sent once for each instrument, when its first rows go out. They are the argument of a task whose result workers
keep: Dask makes it again where a worker that had it is lost, as it does every row that such a worker was at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dask
from distributed import CancelledError, Client, Future, KilledWorker, wait
from distributed.comm.core import CommClosedError

from ..engine.sweep.kinds import AnySweep, Rows, Runner
from ..engine.sweep.plan import SweepPlan
from ..engine.sweep.running import Told
from ..engine.sweep.scheduler_plan import SchedulerSweepPlan
from ..errors import UnreachableError, UsageError, in_one_line
from .bars_data import digests_in, digests_to_find
from .cluster import WORKERS_SECONDS, slots_of
from .sweep_batches import Batch, Batches
from .sweep_engine_recipe import PackedSweep
from .sweep_recipe import Packing, Recipe
from .sweep_scheduler_recipe import PackedScheduler
from .sweep_worker import difference, hold, refuse_other_software, run_rows

_AHEAD = 2
"""Batches that are out for each that is run: one waits, so that no worker does."""

_LOOK_SECONDS = 5

_KEPT = "where a folder was named, the rows that are done are in it, and --resume goes on"

RowsFuture = Future[tuple[Rows, float]]
"""Rows of a batch that is out, and the seconds that they took."""


class ClusterRun:
    """Runs portions of a sweep on a cluster; what `run_sweep` takes as `run`."""

    def __init__(self, client: Client, address: str, data_folder: str | None = None) -> None:
        """Take a connected cluster.

        Args:
            client: Its client.
            address: What it is called in errors.
            data_folder: A folder that workers see; datasets that all of them find there by digest are not sent.
        """
        self._client, self._address, self._data_folder = client, address, data_folder

    def __call__(self, runner: Runner, portions: Iterable[tuple[int, int]], told: Told | None) -> Iterator[Rows]:
        """Yield rows as they are done.

        Raises:
            UsageError: A worker has other software, or no process but this one has the engine.
            UnreachableError: The scheduler is gone, or no worker is left, or some rows end every worker.
        """
        left = list(portions)
        if not left:
            return
        plan = runner.plan
        packed = pack(plan)
        batches = Batches(left, plan.sets.height, packed.cells)
        with self._reached():
            self._refuse_others(packed.recipe)
            sending = _Sending(self._client, packed, self._found(packed), max(stop - start for start, stop in left))
        out: dict[RowsFuture, Batch] = {}
        cells = 0
        while batches or out:
            self._send(sending, batches, out)
            for future in self._ended(out):
                batch = out.pop(future)
                rows, seconds = self._result(future, batch)
                batches.measured(batch, seconds)
                cells += batches.cells(batch)
                if told is not None:
                    told(cells, plan.cells)
                yield Rows(rows.start + batch.instrument * plan.sets.height, rows.values, rows.slices)
            sending.forget_all_but({batch.instrument for batch in (*out.values(), *batches.next())})

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (CancelledError, CommClosedError, OSError) as error:
            raise UnreachableError(f"{self._address}: the scheduler is gone; {_KEPT}") from error

    def _send(self, sending: _Sending, batches: Batches, out: dict[RowsFuture, Batch]) -> None:
        """Let every worker have enough to do, and hold no more."""
        with self._reached():
            slots = max(slots_of(self._client), 1)
            while batches and len(out) < _AHEAD * slots:
                batch = batches.take(slots)
                out[sending.send(batch)] = batch

    def _ended(self, out: dict[RowsFuture, Batch]) -> list[RowsFuture]:
        """Those that are done, in order; waits for one."""
        without_workers = 0
        while without_workers < WORKERS_SECONDS:
            with self._reached():
                try:
                    with self._client.as_current():
                        done = wait(list(out), timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED").done
                    return sorted(done, key=lambda one: (out[one].instrument, out[one].start))
                except TimeoutError:
                    without_workers = 0 if slots_of(self._client) else without_workers + _LOOK_SECONDS
        raise UnreachableError(f"{self._address}: there was no worker for {WORKERS_SECONDS} s; {_KEPT}")

    def _result(self, future: RowsFuture, batch: Batch) -> tuple[Rows, float]:
        with self._reached():
            error = future.exception()
            if error is None:
                found: tuple[Rows, float] = future.result()
                return found
        if isinstance(error, KilledWorker):
            raise UnreachableError(
                f"{self._address}: rows {batch.start:,} to {batch.stop - 1:,} of instrument {batch.instrument + 1} "
                f"ended each worker that tried them, last {error.last_worker.address}; give workers more memory"
            )
        raise error

    def _refuse_others(self, recipe: Recipe) -> None:
        """Raise where a worker has other software."""
        for worker, differs in self._client.run(difference, recipe.software, on_error="return").items():
            if isinstance(differs, OSError):
                continue  # it went away; one that comes is asked with its first rows
            if isinstance(differs, Exception):
                raise UsageError(f"worker {worker} cannot run barstep's rows ({in_one_line(differs)})") from differs
            refuse_other_software(worker, differs)

    def _found(self, packed: Packing) -> dict[str, str]:
        """Digest and folder of the bars that every worker finds."""
        if self._data_folder is None:
            return {}
        wanted = digests_to_find(packed.bars)
        found = self._client.run(digests_in, self._data_folder, wanted).values()
        return {digest: self._data_folder for digest in wanted if all(digest in each for each in found)}


def pack(plan: AnySweep) -> Packing:
    """A plan, taken apart for other processes.

    Raises:
        UsageError: They cannot find its engine.
    """
    if isinstance(plan, SchedulerSweepPlan):
        return PackedScheduler(plan)
    if isinstance(plan, SweepPlan):
        return PackedSweep(plan)
    raise TypeError(f"{type(plan).__name__} is no plan of a sweep")


class _Sending:
    """Sends batches, and before the first of an instrument its bars."""

    def __init__(self, client: Client, packed: Packing, in_folder: dict[str, str], together: int) -> None:
        self._client, self._packed, self._in_folder, self._together = client, packed, in_folder, together
        self._recipe = self._hold(packed.recipe)
        self._data: dict[int, Future[Any]] = {}

    def send(self, batch: Batch) -> RowsFuture:
        if batch.instrument not in self._data:
            self._data[batch.instrument] = self._hold(self._packed.data(batch.instrument, self._in_folder))
        return self._client.submit(
            run_rows, self._recipe, batch.instrument, self._data[batch.instrument], batch.start, batch.stop,
            self._together, pure=False,
        )  # fmt: skip

    def forget_all_but(self, instruments: set[int]) -> None:
        """Let go of bars of which no rows are out."""
        self._data = {place: held for place, held in self._data.items() if place in instruments}

    def _hold(self, value: Any) -> Future[Any]:
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            return self._client.submit(hold, value, pure=False)
