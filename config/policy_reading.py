"""A capital policy by itself, read by the same walk as a whole configuration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from numbers import Real
from typing import Any

import msgspec
import msgspec.inspect as kinds

from ..errors import UsageError
from .document import Node
from .policies import ALIASES, Policy, Written
from .references import policy_contradictions
from .walking import Walk


def read_policy(policy: object, where: str = "capital_policy") -> Written:
    """The Struct of a policy that is written as a name, a mapping or a Struct; those inside it become Structs too.

    Raises:
        UsageError: A name or a field is unknown, a field is missing, or a value is not allowed; all of it is told.
    """
    walk, path = Walk(ALIASES), (where,)
    read: Any = walk.read(node_of(policy), _policy_kind(), path)
    problems = walk.problems or list(policy_contradictions(read, path))
    if problems:
        raise UsageError(" ".join(str(problem) for problem in problems))
    written: Written = read
    return written


@cache
def _policy_kind() -> kinds.Type:
    """What is known of the type: looking into it takes milliseconds, and every run reads a policy."""
    return kinds.type_info(Policy)


def node_of(value: Any) -> Node:
    """Plain values and Structs as a tree without lines: what was made by hand is held to the same rules."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    if isinstance(value, Mapping):
        return Node({str(name): node_of(entry) for name, entry in value.items()}, 0, 0)
    if isinstance(value, list | tuple):
        return Node([node_of(entry) for entry in value], 0, 0)
    if value is None or isinstance(value, bool | int | str):
        return Node(value, 0, 0)
    return Node(float(value) if isinstance(value, Real) else repr(value), 0, 0)
