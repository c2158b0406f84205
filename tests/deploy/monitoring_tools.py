"""Prometheus' own tools: what to run."""

import subprocess
from pathlib import Path

from programs import the_program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/rules/multi_strategy_rules.yml"


def run_tool(name: str, *words: str | Path) -> tuple[int, str]:
    """Its exit code and all that it says."""
    done = subprocess.run([the_program(name), *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
