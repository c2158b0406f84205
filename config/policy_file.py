"""A capital policy in a file of its own, read as strictly as the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

import msgspec.inspect as kinds

from .files import ReadFile, read_file
from .policies import ALIASES, Policy
from .problems import Path
from .references import policy_contradictions
from .walking import Walk

UNDER = "capital_policy"
"""The policy may stand under this key, as in the configuration, or by itself."""


@dataclass(frozen=True, kw_only=True)
class ReadPolicy(ReadFile):
    """What a file says.

    Attributes:
        policy: The policy; None where it could not be read.
        place: Where it stands.
    """

    policy: Policy | None
    place: Path


def read_policy_file(path: FilePath) -> ReadPolicy:
    """Read a policy, in YAML or JSON. Whether what it names is there, `check_policy` tells.

    Raises:
        ConfigError: There is no file that could be looked into. What is wrong inside is in `problems`.
    """
    tree = read_file(path)
    inner = tree.root.value.get(UNDER) if isinstance(tree.root.value, dict) else None
    place: Path = () if inner is None else (UNDER,)
    node = tree.root if inner is None else inner
    walk = Walk(ALIASES)
    policy: Policy | None = walk.read(node, kinds.type_info(Policy), place)
    wrong = list(walk.problems) or ([] if policy is None else list(policy_contradictions(policy, place)))
    read = ReadPolicy(
        file=tree.file,
        policy=None if wrong else policy,
        place=place,
        problems=(),
        root=tree.root,
        file_sha384=tree.file_sha384,
    )
    return read.with_problems([*tree.problems, *wrong])
