"""A configuration with some of its values changed, held to the same rules as one that is read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec.inspect as kinds

from ..errors import ConfigError
from .core import CoreConfig
from .policies import ALIASES
from .policy_reading import node_of
from .problems import Path, Problem
from .references import check_references
from .walking import Walk
from .writing import as_plain


def changed(config: CoreConfig, changes: Mapping[Path, Any]) -> CoreConfig:
    """The configuration with other values at some paths.

    Raises:
        ConfigError: There is nothing at a path, or a value is refused; every error is told.
    """
    plain = as_plain(config)
    problems = [problem for path, value in changes.items() for problem in _put(plain, path, value)]
    if problems:
        raise ConfigError(problems)
    walk = Walk(ALIASES)
    read: CoreConfig = walk.read(node_of(plain), kinds.type_info(CoreConfig), ())
    errors = [one for one in (*walk.problems, *check_references(read)) if one.severity == "error"]
    if errors:
        raise ConfigError(errors)
    return read


def _put(plain: dict[str, Any], path: Path, value: Any) -> list[Problem]:
    """Set a value; a last key that is new is left to the reader, who knows whether it may be there."""
    inside: Any = plain
    for place, step in enumerate(path[:-1], start=1):
        if not isinstance(inside, dict) or step not in inside:
            there = ", ".join(map(str, inside)) if isinstance(inside, dict) else "nothing"
            return [Problem(path=path[:place], text=f"there is no {step!r}; there is {there}.")]
        inside = inside[step]
    if not isinstance(inside, dict):
        return [Problem(path=path, text="nothing can stand there.")]
    inside[path[-1]] = value
    return []
