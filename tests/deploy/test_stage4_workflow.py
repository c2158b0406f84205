"""The workflow of stage 4: its names are those that the runbooks say, and every command in it is one of barstep's."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from barstep.cli.app import app
from typer import Context
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "deploy" / "ci" / "github_actions_stage4_multi_strategy.yml"


def read_workflow() -> dict[str, Any]:
    """As the core schema of YAML 1.2 reads it: `on` is a word."""
    read: dict[str, Any] = yaml.load(WORKFLOW.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return read


PLAN = read_workflow()
STEPS = PLAN["jobs"]["stage4"]["steps"]


def scripts() -> Iterator[tuple[str, str]]:
    """Name and script of each step that has one."""
    for step in STEPS:
        if "run" in step:
            yield step["name"], step["run"]


def commands() -> list[str]:
    """Every call of barstep in the scripts."""
    lines = (line.strip() for _, script in scripts() for line in script.splitlines())
    return [line for line in lines if line.startswith("barstep ")]


def test_it_runs_by_hand_and_every_week() -> None:
    """Under the name of the runbooks, with tools that are missing counted as failures."""
    assert PLAN["name"] == "Stage4 multi-strategy smoke"
    assert set(PLAN["on"]) == {"workflow_dispatch", "schedule"}
    (cron,) = (one["cron"] for one in PLAN["on"]["schedule"])
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", cron)
    assert PLAN["env"]["BARSTEP_STRICT"] == "1"


def test_the_steps_and_the_artefact_that_runbooks_name() -> None:
    """In this order; coverage is written before it is enforced."""
    names = [step.get("name") for step in STEPS]
    told = ["Run targeted pytest suite with coverage", "Enforce coverage thresholds", "Validate Prometheus alert rules"]
    places = [names.index(name) for name in told]
    assert places == sorted(places)
    by_name = dict(scripts())
    assert "coverage xml -o coverage.xml" in by_name[told[0]]
    assert [int(share) for share in re.findall(r"--fail-under=(\d+)", by_name[told[1]])] == [85, 87, 87]
    upload = STEPS[-1]
    assert upload["uses"].startswith("actions/upload-artifact@")
    assert upload["with"]["name"] == "stage4-multi-strategy-${{ github.run_id }}"
    assert "coverage.xml" in upload["with"]["path"].split()


@pytest.mark.parametrize("line", commands())
def test_each_command_exists(line: str) -> None:
    """With all of its options."""
    words = shlex.split(re.sub(r"\s>.*", "", line))[1:]
    command: Any = get_command(app)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"barstep has no {words[0]!r}: {line}"
        command = command.get_command(Context(command), words.pop(0))
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize(
    "words", sorted({tuple(re.findall(r"[\w-]+", line.partition(" --")[0])[1:]) for line in commands()})
)
def test_each_command_has_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """`barstep … --help` exits with 0."""
    assert get_command(app).main([*words, "--help"], standalone_mode=False) in (0, None)
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "script"), list(scripts()))
def test_each_script_is_a_shell_script(name: str, script: str) -> None:
    """`bash -n` takes it."""
    ran = subprocess.run(["bash", "-n"], input=script, text=True, check=False, capture_output=True)  # noqa: S607
    assert (ran.returncode, ran.stderr) == (0, ""), name


def test_each_file_that_it_reads_is_there() -> None:
    """Rules and their tests."""
    named = re.findall(r"deploy/[\w/.-]+\.yml", WORKFLOW.read_text(encoding="utf-8"))
    assert "deploy/prometheus/rules/multi_strategy_rules.yml" in named
    for path in named:
        assert (ROOT / path).is_file(), path
