"""`barstep acceptance run` tells each step and exits by the verdict; what the steps find is tried in `tests/ops`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.ops.acceptance.running import STEPS

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
QUICK = {"configuration", "secrets", "strategy_bundle", "observability_bundle", "signatures", "dashboards"}
SKIPPED = [word for step in STEPS if step.name not in QUICK for word in ("--skip", step.name)]


@pytest.fixture
def installation(scheduler_folder: Path) -> Path:
    """A folder with the configuration, rules and dashboards."""
    shutil.copytree(ROOT / "deploy", scheduler_folder / "deploy")
    return scheduler_folder


def test_a_line_a_step_and_exit_0(barstep: Run, installation: Path) -> None:
    """In the order of the runbook, with the verdict on the last line; secrets that are made are told on stderr."""
    ran = barstep("acceptance", "run", "--timestamp", "T1", "--run-id", "42", *SKIPPED)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == [step.name for step in STEPS]
    assert {line.split()[1] for line in lines if line.startswith("PASS ")} == QUICK
    assert lines[-1] == "PASS; var/audit/acceptance/T1"
    assert "made for the demonstration: secrets/journal/demo/epoch.key" in ran.err
    assert (installation / "var/audit/acceptance/T1/stage4_smoke/observability-bundle-42.tar.gz").is_file()
    again = barstep("acceptance", "run", "--timestamp", "T1", *SKIPPED)
    assert (again.code, again.err) == (2, "error: var/audit/acceptance/T1: is there already; choose another "
                                          "--timestamp.\n")  # fmt: skip


def test_a_failure_exits_1_in_json_too(barstep: Run, installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dashboard is not there; the version of strategies is that of its variable."""
    monkeypatch.setenv("STAGE4_STRATEGY_BUNDLE_VERSION", "2024.06")
    (installation / "deploy/grafana/provisioning/dashboards/stage4_multi_strategy.json").unlink()
    ran = barstep("acceptance", "run", "--timestamp", "T2", "--json", *SKIPPED)
    assert ran.code == 1
    document = json.loads(ran.out)
    failed = [step for step in document["steps"] if step["status"] == "FAIL"]
    assert [step["step"] for step in failed] == ["dashboards"]
    assert "no such dashboard" in failed[0]["text"]
    assert (installation / "var/audit/acceptance/T2/stage4_smoke/stage4-strategies-2024.06.zip").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--skip", "smok"), "Did you mean 'smoke'?"),
        (("--timestamp", "../away"), "--timestamp '../away'"),
        (("--run-id", "a b"), "--run-id 'a b'"),
    ],
)
def test_wrong_use_exits_2(barstep: Run, installation: Path, words: tuple[str, str], told: str) -> None:
    """One line, and nothing is written."""
    ran = barstep("acceptance", "run", *words)
    assert ran.code == 2
    assert told in ran.err
    assert not (installation / "var").exists()
