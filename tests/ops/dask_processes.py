"""A Dask scheduler and its workers as processes on loopback, started as one would by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from barstep.replay.clock import SystemClock
from distributed import Client

_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


@dataclass(frozen=True)
class DaskProcesses:
    """What runs."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: subprocess.Popen[bytes]

    def worker_pids(self, least: int = 1) -> list[int]:
        """Processes of the workers that are there, once there are as many as asked for."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(least, timeout=60)
            return list(client.run(os.getpid).values())


@contextmanager
def dask_processes(folder: Path, workers: int = 2) -> Iterator[DaskProcesses]:
    """A scheduler and workers of one thread each, which a nanny starts again when they end; all end at the end."""
    told = folder / "scheduler.json"
    shared = ["--scheduler-file", str(told), *_LOOPBACK]
    pool = ["--nworkers", str(workers), "--nthreads", "1", "--local-directory", str(folder)]
    with (folder / "dask.log").open("wb") as log:
        scheduler = subprocess.Popen(
            [sys.executable, "-m", "dask", "scheduler", "--port", "0", *shared], stdout=log, stderr=log, cwd=folder
        )
        pooled = subprocess.Popen(
            [sys.executable, "-m", "dask", "worker", *shared, *pool], stdout=log, stderr=log, cwd=folder
        )
    try:
        clock = SystemClock()
        while not told.exists():
            assert scheduler.poll() is None, (folder / "dask.log").read_text()
            clock.sleep_us(50_000)
        with Client(scheduler_file=str(told), set_as_default=False, timeout=30) as client:
            client.wait_for_workers(workers, timeout=60)
            address = str(client.scheduler.address)
        yield DaskProcesses(address, scheduler, pooled)
    finally:
        for process in (pooled, scheduler):
            process.kill()  # workers end with their nanny
            process.wait()
