"""Signals that end a command in order: SIGTERM, which is done, and SIGINT, which is told by its exit code."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

INTERRUPTED = 130


class Signals:
    """What has come, SIGINT and SIGTERM; from `wait_for_them` on they end nothing by themselves.

    Attributes:
        came: Their numbers, in order.
    """

    def __init__(self) -> None:
        self.came: list[int] = []
        self._ends_at_once = True

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        self.came.append(number)
        if self._ends_at_once:
            raise typer.Exit(self.exit_code)

    def wait_for_them(self) -> None:
        """From now on a signal is only noted: what runs is asked to stop, and stops where it can."""
        self._ends_at_once = False

    def have_come(self) -> bool:
        """Whether there was one."""
        return bool(self.came)

    @property
    def exit_code(self) -> int:
        """What a command exits with that they have ended."""
        return 0 if signal.SIGTERM in self.came else INTERRUPTED


@contextmanager
def interruptible() -> Iterator[Signals]:
    """Give the signals; until `wait_for_them` one ends the command at once, where nothing was begun yet."""
    signals = Signals()
    before = {each: signal.signal(each, signals) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for each, handler in before.items():
            is_ending = each == signal.SIGTERM and each in signals.came
            signal.signal(each, signal.SIG_IGN if is_ending else handler)  # a second one must not end the end
