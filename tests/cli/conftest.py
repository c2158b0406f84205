"""Runs the command as its entry point does, in this process; the tests import what they share from this folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from barstep.cli.app import main
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER

sys.path.insert(0, str(Path(__file__).parent))


@dataclass(frozen=True)
class Ran:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def barstep(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """A function that runs `barstep` with the words given."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["barstep", *map(str, words)])
        code = main()
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def hours() -> Path:
    """Two years of embedded hours."""
    return EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"


@pytest.fixture
def scheduler_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the configuration that comes with barstep, and no tokens in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("BARSTEP_TOKEN", "CORE_SCHEDULER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/core.yaml").write_bytes(PACKAGED.read_bytes())
    return tmp_path
