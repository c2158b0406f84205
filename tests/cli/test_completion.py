"""The shell completes commands, options and the names of the configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("scheduler_folder")
HEAVY = ("numba", "numpy", "polars", "pyarrow", "rich")
CODE = (
    "import sys; from barstep.cli.app import main\n"
    "try:\n    main()\n"
    f"finally:\n    print('heavy', *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
)


def completed(line: str) -> list[str]:
    """What bash is given for the last word of a line, by libraries that load at once."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_BARSTEP_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env={**os.environ, **words}, capture_output=True, text=True, check=True
    )
    assert done.stderr == "heavy\n"
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("barstep sched", ["scheduler"]),
        ("barstep scheduler ", ["run", "top", "reload"]),
        ("barstep scheduler run --list-s", ["--list-schedules", "--list-suspensions", "--list-signal-limits"]),
        ("barstep halt --rea", ["--reason"]),
        ("barstep scheduler run --environment b", ["binance_live", "binance_paper"]),
        ("barstep scheduler run --scheduler ", ["core_multi", "hedged_multi"]),
        ("barstep scheduler run --suspend-tag f", ["futures"]),
        ("barstep scheduler run --connect --resume-tag f", ["futures"]),
        ("barstep scheduler run --suspend-schedule trend_", ["trend_alpha", "trend_schedule"]),
        ("barstep scheduler run --scheduler hedged_multi --resume-schedule ", ["arb", "trend"]),
        ("barstep scheduler run --disable-strategy g", ["grid_engine"]),
        ("barstep scheduler run --set-signal-limit grid", ["grid_engine:aggressive", "grid_engine:balanced"]),
        ("barstep scheduler run --use-feed ", ["primary", "fallback"]),
        ("barstep scheduler run --environment nowhere --suspend-tag fut", ["futures"]),
        ("barstep scheduler run --scheduler nowhere --suspend-tag ", []),
    ],
)
def test_what_may_stand_there_is_offered(line: str, words: list[str]) -> None:
    """Options from the command itself, names from the configuration of the working folder."""
    assert sorted(completed(line)) == sorted(words)


def test_a_configuration_that_cannot_be_read_offers_no_names() -> None:
    """And the shell shows no error."""
    Path("config/core.yaml").write_text("runtime: [")
    assert completed("barstep scheduler run --suspend-tag ") == []


def test_the_shell_s_script_can_be_shown() -> None:
    """As it is installed."""
    done = subprocess.run(
        [sys.executable, "-m", "barstep", "--show-completion", "bash"], capture_output=True, text=True, check=True
    )
    assert "complete -o default -F _barstep_completion barstep" in done.stdout
