"""The adapter's log is lines of JSON in a file of ours alone, and does not grow for ever."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from barstep.replay import adapter_log
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.clock import SimulatedClock


def test_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event is one line with its time; a full file makes way for a new one, and is kept beside it."""
    heard: list[str] = []
    path = tmp_path / "logs" / "binance.log"
    log = AdapterLog(path, SimulatedClock(1_000_000), heard.append)
    log.write("sent", order_id="a\nb", lots=3)
    assert json.loads(path.read_text()) == {
        "at": "1970-01-01T00:00:01.000000Z", "event": "sent", "order_id": "a\nb", "lots": 3
    }  # fmt: skip
    assert heard == ["sent order_id=a\nb lots=3"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setattr(adapter_log, "MOST_BYTES", path.stat().st_size)
    log.write("end")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["end"]
    assert json.loads(path.with_name("binance.log.1").read_text())["event"] == "sent"
