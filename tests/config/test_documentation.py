"""What `docs/configuration.md` shows is read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from barstep.config.core import WrittenConfig
from barstep.config.document import Node, parse
from written import CORE, ROOT, read, told

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def plain(node: Node) -> Any:
    """The values alone."""
    if isinstance(node.value, dict):
        return {name: plain(entry) for name, entry in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def merged(one: Any, other: Any) -> Any:
    """The second over the first, mapping by mapping; one with a name, such as a policy, replaces another."""
    if isinstance(one, dict) and isinstance(other, dict) and "name" not in other:
        return {**one, **{name: merged(one.get(name), entry) for name, entry in other.items()}}
    return other


@pytest.mark.parametrize("block", BLOCKS, ids=[f"block{k}" for k in range(len(BLOCKS))])
def test_a_block_beside_the_shipped_configuration_passes(block: str, tmp_path: Path) -> None:
    """Each block is sound YAML by itself, and put into the shipped configuration it has no problem."""
    root, problems = parse(block, "block")
    assert problems == []
    shipped = plain(parse(CORE.read_text(encoding="utf-8"), "core.yaml")[0])
    assert told(read(json.dumps(merged(shipped, plain(root))), tmp_path, engines=True)) == []


def test_every_section_is_documented() -> None:
    """Each key of the configuration is in the page, whatever section it stands in."""
    schema = msgspec.json.schema(WrittenConfig)["$defs"]
    policies = {name for name in schema if "name" in schema[name]["properties"]} | {"MetricWeight"}
    keys = {key for name, one in schema.items() if name not in policies for key in one["properties"]}
    assert {key for key in keys if not re.search(rf"\b{key}\b", PAGE)} == set()
    assert len(BLOCKS) >= 8


def test_the_error_that_is_shown_is_the_error_that_is_told(tmp_path: Path) -> None:
    """The page's example of an error, made."""
    text = CORE.read_text(encoding="utf-8").replace("cadence_seconds", "cadence_second", 1)
    (line,) = told(read(text, tmp_path))
    shown = " ".join(PAGE.partition("```text\n")[2].partition("…")[0].split())
    assert f"error: config/core.yaml:{line}".startswith(shown)
