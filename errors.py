"""What can go wrong, as one tree.

    BarstepError            exit code
    ├── UsageError          2   an argument, a parameter or a name is not allowed
    ├── ConfigError         2   a configuration that is refused, with everything that is wrong with it
    ├── DataError           3   data that cannot be read, or is not what it is said to be
    │   └── FeedError       3   no feed has bars of an instrument, or the other side of the channel is lost
    │       └── UnreachableError  6  there is no connection to the other side
    ├── AuthorizationError  4   a licence, a token or a signature does not allow it
    ├── JournalError        5   a journal, a digest or a key is not what it should be; nothing is done on its word
    └── HeldError           6   another process holds it

A message says what is wrong, where, the value that was found, what is allowed, and the nearest valid name
where one was mistyped. The command line prints it as one line (a refused configuration: a line for each thing that
is wrong) and exits with the code of its class.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


class BarstepError(Exception):
    """Base of every error that barstep raises on purpose."""

    exit_code = 1


class UsageError(BarstepError):
    """An argument, a parameter or a name that is not allowed."""

    exit_code = 2


class ConfigError(BarstepError):
    """A configuration that is refused.

    Attributes:
        problems: Everything that is wrong with it; as text, each is one line.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class DataError(BarstepError):
    """Data that cannot be read, or is not what it is said to be."""

    exit_code = 3


class AuthorizationError(BarstepError):
    """A licence, a token or a signature does not allow it."""

    exit_code = 4


class FeedError(DataError):
    """No feed has bars of an instrument, or the other side of the channel is lost."""


class UnreachableError(FeedError):
    """There is no connection to the other side."""

    exit_code = 6


class JournalError(BarstepError):
    """A journal, a digest or a key is not what it should be; nothing is done on its word."""

    exit_code = 5


class HeldError(BarstepError):
    """Another process holds it."""

    exit_code = 6


def nearest(name: str, known: Iterable[str]) -> str:
    """Advice for a mistyped name: ` Did you mean 'close'?`, or an empty string when nothing is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The text for a name that is not in a list: what it is, the nearest one, and all that are allowed."""
    names = sorted(known)
    return f"unknown {kind} {name!r}.{nearest(name, names)} Allowed: {', '.join(names)}."


def in_one_line(error: Exception) -> str:
    """Kind and text of somebody else's error, without line breaks."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise UsageError where something is at `path` already and the user did not ask to replace it."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already; add --overwrite to replace it, or choose another --output.")
