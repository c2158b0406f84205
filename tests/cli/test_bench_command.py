"""`barstep bench gate`: options, the table, exit codes. Times are real here, so limits are far away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
FEW = ("--rounds", "16")
WIDE = "cases:\n  EMA: {ns_per_bar: 1e9, times_arithmetic: 1e9}\n  momentum: {times_copy: 1e9}\n"
DONCHIAN = Path(__file__).resolve().parents[2] / "docs" / "examples" / "donchian.py"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with budgets of two cases."""
    monkeypatch.chdir(tmp_path)
    Path("wide.yaml").write_text(WIDE)
    Path("narrow.yaml").write_text("cases:\n  EMA: {ns_per_bar: 1e-9}\n")


def test_within_budgets(barstep: Run) -> None:
    """A row a case, and 0."""
    ran = barstep("bench", "gate", *FEW, "--budgets", "wide.yaml")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("yardsticks: arithmetic ")
    assert lines[1].split() == ["case", "ns", "per", "×", "arithmetic", "×", "copy", "budget", "verdict"]
    assert [line.split()[0] for line in lines[2:4]] == ["EMA", "momentum"]
    assert lines[-1] == "PASS: 2 of 2 held to a budget, none over it"


def test_over_a_budget(barstep: Run) -> None:
    """1, and which."""
    ran = barstep("bench", "gate", *FEW, "--budgets", "narrow.yaml")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "FAIL: 1 of 1 over budget: EMA"


def test_a_baseline_is_saved_and_read(barstep: Run) -> None:
    """JSON on stdout stays JSON."""
    saved = barstep("bench", "gate", *FEW, "--only", "EMA", "--save-baseline", "there/base.json", "--json")
    assert json.loads(saved.out)["cases"][0]["case"] == "EMA"
    assert saved.err.splitlines()[0].startswith("no benchmarks/budgets.yaml here; reading the one that comes with")
    assert saved.err.splitlines()[-1] == "wrote there/base.json"
    Path("loose.yaml").write_text("allowed_slowdown: 1e6\n")
    ran = barstep("bench", "gate", *FEW, "--budgets", "loose.yaml", "--baseline", "there/base.json", "--json")
    plain = json.loads(ran.out)
    assert (ran.code, plain["status"], plain["baseline"]) == (0, "ok", "there/base.json")
    assert [row["case"] for row in plain["cases"]] == ["EMA"]


def test_a_strategy_of_ones_own(barstep: Run) -> None:
    """The documented example, held to what the command says, and to what the packaged file says."""
    assert barstep("bench", "gate", *FEW, "--strategy", DONCHIAN, "--max-ratio", "1e-9").code == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--budgets", "absent.yaml"], "absent.yaml: no such file"),
        (["--only", "EMAA"], "Did you mean 'EMA'?"),
        (["--rounds", "3"], "rounds is 3; allowed is 16 or more"),
        (["--max-ratio", "2"], "--max-ratio is for --strategy"),
        (["--save-baseline", "."], "--save-baseline .: is a folder"),
    ],
)
def test_wrong_use(barstep: Run, words: list[str], text: str) -> None:
    """2, in one line."""
    ran = barstep("bench", "gate", *words)
    assert (ran.code, ran.out) == (2, "")
    assert text in ran.err.splitlines()[-1]
