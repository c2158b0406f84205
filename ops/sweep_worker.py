"""What a worker of a cluster does: it makes the plan again, once, and runs rows of it."""

from __future__ import annotations

import fcntl
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
from distributed import get_worker

from ..engine.provenance import software
from ..engine.sweep.kinds import Rows, Runner
from ..engine.sweep.portions import cut
from ..errors import UsageError
from ..kernels._jit import CACHE_FOLDER, CACHE_IS_KEPT
from ..replay.clock import SystemClock
from .sweep_recipe import Recipe

_RUNNERS_KEPT = 2
"""Where one instrument ends, the next has begun."""

_runners: OrderedDict[tuple[str, int], Runner] = OrderedDict()
_lock = Lock()


def difference(expected: Mapping[str, str]) -> str:
    """How the software here differs from what is expected; empty where it does not."""
    here = software()
    return ", ".join(
        f"{name} {_short(here.get(name))} instead of {_short(value)}"
        for name, value in expected.items()
        if here.get(name) != value
    )


def _short(value: str | None) -> str:
    return "none" if value is None else value[:12]


def refuse_other_software(worker: str, differs: str) -> None:
    """Raise UsageError where a worker's software differs: its bits could."""
    if differs:
        raise UsageError(f"worker {worker} has {differs}; install there what is installed here")


def hold(value: Any) -> Any:
    """The same. As a task's result a worker keeps it, and a cluster makes it again where that worker is lost."""
    return value


def run_rows(recipe: Recipe, instrument: int, data: Any, start: int, stop: int, together: int) -> tuple[Rows, float]:
    """Run rows start..stop of one instrument, counted from its first.

    Args:
        recipe: The plan but for its bars.
        instrument: Its place in the plan.
        data: Its bars.
        start: First row.
        stop: The row after the last one.
        together: Most rows that are run together.

    Returns:
        The rows, and the seconds that they took.
    """
    runner = _runner_of(recipe, instrument, data)
    clock = SystemClock()
    began_us = clock.monotonic_us()
    pieces = [runner.run(first, last, _go_on) for first, last in cut(runner, start, stop, together, 1)]
    values = np.concatenate([piece.values for piece in pieces], axis=1)
    slices = np.concatenate([piece.slices for piece in pieces])
    return Rows(start, values, slices), (clock.monotonic_us() - began_us) / 1e6


def _runner_of(recipe: Recipe, instrument: int, data: Any) -> Runner:
    """What runs the rows; all threads of a worker share it."""
    key = recipe.key, instrument
    with _lock:
        if key not in _runners:
            refuse_other_software(str(get_worker().address), difference(recipe.software))
            with _alone():
                runner = recipe.runner(data)
                runner.run(0, 1, _go_on)  # kernels are compiled, or loaded, before anything is timed
            _runners[key] = runner
        _runners.move_to_end(key)
        while len(_runners) > _RUNNERS_KEPT:
            _runners.popitem(last=False)
        return _runners[key]


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time compile: of those that start together the first does, the others load what it made."""
    if CACHE_FOLDER is None or not CACHE_IS_KEPT:
        yield
        return
    with (CACHE_FOLDER / "compiling.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _go_on(_: int) -> bool:
    return True
