"""The command as a whole: help, errors as one line, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as package
import pytest
from barstep.cli.app import app
from typer import Context
from typer.main import get_command

Run = Callable[..., object]
SOME = ("backtest", "config", "data", "decision-log", "halt", "keys", "scheduler")
HEAVY = {"numba", "llvmlite", "numpy", "polars", "pyarrow", "rich"}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        *([name, "--help"] for name in ("backtest", "config", "data", "decision-log", "halt", "keys", "scheduler")),
    ],
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    """Help and version answer without the libraries that take long to import."""
    code = (
        "import sys; from barstep.cli.app import main; sys.argv = ['barstep', *sys.argv[1:]]\n"
        "code = main(); print('imported', *sorted(name for name in sys.modules if '.' not in name)); sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    imported = set(ran.stdout.splitlines()[-1].split()[1:])
    assert "typer" in imported
    assert not imported & HEAVY


def test_every_command_is_in_the_help(barstep: Run) -> None:
    """`barstep` alone shows the commands and ends well."""
    ran = barstep()
    assert ran.code == 0
    for name in ("backtest", "config", "data", "decision-log", "demo", "doctor", "keys", "warmup"):
        assert f"\n  {name} " in ran.out


def test_the_help_says_of_each_command_what_it_says_itself() -> None:
    """The lines stand apart from the commands, so that none is imported for them."""
    group: Any = get_command(app)
    context = Context(group)
    lines = {name: command.get_short_help_str(1000) for name, command in group.commands.items()}
    assert len(lines) > 30
    for name, line in lines.items():
        command = group.get_command(context, name)
        assert (command.name, command.get_short_help_str(1000), command.hidden) == (name, line, False)
        assert command.params or command.commands
    assert group.get_command(context, "nothing") is None


def test_the_help_imports_no_command() -> None:
    """Nor does a command another one's module."""
    code = (
        "import sys; from barstep.cli.app import main; sys.argv = ['barstep', *sys.argv[1:]]; main()\n"
        "print(*(name for name in sys.modules if name.startswith('barstep.cli.')))"
    )
    alone = {"barstep.cli.app", "barstep.cli.commands"}
    for words, modules in (("--help", alone), ("licence --help", {*alone, "barstep.cli.licence"})):
        ran = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=True)
        assert set(ran.stdout.splitlines()[-1].split()) == modules


def test_version(barstep: Run) -> None:
    """`--version` prints the package's version."""
    assert barstep("--version").out == f"barstep {package.__version__}\n"


def test_a_group_alone_shows_its_help(barstep: Run) -> None:
    """`barstep data` is wrong use, answered by the group's help."""
    ran = barstep("data")
    assert ran.code == 2
    assert "generate" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["backtst"], 2, "No such command 'backtst'. Did you mean 'backtest'?"),
        (["backtest", "mean_reversion", "x", "--fee-bp", "1"], 2, "--fee-bps"),
        (["backtest"], 2, "a strategy engine and a dataset are needed"),
        (["backtest", "mean_revers", "x"], 2, "Did you mean 'mean_reversion'?"),
        (["backtest", "mean_reversion", "absent.parquet"], 3, "absent.parquet: no such file."),
        (["backtest", "mean_reversion", "x", "--fee-bps", "much"], 2, "'--fee-bps': Input should be a valid number"),
        (["data", "info", "absent.parquet"], 3, "absent.parquet: no such file."),
    ],
)
def test_wrong_words_get_one_line(barstep: Run, words: list[str], code: int, text: str) -> None:
    """A mistyped command, option, engine or file is one line on stderr, with the near name, and its exit code."""
    ran = barstep(*words)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert text in ran.err


def test_debug_raises_the_error(barstep: Run) -> None:
    """`--debug`, wherever it stands, shows where an error comes from."""
    with pytest.raises(package.UsageError, match="mean_reversion"):
        barstep("backtest", "mean_revers", "x", "--debug")


def test_a_folder_that_cannot_be_made_is_one_line(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """What the system refuses is one line too."""
    (tmp_path / "file").write_text("")
    ran = barstep("backtest", "sma_crossover", hours, "--output", tmp_path / "file" / "folder")
    assert ran.code == 3
    assert ran.err.count("\n") == 1
    assert str(tmp_path / "file") in ran.err


def test_interruption_has_its_code(barstep: Run, hours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130 and without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("barstep.engine.backtest.backtest", interrupted)
    ran = barstep("backtest", "sma_crossover", hours)
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_the_module_is_the_command() -> None:
    """`python -m barstep` does what `barstep` does."""
    ran = subprocess.run([sys.executable, "-m", "barstep", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"barstep {package.__version__}\n"
