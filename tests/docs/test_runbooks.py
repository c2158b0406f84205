"""Every command of the runbooks is typed, and its output is what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from console import console_blocks, languages
from runbook import is_run, run_blocks
from terminal import ROOT, Terminal

DOCS = ROOT / "docs"
COMMANDS = DOCS / "runbooks/commands.md"
PAGES = sorted(
    {*DOCS.glob("runbooks/**/*.md"), *DOCS.glob("training/*.md"), *DOCS.glob("architecture/*.md")} - {COMMANDS}
)
NOT_RUN = {"slow": 3}
REASON_WORDS = 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    """From a clone's root, in order, with the exit codes and outputs of the page."""
    blocks = console_blocks(page)
    with Terminal(tmp_path) as terminal:
        typed = run_blocks(terminal, page, blocks)
    assert typed == sum(len(block.steps) for block in blocks if is_run(block))
