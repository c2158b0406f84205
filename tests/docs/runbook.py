"""Types the blocks of a page, and holds what comes against what the page says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from console import Block
from terminal import Terminal

SEEDS = int(os.environ.get("SEEDS", "1"))
SLOW = "slow"


def is_run(block: Block) -> bool:
    """Whether a block is run here: not where the page says why not, or its program is not there.

    Under `BARSTEP_STRICT` a program that is missing is a failure.
    """
    if block.not_run == SLOW:
        return SEEDS > 1
    if block.needs and shutil.which(block.needs) is None:
        assert not os.environ.get("BARSTEP_STRICT"), f"{block.needs} is not installed"
        return False
    return not block.not_run


def run_blocks(terminal: Terminal, page: Path, blocks: Iterable[Block]) -> int:
    """Type all that is run, in order; gives how many commands that were."""
    steps = [step for block in blocks if is_run(block) for step in block.steps]
    for step in steps:
        ran = terminal.type(step.command, step.says)
        assert (ran.code, step.says(ran.told)) == (step.code, True), (
            f"{page.name}:{step.line}: $ {step.command}\nexit code {ran.code}, {step.code} expected; it printed\n"
            f"{ran.told}\nand the page says\n" + "\n".join(step.output)
        )
    return len(steps)
