"""A loop that is killed at any moment goes on as if nothing had been: no decision is lost, no order doubled.

Loop and venue are processes on loopback. `SEEDS` says how often they are killed; what ran is printed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from killed_loops import PATIENCE_S, STRACE, Killed
from uninterrupted import ENVIRONMENT, Uninterrupted

SEEDS = int(os.environ.get("SEEDS", "1"))
KILLS = 3
BARS_A_KILL = 20
BYTES_A_BAR = 10_000
"""About what a bar leaves in the journal."""


def can_trace() -> bool:
    """Whether kills at system calls can be tried; where that must be, a missing tool fails."""
    assert STRACE or os.environ.get("BARSTEP_STRICT") != "1", "strace is not installed, and BARSTEP_STRICT is 1"
    return bool(STRACE)


@pytest.mark.parametrize("seed", range(1, 2 + (SEEDS - 1) // 10))
def test_kills_lose_and_double_nothing(seed: int, tmp_path: Path, say: Callable[[str], None]) -> None:
    """Orders as in the venue's ledger, a journal that verifies, and the state of a loop that was never killed."""
    traced, rng, wanted = can_trace(), np.random.default_rng(seed), KILLS * min(SEEDS, 10)
    killed = Killed(tmp_path, bars=BARS_A_KILL * (wanted + 4))
    with killed.venue() as venue:
        for number in range(wanted):
            if killed.journal_bytes() > BYTES_A_BAR * BARS_A_KILL * wanted:
                break
            at_a_call = traced and number % 2 == 0
            killed.kill_one(rng, BYTES_A_BAR * BARS_A_KILL, at_a_call=at_a_call)
        summary = killed.finish(venue)
    without = "" if traced else "; none at a system call: strace is not installed, skipped"
    say(f"kills, seed {seed}: {killed.kills} of which {killed.at_calls} at a system call, {summary}{without}")
    assert killed.problems() == []
    assert (summary["traded_twice"], summary["ordered_twice"]) == (0, 0)
    verdict = killed.barstep("decision-log", "verify", "--environment", ENVIRONMENT)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    records, state = Uninterrupted(killed.bars).told()
    told, ended = killed.told()
    assert told == records
    assert ended == state


def test_a_missing_tool_fails_where_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without strace kills at system calls are left out, which a strict run does not let pass."""
    monkeypatch.setitem(globals(), "STRACE", "")
    monkeypatch.delenv("BARSTEP_STRICT", raising=False)
    assert not can_trace()
    monkeypatch.setenv("BARSTEP_STRICT", "1")
    with pytest.raises(AssertionError, match="strace is not installed"):
        can_trace()


def test_a_journal_that_is_behind_what_was_sent_is_found(tmp_path: Path) -> None:
    """A loop whose commits write nothing after a while is killed: orders at the venue are not those written."""
    killed = Killed(tmp_path, bars=300, defect="not durable")
    with killed.venue() as venue:
        loop = killed.start()
        loop.join(PATIENCE_S)
        assert loop.exitcode == -signal.SIGKILL
        killed.defect = ""
        killed.finish(venue)
    found = killed.problems()
    assert any("its tag is" in one or "not in the journal" in one for one in found), found
