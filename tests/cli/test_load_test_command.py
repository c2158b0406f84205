"""`barstep load-test`: a bare run, its options, and what the limits of the configuration make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED

Run = Callable[..., Any]
QUICK = ("--iterations", "2", "--interval-ms", "0")
SAMPLE = Path(__file__).resolve().parents[2] / "logs" / "load_tests" / "scheduler_profile.sample.json"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with limits that a test can reach."""
    monkeypatch.chdir(tmp_path)
    Path("config").mkdir()
    _limit(100_000)


def _limit(memory_mb: int) -> None:
    text = PACKAGED.read_text(encoding="utf-8")
    for key in ("cpu_pct: 100", "io_read_mb_s: 50", "io_write_mb_s: 20"):  # what else runs here is not looked at
        text = text.replace(f"    {key}", f"    {key}000")
    Path("config/core.yaml").write_text(text.replace("memory_mb: 2048", f"memory_mb: {memory_mb}"), encoding="utf-8")


def test_a_bare_run_writes_the_profile(barstep: Run, tmp_path: Path) -> None:
    """In `logs/load_tests`, with the members of the sample in the repository."""
    ran = barstep("load-test", *QUICK)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("core_multi in demo: 2 iterations of 3 schedules in ")
    assert ran.out.splitlines()[-2:] == ["resources: ok", "wrote logs/load_tests/scheduler_profile.json"]
    report = json.loads((tmp_path / "logs/load_tests/scheduler_profile.json").read_text())
    assert report["resource_status"] == "ok"
    assert _members(report) == _members(json.loads(SAMPLE.read_text()))


def test_a_breach_is_told(barstep: Run) -> None:
    """1, and the report says which."""
    _limit(1)
    ran = barstep("load-test", *QUICK, "--schedules", "1", "--signals", "2", "--json", "--output", "there/load.json")
    assert ran.code == 1
    report = json.loads(ran.out)
    assert report == json.loads(Path("there/load.json").read_text())
    assert (report["resource_status"], report["resources"]["memory_mb"]["status"]) == ("breach", "breach")
    assert report["signals_seen"] == {"accepted": 4}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--iterations", "0"], "iterations is 0; allowed is 1 to 1,000,000"),
        (["--scheduler", "core_mult"], "Did you mean 'core_multi'?"),
        (["--environment", "dem"], "Did you mean 'demo'?"),
        (["--config", "absent.yaml"], "absent.yaml"),
        (["--output", "."], "--output .: is a folder"),
    ],
)
def test_wrong_use(barstep: Run, words: list[str], text: str) -> None:
    """2, in one line, and nothing is written."""
    ran = barstep("load-test", *words)
    assert (ran.code, ran.out) == (2, "")
    assert text in ran.err.splitlines()[-1]
    assert not Path("logs").exists()


def _members(plain: Any) -> Any:
    return {name: _members(value) for name, value in plain.items()} if isinstance(plain, dict) else None
