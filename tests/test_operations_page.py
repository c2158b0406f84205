"""The operator's page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from barstep.cli.app import app
from barstep.replay.control.reloading import MAY_CHANGE
from barstep.replay.control.verbs import SCOPES
from typer import Context
from typer.main import get_command

PAGE = (Path(__file__).resolve().parent.parent / "docs/operations.md").read_text()


def section(heading: str) -> str:
    """The text under a heading."""
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_its_table_of_permissions_is_the_code_s() -> None:
    """Every verb with its scope, and none besides."""
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|$", section("From another terminal"), re.MULTILINE)
    assert len(rows) == len(SCOPES)
    assert dict(rows) == dict(SCOPES)


def test_it_has_every_flag_of_the_scheduler() -> None:
    """And no flag that there is not."""
    group: Any = get_command(app)
    run = group.get_command(Context(group), "scheduler").commands["run"]
    known = {flag for option in run.params for flag in option.opts} - {"--help", "--journal-folder"}
    told = set(re.findall(r"`(--[a-z-]+)", PAGE))
    assert known - told == {"--token-file"}  # that is on the page of security
    assert told - known == {"--reason", "--once", "--every", "--incident"}  # of other commands


def test_it_lists_what_a_reload_takes() -> None:
    """By the names in the configuration."""
    rows = re.findall(r"^\| `(\w+)` \| ", section("The configuration anew"), re.MULTILINE)
    assert tuple(rows) == MAY_CHANGE
