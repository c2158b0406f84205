"""A live run's recording as datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from barstep.cli.data import app
from barstep.data.dataset import read_dataset
from barstep.data.importing import ImportOptions, import_file, import_recording
from barstep.data.recordings import RECORD, RecordedLeg, is_recording, read_recording, recording_head, signed
from barstep.errors import DataError, UsageError
from typer.testing import CliRunner

HOUR_US = 3_600_000_000
LEGS = [
    RecordedLeg(name="BTCUSDT", venue="binance", symbol="BTC/USDT"),
    RecordedLeg(name="ETHUSDT", venue="binance", symbol="ETHUSDT"),
    RecordedLeg(name="SOLUSDT", venue="binance", symbol="SOLUSDT"),
]


def bar(leg: int, hour: int, close: float = 11.0) -> tuple[Any, ...]:
    return leg, 1_704_067_200_000_000 + hour * HOUR_US, (10.0, 12.0, 9.0, close, 5.0), 0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three bars of one leg, out of order and one twice, two of another, none of the third; cut off at the end."""
    told = signed(np.array([bar(0, 1), bar(0, 0), bar(1, 0), bar(0, 1, 10.5), bar(0, 2), bar(1, 1)], dtype=RECORD))
    path = tmp_path / "run.bars"
    path.write_bytes(recording_head(LEGS, 3600) + told.tobytes() + b"torn")
    return path


def test_it_is_told_by_how_it_begins(recording: Path, tmp_path: Path) -> None:
    """Not by its name; another file of JSON is none."""
    other = tmp_path / "other.bars"
    other.write_text('[{"time": 1}]')
    assert is_recording(recording) and not is_recording(other) and not is_recording(tmp_path)
    with pytest.raises(DataError, match="is no recording"):
        read_recording(other)


def test_each_leg_has_its_bars_once_in_order(recording: Path) -> None:
    """Of a bar that is there twice the later one counts; what was cut off is passed over."""
    interval_seconds, (btc, eth, sol) = read_recording(recording)
    assert interval_seconds == 3600
    assert (np.diff(btc.ts_us) == HOUR_US).all() and btc.ts_us.size == 3
    assert btc.rows[3].tolist() == [11.0, 10.5, 11.0]
    assert (eth.ts_us.size, sol.ts_us.size) == (2, 0)


def test_it_becomes_a_dataset_for_each_leg(recording: Path) -> None:
    """With the venue's own names; legs without bars are left out."""
    btc, eth = import_recording(recording)
    assert (btc.dataset.info.symbol, btc.dataset.info.venue) == ("BTC/USDT", "binance")
    assert btc.dataset.frame["close"].to_list() == [11.0, 10.5, 11.0]
    assert eth.dataset.frame.height == 2


def test_one_leg_is_chosen_by_name(recording: Path) -> None:
    """By the run's name or the venue's; several at once are no dataset."""
    for symbol in ("BTCUSDT", "BTC/USDT"):
        assert import_file(recording, ImportOptions(symbol=symbol)).dataset.frame.height == 3
    with pytest.raises(DataError, match="Choose with --symbol"):
        import_file(recording)
    with pytest.raises(DataError, match="none that is asked for"):
        import_file(recording, ImportOptions(symbol="SOLUSDT"))
    with pytest.raises(UsageError, match="--interval"):
        import_recording(recording, ImportOptions(interval="1h"))


def test_the_command_writes_what_can_be_read_again(recording: Path, tmp_path: Path) -> None:
    """A file for each leg in the folder that is named; a single file is refused."""
    folder = tmp_path / "user"
    ran = CliRunner().invoke(app, ["import", str(recording), "-o", str(folder), "--json"])
    assert ran.exit_code == 0, ran.output
    files = json.loads(ran.stdout)["files"]
    assert [Path(one["output"]).name for one in files] == ["binance_BTC-USDT_1h.parquet", "binance_ETHUSDT_1h.parquet"]
    assert read_dataset(Path(files[0]["output"])).frame.height == 3
    refused = CliRunner().invoke(app, ["import", str(recording), "-o", str(tmp_path / "all.parquet")])
    assert isinstance(refused.exception, UsageError)
