"""A configuration file, read strictly: everything that is wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

import msgspec.inspect as kinds

from ..errors import ConfigError
from .core import CoreConfig, WrittenConfig
from .digest import content_sha384, file_sha384
from .document import Node, parse
from .policies import ALIASES
from .problems import Problem
from .references import check_references
from .walking import Walk

MOST_BYTES = 4_000_000
PACKAGED = FilePath(__file__).resolve().parent / "core.yaml"
_SCHEDULERS = "multi_strategy_schedulers"


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """What a file says.

    Attributes:
        file: Its name, as errors show it.
        config: Its content with all defaults; where there are errors, as much of it as could be read.
        problems: Errors and warnings, by their place in the file.
        root: The values as they stand in the file.
        file_sha384: Digest of its bytes.
    """

    file: str
    config: CoreConfig
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

    @property
    def content_sha384(self) -> str:
        """Digest of its content; see `digest`."""
        return content_sha384(self.config)

    def with_problems(self, found: Iterable[Problem]) -> ReadConfig:
        """The same with more problems, each put at its place."""
        return replace(self, problems=_located([*self.problems, *found], self.root, self.file))


def read_config(path: FilePath) -> ReadConfig:
    """Read a configuration file, in YAML or JSON.

    Raises:
        ConfigError: There is no file that could be looked into. What is wrong inside is in `problems`.
    """
    file, data = str(path), _bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(path, f"is not UTF-8 in line {line}; save it as UTF-8.") from None
    root, problems = parse(text, file)
    root = _schedulers_in_one_place(root, file, problems)
    walk = Walk(ALIASES)
    written = walk.read(root, kinds.type_info(WrittenConfig), ())
    config = CoreConfig(**{name: getattr(written, name) for name in CoreConfig.__struct_fields__})
    read = ReadConfig(file=file, config=config, problems=(), root=root, file_sha384=file_sha384(data))
    return read.with_problems([*problems, *walk.problems, *check_references(config)])


def default_path() -> FilePath:
    """`config/core.yaml` under the working folder where there is one, else the one that comes with barstep."""
    here = FilePath("config/core.yaml")
    return here if here.is_file() else PACKAGED


def _bytes(path: FilePath) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _refused(path, "no such file.") from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise _refused(path, f"has more than {MOST_BYTES:,} bytes; it is no configuration.")
    return data


def _refused(path: FilePath, text: str) -> ConfigError:
    return ConfigError([Problem(path=(), text=text, file=str(path))])


def _schedulers_in_one_place(root: Node, file: str, problems: list[Problem]) -> Node:
    """The tree with the schedulers at its top under `runtime`; one name in both places is a problem."""
    if not isinstance(root.value, dict) or _SCHEDULERS not in root.value:
        return root
    at_top = root.value[_SCHEDULERS]
    runtime = root.value.get("runtime", Node({}, at_top.line, at_top.column))
    if not isinstance(runtime.value, dict):
        return root
    under = runtime.value.get(_SCHEDULERS, Node({}, at_top.line, at_top.column))
    if not isinstance(at_top.value, dict) or not isinstance(under.value, dict):
        return root
    for name in [name for name in at_top.value if name in under.value]:
        here, there = at_top.value[name], under.value[name]
        text = f"stands under runtime too, in line {there.line}; a scheduler's name is given once."
        problems.append(Problem(path=(_SCHEDULERS, name), text=text, file=file, line=here.line, column=here.column))
    both = replace(under, value={**at_top.value, **under.value})
    rest = {name: node for name, node in root.value.items() if name != _SCHEDULERS}
    return replace(root, value={**rest, "runtime": replace(runtime, value={**runtime.value, _SCHEDULERS: both})})


def _located(problems: Iterable[Problem], root: Node, file: str) -> tuple[Problem, ...]:
    """Problems with their places, in the order of the file."""
    placed = []
    for problem in problems:
        node = root.find(problem.path)
        placed.append(problem if problem.file else problem.located(file, node.line, node.column))
    return tuple(sorted(placed, key=lambda problem: (problem.line, problem.column)))
