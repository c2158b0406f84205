"""`barstep reproduce`: exit codes, what is printed, and results of every command that saves one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.seal import file_digest, sealed

MINUTES = EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet"
HOURS = [EMBEDDED_FOLDER / f"binance_{name}_1h.parquet" for name in ("BTCUSDT", "ETHUSDT")]


@pytest.mark.parametrize(
    "words",
    [
        ("backtest", "mean_reversion", MINUTES, "--set", "lookback=30", "--stop-loss-pct", "1"),
        ("portfolio", *HOURS, "--strategy", "mean_reversion=0.5", "--set", "mean_reversion.lookback=30"),
        ("backtest", "--scheduler", "hedged_multi", "--start", "2023-02-01", "--end", "2023-02-15", "--without-limits"),
    ],
    ids=["backtest", "portfolio", "scheduler"],
)
def test_what_a_command_saved_comes_out_the_same(barstep: Any, tmp_path: Path, words: tuple[Any, ...]) -> None:
    """The folder that it wrote is enough, and the exit code is 0."""
    assert barstep(*words, "--output", tmp_path / "out").code == 0
    ran = barstep("reproduce", tmp_path / "out")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("same: ")
    ran = barstep("reproduce", tmp_path / "out", "--json")
    document = json.loads(ran.out)
    assert (ran.code, document["verdict"], document["differences"]) == (0, "same", [])


def _folder(barstep: Any, tmp_path: Path) -> Path:
    barstep("backtest", "sma_crossover", MINUTES, "--output", tmp_path / "out")
    return tmp_path / "out" / MINUTES.stem


def test_another_result_exits_1(barstep: Any, tmp_path: Path) -> None:
    """The table says from which row on, both values stand beside it, and values of the document follow."""
    folder = _folder(barstep, tmp_path)
    fills = pl.read_parquet(folder / "fills.parquet")
    fills.with_columns(fee=pl.col("fee") * 2.0).write_parquet(folder / "fills.parquet")
    document = json.loads((folder / "result.json").read_text())
    rest = {key: value for key, value in document.items() if key not in {"files", "sha384"}}
    rest["provenance"]["numba"], rest["final_equity"] = "0.1", 1.5
    files = {name: file_digest(folder / name) for name in document["files"]}
    (folder / "result.json").write_text(json.dumps(sealed(rest, files)))
    ran = barstep("reproduce", folder)
    assert ran.code == 1
    (row,) = [line.split() for line in ran.out.splitlines() if line.split()[0] == "fills"]
    assert row[2:7] == ["not", "the", "same", "0", "fee"]
    assert "final_equity: was 1.5, is " in ran.out
    assert "computed by another numba: was 0.1, is " in ran.out
    assert ran.out.splitlines()[-1].startswith("not the same: ")


def test_an_edited_folder_exits_5(barstep: Any, tmp_path: Path) -> None:
    """A number that was touched up in the document is seen, and nothing is run."""
    folder = _folder(barstep, tmp_path)
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace('"trades": ', '"trades": 1', 1))
    ran = barstep("reproduce", folder)
    assert ran.code == 5
    assert ran.err.startswith(f"error: {folder}: result.json was edited")


def test_what_is_no_result_exits_3(barstep: Any, tmp_path: Path) -> None:
    """A name that is not there, and a folder without a result."""
    assert barstep("reproduce", tmp_path / "no").code == 3
    assert barstep("reproduce", tmp_path).code == 3
