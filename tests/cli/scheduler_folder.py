"""A working folder in which a scheduler is run and managed, and a loop that runs in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from barstep.replay.clock import SystemClock

CORE = Path(__file__).parents[2] / "config" / "core.yaml"
PLACE = Path("var/run/demo.json")
JOURNAL = Path("audit/decision_logs/demo.jsonl")
BARS = ("--end", "2023-01-05")
CLOCK = SystemClock()


def records(kind: str) -> list[dict[str, Any]]:
    """Those of a kind, of all segments."""
    files = [*sorted(JOURNAL.parent.glob("demo.0*.jsonl")), JOURNAL]
    every = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    return [record for record in every if record["kind"] == kind]


def wait_for(what: Any, seconds: float = 90.0) -> None:
    """Wait until a condition holds."""
    deadline = CLOCK.monotonic_us() + round(seconds * 1e6)
    while not what():
        assert CLOCK.monotonic_us() < deadline, "it did not come about"
        CLOCK.sleep_us(20_000)


@contextmanager
def loop(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A loop that listens; it is ended by SIGTERM where the test has not ended it."""
    command = [sys.executable, "-m", "barstep", "scheduler", "run", "--run-forever", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)) as running:
        try:
            wait_for(lambda: PLACE.exists() or running.poll() is not None)
            assert running.poll() is None, running.stderr and running.stderr.read()
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGTERM)
                running.communicate(timeout=60)
