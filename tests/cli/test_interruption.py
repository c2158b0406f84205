"""Signals that end a command in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import typer
from barstep.cli.interruption import interruptible


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of the tests' own process, put back."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_before_anything_is_begun_one_ends_the_command(number: int, code: int) -> None:
    """With its exit code."""
    with pytest.raises(typer.Exit) as ended, interruptible():
        signal.raise_signal(number)
    assert ended.value.exit_code == code


def test_later_they_are_noted_and_nothing_is_cut_short() -> None:
    """SIGTERM decides the exit code where both come."""
    with interruptible() as signals:
        signals.wait_for_them()
        assert not signals.have_come()
        signal.raise_signal(signal.SIGINT)
        assert signals.have_come() and signals.exit_code == 130
        signal.raise_signal(signal.SIGTERM)
        assert signals.exit_code == 0


def test_what_comes_while_the_process_leaves_changes_nothing() -> None:
    """After one SIGTERM the next one is ignored; where none came all is as it was."""
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        pass
    assert signal.getsignal(signal.SIGTERM) == before
    with interruptible() as signals:
        signals.wait_for_them()
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
