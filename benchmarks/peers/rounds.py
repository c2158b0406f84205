"""Processes that take turns: in each round every peer runs once, with the yardstick beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from agreement import greatest_difference
from cases import Case, Peer
from work import Outputs

HERE = Path(__file__).parent
THREAD_SETTINGS = (
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


class PeerError(Exception):
    """A peer is missing, failed, or disagrees."""


class Process:
    """A peer's process, started on entering and ended on leaving."""

    def __init__(self, peer: Peer, case: Case) -> None:
        self._peer = peer
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed on leaving
        threads = dict.fromkeys(THREAD_SETTINGS, str(case.threads))
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), peer.module, peer.work, case.kind, str(case.bars)],
            env={**os.environ, **threads},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, *command: str) -> dict[str, Any]:
        """Send one command and wait for its answer.

        Raises:
            PeerError: The process has ended; its last line says why.
        """
        try:
            print(*command, sep="\t", file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip().splitlines()
            raise PeerError(f"{self._peer.label}: {said[-1] if said else f'exit {self._process.returncode}'}")
        return json.loads(answer)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):  # it may have ended by itself
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Check that all peers agree, time them in turns, then measure the memory of each in a fresh process.

    Raises:
        PeerError: A peer is missing, failed, or disagrees; nothing of the case has been timed then.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(peer, case)) for peer in case.everyone]
        differences = _check(case, processes)
        times = [[process.ask("time") for process in processes] for _ in range(rounds)]
    return {
        "differences": differences,
        "seconds": [[answer["seconds"] for answer in row] for row in times],
        "yardstick": [[answer["yardstick"] for answer in row] for row in times],
        "memory": [_memory(peer, case) for peer in case.everyone],
    }


def _memory(peer: Peer, case: Case) -> dict[str, Any]:
    with Process(peer, case) as process:
        return process.ask("memory")


def _check(case: Case, processes: Sequence[Process]) -> list[float]:
    """Greatest difference of each peer from the first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outputs.npz"
        reference = _outputs(processes[0], path, case.bars_checked)
        found = [0.0]
        for peer, process in zip(case.peers, processes[1:], strict=True):
            found.append(_difference(case, peer, reference, _outputs(process, path, case.bars_checked)))
    return found


def _outputs(process: Process, path: Path, bars: int) -> Outputs:
    process.ask("outputs", str(path), str(bars))
    with np.load(path) as saved:
        outputs = dict(saved)
    path.unlink()
    return outputs


def _difference(case: Case, peer: Peer, reference: Outputs, outputs: Outputs) -> float:
    greatest = 0.0
    for name, values in outputs.items():
        difference = greatest_difference(reference[name][case.skip :], values[case.skip :])
        if not difference <= peer.tolerance:
            raise PeerError(f"{peer.label}: {name} is off by {difference:.2g}; allowed is {peer.tolerance:g}")
        greatest = max(greatest, difference)
    return greatest
