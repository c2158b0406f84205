"""Every row of the page of commands is typed, in the folder that the page prepares."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import barstep as bs
import pytest
from console import console_blocks
from runbook import SEEDS, run_blocks
from terminal import ROOT, Terminal

PAGE = ROOT / "docs/runbooks/commands.md"
ROW = re.compile(r"^\| (.+?) \| `([^`]+)` \| (?:exit (\d)[^`]*)?`([^`]+)` \|$", re.MULTILINE)
RUNS_UNTIL_STOPPED = ("--run-forever", "--scheduler core_multi")
SLOW = ("barstep paper-smoke", "pytest ")
"""The suite does the same elsewhere; here they are run with SEEDS above 1."""

# Every flag and name that operators know from the scripts, so that none is left out of the page.
FLAGS = """
    --allow-missing-env --append --apply-policy-interval --clear-signal-limit --cycles --disable-strategy --environment
    --export-capital-diagnostics --export-capital-state --export-schedules --export-signal-limits --export-suspensions
    --headers-report --incident --iterations --key-id --list-schedules --list-signal-limits --list-suspensions
    --mtls-bundle-name --output --output-dir --output-json --print --print-runtime-plan --profile --rebalance-capital
    --resume-schedule --resume-tag --run-after-management --run-forever --run-once --scheduler
    --scheduler-required-scope --schedules --section --set-allocation-interval --set-capital-policy --set-signal-limit
    --show-capital-diagnostics --show-capital-state --signal-limit-duration --signal-limit-reason --signal-limit-until
    --signals --signing-key --skip-policy-rebalance --strategy --strict --suspend-schedule --suspend-tag
    --suspension-duration --suspension-reason --suspension-until --version
"""
SCRIPTS = """
    audit_security_baseline audit_stage4_compliance export_observability_bundle load_test_scheduler run_paper_smoke_ci
    run_multi_strategy_scheduler run_trading_stub_server smoke_demo_strategies telemetry_risk_profiles validate_config
    verify_decision_log verify_signature watch_metrics_stream
"""


@dataclass(frozen=True)
class Row:
    """What was typed before, what is typed now, and what comes of it."""

    before: str
    now: str
    code: int
    shown: str


def rows(*headings: str) -> list[Row]:
    """Those under some headings."""
    parts = dict(part.split("\n", 1) for part in PAGE.read_text().split("\n## ")[1:])
    found = [ROW.findall(parts[heading]) for heading in headings]
    return [Row(before, now, int(code or 0), shown) for part in found for before, now, code, shown in part]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """The folder as the page prepares it."""
    with Terminal(tmp_path_factory.mktemp("commands")) as made:
        run_blocks(made, PAGE, console_blocks(PAGE))
        yield made


@pytest.mark.parametrize("row", rows("Scripts", "The scheduler", "Tests"), ids=lambda row: row.now[:80])
def test_a_command_does_what_its_row_says(terminal: Terminal, row: Row) -> None:
    """Its exit code, and the piece of its output."""
    if row.now.startswith(SLOW) and SEEDS == 1:
        pytest.skip("the suite does the same elsewhere; run with SEEDS above 1")
    stays = row.now.endswith(RUNS_UNTIL_STOPPED) or "--run-forever" in row.now
    ran = terminal.type(f"{row.now} &" if stays else row.now, lambda told: row.shown in told)
    if stays:
        assert terminal.type(f"kill %{terminal.jobs} && wait %{terminal.jobs}").code == 0
    assert (ran.code, row.shown in ran.told) == (row.code, True), ran.told


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the page says that its names in Python are."""
    runtime = bs.build_demo_multi_strategy_runtime(ROOT / "config/core.yaml", end="2023-01-05")
    runtime.run()
    return {"bs": bs, "importlib": importlib, "runtime": runtime}


@pytest.mark.parametrize("row", rows("Names in Python"), ids=lambda row: row.now[:80])
def test_a_name_is_what_its_row_says(names: dict[str, Any], row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, and gives what is shown."""
    monkeypatch.chdir(ROOT)
    assert row.shown in repr(eval(row.now, dict(names)))  # noqa: S307


@pytest.mark.parametrize("row", rows("Tests"), ids=lambda row: row.now)
def test_a_test_that_is_named_is_there(row: Row) -> None:
    """Its file, and its function where one is named."""
    path, _, function = row.now.removeprefix("pytest ").partition("::")
    assert f"def {function or 'test_'}" in (ROOT / path).read_text()


def test_every_line_of_the_tables_is_a_row() -> None:
    """None is left out since it is written in another way."""
    tables = PAGE.read_text().split("\n## Places\n")[0]
    lines = [line for line in tables.splitlines() if line.startswith("| ") and not line.startswith("| Before")]
    assert len(lines) == len(rows("Scripts", "The scheduler", "Tests", "Names in Python")) > 100


@pytest.mark.parametrize("name", [*FLAGS.split(), *SCRIPTS.split()])
def test_every_flag_and_script_has_a_row(name: str) -> None:
    """In the column of what was typed before."""
    assert any(re.search(rf"(?<![\w-]){name}(?![\w-])", row.before) for row in rows("Scripts", "The scheduler"))
