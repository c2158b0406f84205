"""`barstep smoke` runs what the Python call runs, writes the report and says with its exit code what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED
from barstep.ops.smoke import smoke

Run = Callable[..., Any]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "smoke.md"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without a configuration."""
    monkeypatch.chdir(tmp_path)


def test_with_nothing_said(barstep: Run, tmp_path: Path) -> None:
    """Three cycles of the demo, in a table, and `smoke_report.json` in the working folder."""
    ran = barstep("smoke")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("core_multi in demo: 21 runs executed, 0 skipped; equity ")
    assert [line.split()[0] for line in lines[1:9]] == [
        "schedule", "trend_schedule", "trend_alpha", "daily_trend_schedule", "mean_reversion_schedule",
        "volatility_schedule", "grid_schedule", "arbitrage_schedule",
    ]  # fmt: skip
    assert lines[-2:] == ["PASS: 0 issues, 0 warnings", "wrote smoke_report.json"]
    assert json.loads((tmp_path / "smoke_report.json").read_text())["cycles"] == 3


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--cycles", "2", "--strategy", "mean_reversion"], {"cycles": 2, "strategy": "mean_reversion"}),
        (["--cycles", "1", "--strategy", "daily_trend"], {"cycles": 1, "strategy": "daily_trend"}),
        (
            ["--scheduler", "hedged_multi", "--environment", "local", "--start", "2024-03-01T02:00+02:00"],
            {"scheduler": "hedged_multi", "environment": "demo", "start": "2024-03-01"},
        ),
    ],
)
def test_what_is_asked_for(barstep: Run, tmp_path: Path, words: list[str], asked: dict[str, Any]) -> None:
    """Each option has its effect; `--json` prints the report that is written."""
    ran = barstep("smoke", *words, "--json", "--output", "there/report.json", "--config", PACKAGED)
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert told == json.loads((tmp_path / "there" / "report.json").read_text())
    assert told == json.loads(json.dumps(smoke(PACKAGED, **asked).to_dict()))


def test_a_failure_is_told(barstep: Run, tmp_path: Path) -> None:
    """What fails is printed and written, and the exit code is 1."""
    text = PACKAGED.read_text(encoding="utf-8").replace("{warn: 3.0, fail: 5.0}", "{warn: 0.1, fail: 0.2}")
    Path("own.yaml").write_text(text, encoding="utf-8")
    ran = barstep("smoke", "--config", "own.yaml", "--strategy", "mean_reversion", "--cycles", 1)
    assert ran.code == 1
    assert "fail: mean_reversion_schedule: avg_abs_zscore is 0.9" in ran.out
    assert "FAIL: 1 issues, 0 warnings" in ran.out
    assert json.loads((tmp_path / "smoke_report.json").read_text())["status"] == "fail"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--strategy", "mean_reverson"], 2, "Did you mean 'mean_reversion'?"),
        (["--cycles", "0"], 2, "cycles is 0; allowed is 1 or more"),
        (["--cycles", "800"], 2, "hold 722 of its due times after warm-up"),
        (["--environment", "binance_paper"], 2, "binance_paper"),
        (["--start", "yesterday"], 2, "yesterday"),
        (["--config", "absent.yaml"], 2, "absent.yaml"),
        (["--output", "."], 2, "--output .: is a folder; name a file, such as smoke_report.json."),
    ],
)
def test_wrong_use(barstep: Run, tmp_path: Path, words: list[str], code: int, text: str) -> None:
    """What cannot be run is one line and its exit code, and no report is written."""
    ran = barstep("smoke", *words)
    assert (ran.code, ran.out) == (code, "")
    assert text in ran.err.splitlines()[-1]
    assert not (tmp_path / "smoke_report.json").exists()


def test_the_page_shows_what_is_printed(barstep: Run) -> None:
    """Every command of the page ends well, and prints what stands below it there."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    commands, shown = blocks[0].splitlines(), blocks[1].splitlines()
    for line in commands:
        words = line.partition("#")[0].split()[2:]
        assert barstep(*words).code == 0, line
    assert len(commands) == 3
    assert barstep(*shown[0].split()[2:]).out.splitlines() == shown[1:]
