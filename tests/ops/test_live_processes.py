"""Commands that run beside this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from barstep.errors import FeedError
from barstep.ops.live_processes import live_process
from barstep.replay.clock import SystemClock

CLOCK = SystemClock()


def test_one_that_ends_too_early_says_why(tmp_path: Path) -> None:
    """With its exit code and its last words."""
    with (
        live_process("venue", ["stub-server", "--dataset", "nowhere"], tmp_path, os.environ, CLOCK) as process,
        pytest.raises(FeedError, match=r"venue has ended with exit code 3 before its address: .*no such folder"),
    ):
        process.wait_until(lambda: False, "its address", 60.0)


def test_one_that_does_not_come_about_is_given_up_and_ended(tmp_path: Path) -> None:
    """After the time that it has; it is gone afterwards."""
    words = ["stub-server", "--dataset", "embedded", "--address", "grpc://127.0.0.1:0", "--json"]
    with live_process("venue", words, tmp_path, os.environ, CLOCK) as process:
        process.wait_until(lambda: process.address != "", "its address", 60.0)
        with pytest.raises(FeedError, match=r"venue: a sign has not come within 0.1 seconds"):
            process.wait_until(lambda: False, "a sign", 0.1)
    assert process.wait() == 0
    assert '{"ledger"' in process.told()
