"""One peer in a process of its own: told over a pipe what to do, it answers each line with a line of JSON.

- `outputs FILE BARS`: run over so many bars, write what came out.
- `time`: time the yardstick, then one run.
- `memory`: peak of resident memory of a first run, above the input as the peer reads it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import sys
import time  # noqa: TID251 - a benchmark times things
from pathlib import Path
from typing import Any

import inputs
import numpy as np
import psutil
from work import Work

YARDSTICK_VALUES = 8_000_000
WARM_UP_BARS = 200_000
MEBIBYTE = 2**20


class Worker:
    """A peer's work on one input."""

    def __init__(self, module: str, work: str, kind: str, bars: int) -> None:
        self._setup = importlib.import_module(module).WORK[work]
        self._kind, self._bars = kind, bars
        self._work: Work | None = None
        self._source: np.ndarray | None = None

    def outputs(self, path: str, bars: str) -> dict[str, Any]:
        work = self._setup(inputs.KINDS[self._kind](int(bars)))
        np.savez(path, **work.read(work.run()))
        if int(bars) == self._bars:
            self._work = work
        return {}

    def run_once(self) -> dict[str, Any]:
        self._make_ready()
        gc.collect()  # nobody pays for what an earlier run left in cycles
        begin = time.perf_counter()
        np.copyto(self._copy, self._source)
        middle = time.perf_counter()
        product = self._work.run()
        end = time.perf_counter()
        del product
        return {"yardstick": middle - begin, "seconds": end - middle}

    def _make_ready(self) -> None:
        """Before the first time: a run that is not timed, unless the check was one on as many bars."""
        if self._work is None:
            self._work = self._setup(inputs.KINDS[self._kind](self._bars))
            self._work.run()
        if self._source is None:
            self._source, self._copy = np.zeros(YARDSTICK_VALUES), np.ones(YARDSTICK_VALUES)
            self._source[:] = 2.0  # memory that was never written is not there yet

    def memory(self) -> dict[str, Any]:
        """Compile on a short input first, so that the compiler's memory is not counted."""
        self._setup(inputs.KINDS[self._kind](min(self._bars, WARM_UP_BARS))).run()
        work = self._setup(inputs.KINDS[self._kind](self._bars))
        _give_back_freed()
        before = psutil.Process().memory_info().rss
        _forget_peak()
        work.run()
        return {"growth_mib": (_peak() - before) / MEBIBYTE, "before_mib": before / MEBIBYTE}


def _give_back_freed() -> None:
    """What was freed but kept for reuse would hide as much of the run's own memory."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> None:
    """Let the kernel count the peak of resident memory from here on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    module, work, kind, bars = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    worker = Worker(module, work, kind, int(bars))
    commands = {"outputs": worker.outputs, "time": worker.run_once, "memory": worker.memory}
    for line in sys.stdin:
        name, *arguments = line.split("\t")
        print(json.dumps(commands[name.strip()](*(a.strip() for a in arguments))), file=answers, flush=True)


if __name__ == "__main__":
    main()
