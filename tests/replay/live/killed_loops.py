"""Loops that are killed at a venue of their own: both are processes, and talk over loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from barstep.config.durations import instant_at
from barstep.replay.clock import SystemClock
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from loop_process import start_loop
from order_checks import order_problems
from twins import of_both
from uninterrupted import CORE, ENVIRONMENT, HOUR_US, START_US, last_checkpoint

ADDRESS = "    adapter_address: grpc+tls://localhost:8815\n    mtls_bundle: core-oem\n"
SECRETS = {"CORE_SCHEDULER_TOKEN": "c" * 64, "BARSTEP_ADAPTER_TOKEN": "a" * 64}
WORDS = ("scheduler", "run", "--environment", ENVIRONMENT, "--run-forever")
CALLS = ("write", "fdatasync", "pwrite64", "rename,renameat,renameat2", "sendmsg,sendto")
STRACE = shutil.which("strace") or ""
CLOCK = SystemClock()
PATIENCE_S = 120.0
ENDED = "ended: the recorded bars end here."
"""What the venue writes down once a loop has heard the last bar."""


def wait_for(what: Any, why: str) -> None:
    """Wait until a condition holds."""
    deadline = CLOCK.monotonic_us() + round(PATIENCE_S * 1e6)
    while not what():
        assert CLOCK.monotonic_us() < deadline, why
        CLOCK.sleep_us(3_000)


@dataclass
class Killed:
    """A folder with a loop's configuration and secrets, and a venue that serves it.

    Attributes:
        folder: The working folder.
        bars: How many hours the venue trades.
        kills: How many loops were killed.
        at_calls: How many of them at a system call.
        words: What else is typed to the venue.
        defect: What is wrong with the loop on purpose; see `loop_process`.
    """

    folder: Path
    bars: int
    kills: int = 0
    at_calls: int = 0
    words: tuple[str, ...] = ("--once",)
    defect: str = ""

    def barstep(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "barstep", *words], cwd=self.folder, env=self._environ(), capture_output=True,
            text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def _environ(self) -> dict[str, str]:
        return {**os.environ, **SECRETS}

    @contextmanager
    def venue(self) -> Iterator[subprocess.Popen[str]]:
        """The venue, and the loop's folder made for it."""
        end = instant_at(START_US + self.bars * HOUR_US)
        command = [
            sys.executable, "-m", "barstep", "stub-server", "--dataset", "embedded", "--address", "grpc://127.0.0.1:0",
            "--start", f"{instant_at(START_US):%Y-%m-%dT%H:%M}", "--end", f"{end:%Y-%m-%dT%H:%M}",
            "--ledger", "ledger.jsonl", "--json", *self.words,
        ]  # fmt: skip
        with (
            (self.folder / "venue.err").open("w") as told,
            subprocess.Popen(
                command, cwd=self.folder, env=self._environ(), stdout=subprocess.PIPE, stderr=told, text=True
            ) as venue,
        ):
            try:
                assert venue.stdout is not None
                self._prepare(json.loads(venue.stdout.readline())["address"])
                yield venue
            finally:
                if venue.poll() is None:
                    venue.send_signal(signal.SIGTERM)
                    venue.communicate(timeout=60)

    def _prepare(self, address: str) -> None:
        text = CORE.read_text(encoding="utf-8")
        assert ADDRESS in text
        (self.folder / "config").mkdir()
        path = self.folder / "config" / "core.yaml"
        path.write_text(text.replace(ADDRESS, f"    adapter_address: {address}\n", 1), encoding="utf-8")
        made = self.barstep("keys", "init", "--environment", ENVIRONMENT)
        assert made.returncode == 0, made.stderr

    def start(self, *, waits: bool = False) -> BaseProcess:
        """Start the loop."""
        return start_loop(self.folder, WORDS, SECRETS, waits=waits, defect=self.defect)

    @property
    def files(self) -> JournalFiles:
        """Its journal."""
        return JournalFiles(folder=self.folder / "audit" / "decision_logs", environment=ENVIRONMENT)

    def journal_bytes(self) -> int:
        """How much has been written, about."""
        return sum(path.stat().st_size for path in self.files.folder.glob(f"{ENVIRONMENT}*.jsonl"))

    def kill_one(self, rng: np.random.Generator, most_bytes: int, *, at_a_call: bool) -> None:
        """Start a loop and kill it: once it has written so much, after some time, or at a system call."""
        loop = self.start(waits=at_a_call)
        tracer = _tracer(loop, rng) if at_a_call else None
        after_bytes = 3 * most_bytes if at_a_call else int(rng.integers(most_bytes))  # where the call never comes
        until = self.journal_bytes() + after_bytes
        after_us = 400_000 if not at_a_call and rng.random() < 0.2 else round(PATIENCE_S * 0.5e6)
        at_us = CLOCK.monotonic_us() + int(rng.integers(after_us))
        wait_for(
            lambda: not loop.is_alive() or self.journal_bytes() > until or CLOCK.monotonic_us() > at_us,
            "the loop writes nothing",
        )
        came_by_itself = not loop.is_alive()
        loop.kill()
        loop.join()
        code = loop.exitcode
        loop.close()
        if tracer is not None:
            tracer.communicate(timeout=30)
        assert code == -signal.SIGKILL, f"exit {code}: {self.log_tail()}"
        self.kills += 1
        self.at_calls += came_by_itself

    def finish(self, venue: subprocess.Popen[str]) -> dict[str, Any]:
        """Go on to the end of the recorded bars, and stop loop and venue; gives the venue's summary.

        The venue does not stop by itself where a loop was killed between its first word and its journal: it has a run
        of it that nobody goes on with.
        """
        loop = self.start()
        told = self.folder / "logs" / "adapters" / "stub.log"
        wait_for(lambda: ENDED in told.read_text() or not loop.is_alive(), "the venue does not come to its end")
        heard = told.with_name(f"{ENVIRONMENT}.log")
        wait_for(lambda: " INFO connected" not in heard.read_text().splitlines()[-1], "the loop does not hear of it")
        assert loop.is_alive(), f"exit {loop.exitcode}: {self.log_tail()}"
        loop.terminate()
        loop.join(5.0)
        assert loop.exitcode == 0, f"exit {loop.exitcode}: {self.log_tail()}"
        venue.send_signal(signal.SIGTERM)
        (*_, last) = venue.communicate(timeout=60)[0].splitlines()
        summary: dict[str, Any] = json.loads(last)["ledger"]
        return summary

    def log_tail(self) -> str:
        """What the loop told last."""
        return (self.folder / "loop.log").read_text()[-2_000:]

    def problems(self) -> list[str]:
        """What is wrong with the orders, held against the venue's ledger."""
        read = list(read_payloads(self.files))
        journal = [{**fields_of(payload), "seq": place.seq, "mac": place.mac} for place, payload in read]
        ledger = [json.loads(line) for line in (self.folder / "ledger.jsonl").read_text().splitlines()]
        return order_problems(journal, ledger, last_checkpoint([payload for _, payload in read])["live"]["tags"])

    def told(self) -> tuple[list[bytes], Any]:
        """Its records that a replay writes, too, and its state at the end."""
        payloads = [payload for _, payload in read_payloads(self.files)]
        return of_both(payloads), last_checkpoint(payloads)["state"]


def _tracer(loop: BaseProcess, rng: np.random.Generator) -> subprocess.Popen[str]:
    """Have a process that waits killed when it enters a system call for the n-th time, and let it go on."""
    calls, when = CALLS[int(rng.integers(len(CALLS)))], int(rng.integers(1, 40))
    if calls.startswith("rename"):
        when = int(rng.integers(1, 4))
    _wait_until_stopped(loop)
    tracer = subprocess.Popen(
        [STRACE, "-f", "-p", str(loop.pid), "-o", "/dev/null", "-e", f"trace={calls}",
         "-e", f"inject={calls}:signal=KILL:when={when}"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stderr is not None and loop.pid is not None
    line = tracer.stderr.readline()
    assert "attached" in line, line
    os.kill(loop.pid, signal.SIGCONT)
    return tracer


def _wait_until_stopped(loop: BaseProcess) -> None:
    status = Path(f"/proc/{loop.pid}/stat")
    wait_for(lambda: status.read_text().rpartition(")")[2].split()[0] == "T", "it does not stop itself")
