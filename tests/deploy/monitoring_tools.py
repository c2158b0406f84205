"""Prometheus' own tools: what to run, and what is said where they are not there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/rules/multi_strategy_rules.yml"


def the_tool(name: str) -> str:
    """Where a tool is; the test is skipped where it is not installed, and fails under BARSTEP_STRICT=1."""
    found = shutil.which(name)
    if found is None:
        assert os.environ.get("BARSTEP_STRICT") != "1", f"{name} is not installed, and BARSTEP_STRICT is 1"
        pytest.skip(f"{name} is not installed")
    return found


def run_tool(name: str, *words: str | Path) -> tuple[int, str]:
    """Its exit code and all that it says."""
    done = subprocess.run([the_tool(name), *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
