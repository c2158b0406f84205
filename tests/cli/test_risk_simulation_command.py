"""`barstep risk-simulation` writes both reports and exits by its verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]
SMALL = """
lead: 1d
watch: 1d
moments: 1
tolerated: {max_drawdown_pct: 100, daily_risk_budget_pct: 100, max_position_pct: 100}
scenarios:
  gap: {kind: price_gap, gap_pct: -20}
"""
FEW = ("--paths", 2, "--horizon", "2d", "--profile", "balanced", "--scenarios", "small.yaml")


def test_both_reports_the_tables_and_the_verdict(barstep: Run, scheduler_folder: Path) -> None:
    """A row a scenario and a limit; a gap of 80 % is more than balanced may lose, so that it exits 1 and says why."""
    (scheduler_folder / "small.yaml").write_text(SMALL.replace("-20", "-80"))
    ran = barstep("risk-simulation", *FEW)
    assert (ran.code, ran.err) == (1, "")
    written = scheduler_folder / "var/risk_simulation"
    assert sorted(path.name for path in written.iterdir()) == [
        "risk_simulation_report.json", "risk_simulation_report.pdf",
    ]  # fmt: skip
    lines = ran.out.splitlines()
    assert lines[0] == "balanced: BREACH"
    assert (lines[2].split()[0], lines[2].split()[-1]) == ("gap", "BREACH")
    assert [line.split()[0] for line in lines[4:8]] == [
        "max_drawdown_pct", "daily_risk_budget_pct", "max_position_pct", "max_leverage",
    ]  # fmt: skip
    document = json.loads((written / "risk_simulation_report.json").read_text())
    assert document["status"] == "breach"
    assert lines[-1] == f"breach: {document['breaches'][-1]}"
    assert any(line.startswith("breach: balanced: max_drawdown_pct is 15; gap of 20") for line in lines)


def test_scenarios_are_read_strictly(barstep: Run, scheduler_folder: Path) -> None:
    """One line for the error, and nothing is run."""
    (scheduler_folder / "small.yaml").write_text(SMALL.replace("gap_pct", "gap_pc"))
    ran = barstep("risk-simulation", *FEW)
    assert ran.code == 2
    assert "Did you mean 'gap_pct'?" in ran.err
    assert not (scheduler_folder / "var").exists()
