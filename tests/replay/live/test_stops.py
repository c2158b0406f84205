"""A loop that is asked to stop at any moment ends in order, within five seconds, and its journal is whole."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from barstep.errors import BarstepError
from barstep.replay.channel.client import ChannelClient
from barstep.replay.control.verbs import STREAM
from barstep.replay.control.wire import Question, encode
from killed_loops import CLOCK, SECRETS, Killed, wait_for
from uninterrupted import ENVIRONMENT

SEEDS = int(os.environ.get("SEEDS", "1"))
LONGEST_END_US = 5_000_000
QUESTIONS = 300


def takes_signals(loop: BaseProcess) -> bool:
    """Whether the command has begun to take SIGTERM itself."""
    status = Path(f"/proc/{loop.pid}/status").read_text()
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def ask_and_never_read(folder: Path, stack: ExitStack) -> bool:
    """Ask the loop's own service much, and leave the answers; False where it does not listen yet."""
    place = folder / "var" / "run" / f"{ENVIRONMENT}.json"
    try:
        client = ChannelClient(json.loads(place.read_text())["address"], SECRETS["CORE_SCHEDULER_TOKEN"], clock=CLOCK)
        stack.callback(client.close)
        stream = client.open(STREAM)
        for number in range(1, QUESTIONS + 1):
            stream.send(encode(Question(id=number, verb="status")))
    except (OSError, ValueError, BarstepError):  # it is not there yet, or ends just now
        return False
    return True


def test_it_stops_at_any_moment(tmp_path: Path, say: Callable[[str], None]) -> None:
    """By one SIGTERM or two, while somebody asks and does not read: exit 0, and the next start goes on."""
    rng, longest_us, mute, twice, rounds = np.random.default_rng(SEEDS), 0, 0, 0, 3 * SEEDS
    killed = Killed(tmp_path, bars=60 * rounds, words=())
    with killed.venue():
        for number in range(rounds):
            loop = killed.start()
            wait_for(lambda loop=loop: takes_signals(loop), "it takes no signals")
            with ExitStack() as stack:
                CLOCK.sleep_us(int(rng.integers(1_500_000)))
                if number % 3 == 2:
                    place = tmp_path / "var" / "run" / f"{ENVIRONMENT}.json"
                    wait_for(place.exists, "it does not listen")
                    mute += ask_and_never_read(tmp_path, stack)
                began_us = CLOCK.monotonic_us()
                loop.terminate()
                if number % 3 == 1:
                    twice += 1
                    CLOCK.sleep_us(int(rng.integers(50_000)))
                    loop.terminate()
                loop.join(30.0)
                took_us = CLOCK.monotonic_us() - began_us
            assert loop.exitcode == 0, f"exit {loop.exitcode}: {killed.log_tail()}"
            longest_us = max(longest_us, took_us)
            loop.close()
    say(f"stops: {rounds}, of which {twice} twice and {mute} beside a client that does not read; "
        f"the longest took {longest_us / 1e6:.2f} s")  # fmt: skip
    assert longest_us < LONGEST_END_US
    verdict = killed.barstep("decision-log", "verify", "--environment", ENVIRONMENT)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert list(tmp_path.glob(f"audit/decision_logs/{ENVIRONMENT}.0*.jsonl")), "no segment was sealed"
