"""A file of YAML or JSON as a tree of values, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Self

from ..errors import ConfigError
from .digest import file_sha384
from .document import Node, parse
from .problems import Problem

MOST_BYTES = 4_000_000


@dataclass(frozen=True, kw_only=True)
class ReadFile:
    """What stands in a file.

    Attributes:
        file: Its name, as errors show it.
        problems: Errors and warnings, by their place in the file.
        root: The values as they stand in the file.
        file_sha384: Digest of its bytes.
    """

    file: str
    problems: tuple[Problem, ...]
    root: Node
    file_sha384: str

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse it."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def with_problems(self, found: Iterable[Problem]) -> Self:
        """The same with more problems, each put at its place."""
        return replace(self, problems=_located([*self.problems, *found], self.root, self.file))


def read_file(path: FilePath) -> ReadFile:
    """The tree of a file, and what is wrong with it as YAML.

    Raises:
        ConfigError: There is no file that could be looked into.
    """
    file, data = str(path), _bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(path, f"is not UTF-8 in line {line}; save it as UTF-8.") from None
    root, problems = parse(text, file)
    return ReadFile(file=file, problems=tuple(problems), root=root, file_sha384=file_sha384(data))


def _bytes(path: FilePath) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _refused(path, "no such file.") from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise _refused(path, f"has more than {MOST_BYTES:,} bytes; that much is not read.")
    return data


def _refused(path: FilePath, text: str) -> ConfigError:
    return ConfigError([Problem(path=(), text=text, file=str(path))])


def _located(problems: Iterable[Problem], root: Node, file: str) -> tuple[Problem, ...]:
    """Problems with their places, in the order of the file."""
    placed = []
    for problem in problems:
        node = root.find(problem.path)
        placed.append(problem if problem.file else problem.located(file, node.line, node.column))
    return tuple(sorted(placed, key=lambda problem: (problem.line, problem.column)))
