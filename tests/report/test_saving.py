"""A folder of results is there in full or not at all."""

from __future__ import annotations

from pathlib import Path

import barstep as bs
import polars as pl
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.report.saving import save_results


@pytest.fixture(scope="module")
def result() -> bs.Result:
    """A backtest of the embedded minutes."""
    return bs.backtest(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet"), "sma_crossover")


@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_what_was_there(
    result: bs.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """When the disk is full half-way, an old folder stays as it was and a new one does not appear."""
    folder = tmp_path / "out"
    if there:
        save_results({"old": result}, folder)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(OSError, match="No space"):
        save_results({"new": result}, folder, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == (["out"] if there else [])
    if there:
        assert [entry.name for entry in folder.iterdir()] == ["old"]


def test_folders_above_are_made(result: bs.Result, tmp_path: Path) -> None:
    """A folder in folders that are not there yet is made, readable by others as usual."""
    save_results({"a": result}, tmp_path / "x" / "y" / "out")
    assert (tmp_path / "x" / "y" / "out" / "a" / "result.json").stat().st_size > 1000
    assert (tmp_path / "x" / "y" / "out").stat().st_mode & 0o777 == 0o755
