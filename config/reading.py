"""A configuration file, read strictly: everything that is wrong with it is told at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path as FilePath

import msgspec.inspect as kinds

from .core import CoreConfig, WrittenConfig
from .digest import content_sha384
from .document import Node
from .files import ReadFile, read_file
from .policies import ALIASES
from .problems import Problem
from .references import check_references
from .walking import Walk

PACKAGED = FilePath(__file__).resolve().parent / "core.yaml"
_SCHEDULERS = "multi_strategy_schedulers"


@dataclass(frozen=True, kw_only=True)
class ReadConfig(ReadFile):
    """What a file says.

    Attributes:
        config: Its content with all defaults; where there are errors, as much of it as could be read.
    """

    config: CoreConfig

    @property
    def content_sha384(self) -> str:
        """Digest of its content; see `digest`."""
        return content_sha384(self.config)


def read_config(path: FilePath) -> ReadConfig:
    """Read a configuration file, in YAML or JSON.

    Raises:
        ConfigError: There is no file that could be looked into. What is wrong inside is in `problems`.
    """
    tree = read_file(path)
    problems = list(tree.problems)
    root = _schedulers_in_one_place(tree.root, tree.file, problems)
    walk = Walk(ALIASES)
    written = walk.read(root, kinds.type_info(WrittenConfig), ())
    config = CoreConfig(**{name: getattr(written, name) for name in CoreConfig.__struct_fields__})
    read = ReadConfig(file=tree.file, config=config, problems=(), root=root, file_sha384=tree.file_sha384)
    return read.with_problems([*problems, *walk.problems, *check_references(config)])


def default_path() -> FilePath:
    """`config/core.yaml` under the working folder where there is one, else the one that comes with barstep."""
    here = FilePath("config/core.yaml")
    return here if here.is_file() else PACKAGED


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
