"""The live demonstration, from its start to its end, and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from barstep.config.reading import PACKAGED
from barstep.errors import UsageError
from barstep.ops.live_demo import live_demo
from barstep.replay.clock import SystemClock

CLOCK = SystemClock()
PLACE = Path("var/run/binance_paper.json")


def test_it_does_all_that_it_says(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The view is open, a schedule is suspended, seen and resumed, all ends in order, and the journal verifies."""
    folder, said = tmp_path / "live-demo", list[str]()
    assert live_demo(PACKAGED, folder, seconds=4.0, clock=CLOCK, say=said.append)
    told = "\n".join(said)
    assert "core_multi in binance_paper: running" in capfd.readouterr().out
    assert "schedule  grid_schedule  (reason=demonstration, until=-, remaining=-)" in told
    assert "suspensions: none" in told
    assert "stopped by SIGTERM: loop exit code 0, venue exit code 0" in told
    assert "binance_paper: PASS; " in told and "PASS: the same bits" in told
    assert json.loads((folder / "ledger.jsonl").read_text().splitlines()[0])["order_id"]
    assert not (folder / PLACE).exists()


def test_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    """Its exit code is 130, and neither the loop nor its address is left."""
    command = [sys.executable, "-m", "barstep", "live-demo", "--folder", "demo"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if b"running" in line:
                break
        place = tmp_path / "demo" / PLACE
        pid = json.loads(place.read_text())["pid"]
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, rest
    assert not place.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """It is refused, and what is in it stays."""
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        live_demo(PACKAGED, tmp_path, seconds=4.0, clock=CLOCK, say=print)
    assert mine.read_text() == "mine"
