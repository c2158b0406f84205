"""The bars that a live run was told, on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from barstep.errors import DataError
from barstep.replay.channel.messages import Leg
from barstep.replay.live.recording import Recording

LEGS = [Leg(name=name, venue="binance", symbol=name) for name in ("BTCUSDT", "ETHUSDT")]
ROW = (10.0, 12.0, 9.0, 11.0, 5.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two bars of one leg and one of the other; the last one is torn."""
    path = tmp_path / "private" / "run.bars"
    recording = Recording(path, LEGS, 60)
    recording.add(0, {0: ROW, 1: ROW})
    recording.add(60_000_000, {0: ROW})
    recording.close()
    os.truncate(path, path.stat().st_size - 1)
    return path


def test_it_goes_on_behind_its_last_whole_bar(path: Path) -> None:
    """What a loss of power has torn is cut off when it is opened again, and what comes follows."""
    recording = Recording(path, LEGS, 60)
    assert [bars.ts_us.tolist() for bars in recording.read()] == [[0], [0]]
    recording.add(120_000_000, {1: ROW})
    assert [bars.ts_us.tolist() for bars in recording.read()] == [[0], [0, 120_000_000]]
    recording.close()


@pytest.mark.parametrize(("legs", "interval_seconds"), [(LEGS[::-1], 60), (LEGS[:1], 60), (LEGS, 3600)])
def test_bars_of_another_run_are_refused_and_kept(path: Path, legs: list[Leg], interval_seconds: int) -> None:
    """Other instruments, or another length of bar; nothing of the file is changed."""
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"run\.bars: holds bars of other instruments"):
        Recording(path, legs, interval_seconds)
    assert path.read_bytes() == before
