"""A file of commands, read as strictly as the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

import msgspec.inspect as kinds

from ..errors import UsageError
from .commands import AnyCommand, ReplaceCapitalPolicy, SetCapitalPolicy, TimedCommand, WrittenCommands
from .files import ReadFile, read_file
from .policies import ALIASES
from .policy_reading import node_of
from .problems import Path, Problem
from .references import policy_contradictions, two_ends
from .walking import Walk


@dataclass(frozen=True, kw_only=True)
class ReadCommands(ReadFile):
    """What a file says.

    Attributes:
        written: The commands in the order of the file; None in the place of one that could not be read.
    """

    written: tuple[AnyCommand | None, ...]

    @property
    def commands(self) -> tuple[AnyCommand, ...]:
        """Those that could be read, by their instant; of one instant, in the order of the file."""
        read = [command for command in self.written if command is not None and command.at is not None]
        return tuple(sorted(read, key=lambda command: command.at))

    def places(self) -> Iterator[tuple[Path, AnyCommand]]:
        """Those that could be read, each with its path."""
        for index, command in enumerate(self.written):
            if command is not None:
                yield ("commands", index), command


def read_commands(path: FilePath) -> ReadCommands:
    """Read a file of commands, in YAML or JSON. Whether what they name is there, `check_commands` tells.

    Raises:
        ConfigError: There is no file that could be looked into. What is wrong inside is in `problems`.
    """
    tree = read_file(path)
    walk = Walk(ALIASES)
    written: WrittenCommands = walk.read(tree.root, kinds.type_info(WrittenCommands), ())
    read = ReadCommands(
        file=tree.file,
        written=tuple(written.commands),
        problems=(),
        root=tree.root,
        file_sha384=tree.file_sha384,
    )
    impossible = [problem for place, command in read.places() for problem in _contradictions(command, place)]
    return read.with_problems([*tree.problems, *walk.problems, *impossible])


def make_command(fields: Mapping[str, Any]) -> AnyCommand:
    """A command from plain values, held to the same as one in a file; fields that are None are left out.

    Raises:
        UsageError: A field is unknown or missing, or a value is not allowed; all of it is told.
    """
    walk = Walk(ALIASES)
    plain = {name: _plain(value) for name, value in fields.items() if value is not None}
    command: AnyCommand = walk.read(node_of(plain), kinds.type_info(AnyCommand), (str(fields["command"]),))
    problems = walk.problems or list(_contradictions(command, (str(fields["command"]),)))
    if problems:
        raise UsageError(" ".join(str(problem) for problem in problems))
    return command


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _contradictions(command: AnyCommand, path: Path) -> Iterator[Problem]:
    if isinstance(command, TimedCommand):
        yield from two_ends(command, path)
        if command.until is not None and command.at is not None and command.until <= command.at:
            text = f"is {command.until.isoformat()}; it must be after 'at', which is {command.at.isoformat()}."
            yield Problem(path=(*path, "until"), text=text)
    elif isinstance(command, SetCapitalPolicy | ReplaceCapitalPolicy):
        yield from policy_contradictions(command.policy, (*path, "policy"))
