"""A loop in a process of its own that starts fast: forked from one that has all modules and kernels loaded already.

What runs is the command itself, `barstep scheduler run`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

_CONTEXT = get_context("forkserver")


def start_loop(folder: Path, words: Sequence[str], environ: Mapping[str, str], *, waits: bool = False,
               defect: str = "") -> BaseProcess:  # fmt: skip
    """Start `barstep` with these words in a folder; what it tells goes to `loop.log` there.

    Args:
        folder: The working folder.
        words: What is typed.
        environ: Environment variables besides those that there are.
        waits: Whether it stops itself at first, until it is sent SIGCONT.
        defect: What is wrong with it on purpose, see `_plant`.
    """
    _CONTEXT.set_forkserver_preload(["warm_loop"])
    process = _CONTEXT.Process(target=_run, args=(folder, list(words), dict(environ), waits, defect), daemon=True)
    process.start()
    return process


def _run(folder: Path, words: list[str], environ: dict[str, str], waits: bool, defect: str) -> None:
    if waits:
        os.kill(os.getpid(), signal.SIGSTOP)
    os.chdir(folder)
    os.environ.update(environ)
    log = os.open("loop.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(log, standard)
    _plant(defect)
    from barstep.cli.app import main  # noqa: PLC0415 - in the process that is forked

    sys.argv = ["barstep", *words]
    sys.exit(main())


def _plant(defect: str) -> None:
    """Break the loop: what it writes is not there when it says so."""
    if defect != "not durable":
        assert not defect, defect
        return
    from barstep.replay.journal.writer import TradingDecisionJournal  # noqa: PLC0415

    plain, calls = TradingDecisionJournal.commit, [0]

    def commit(self: TradingDecisionJournal) -> None:
        calls[0] += 1
        if calls[0] % 40 == 0:
            plain(self)

    TradingDecisionJournal.commit = commit  # type: ignore[method-assign]
