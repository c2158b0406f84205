"""The JSON Schema: what the reader takes it takes, and it refuses what has the wrong shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from barstep.config.json_schema import json_schema
from barstep.config.reading import read_config
from barstep.config.writing import as_plain
from test_examples import LOADING, placed
from written import CORE, read, scheduler

SCHEMA = json_schema()
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip


def fits(value: Any, schema: Any) -> bool:
    """Whether a value is what a schema allows, as far as this schema's words go."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    return (
        any(fits(value, member) for member in schema.get("anyOf", [True]))
        and value in schema.get("enum", [value])
        and _type_fits(value, schema.get("type", list(TYPES)))
        and (not isinstance(value, str) or re.search(schema.get("pattern", ""), value) is not None)
        and (isinstance(value, bool) or not isinstance(value, int | float) or _range_fits(value, schema))
        and (not isinstance(value, list) or all(fits(item, schema.get("items", True)) for item in value))
        and (not isinstance(value, dict) or _mapping_fits(value, schema))
    )


def _type_fits(value: Any, kinds: str | list[str]) -> bool:
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return any(isinstance(value, TYPES[kind]) and (kind == "boolean") == isinstance(value, bool) for kind in kinds)


def _range_fits(value: float, schema: dict[str, Any]) -> bool:
    least, most, over = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    return (least is None or value >= least) and (most is None or value <= most) and (over is None or value > over)


def _mapping_fits(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if set(schema.get("required", [])) - set(value) or len(value) < schema.get("minProperties", 0):
        return False
    names = schema.get("propertyNames", True)
    return all(fits(name, names) and fits(entry, known.get(name, others)) for name, entry in value.items())


class _Written(yaml.SafeLoader):
    """YAML as an editor's language server reads it: instants stay text."""


_Written.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def as_editors_read(text: str) -> Any:
    """A file as an editor checks it."""
    return yaml.load(text, Loader=_Written)  # noqa: S506 - a SafeLoader


def test_it_takes_the_shipped_configuration() -> None:
    """As it is written, and with all defaults."""
    assert fits(as_editors_read(CORE.read_text(encoding="utf-8")), SCHEMA)
    assert fits(as_plain(read_config(CORE).config), SCHEMA)


@pytest.mark.parametrize("name", LOADING)
def test_it_takes_the_examples(name: str) -> None:
    """Schedulers at the top, durations as text, names of policies alone, numbers or mappings as limits."""
    assert fits(as_editors_read(placed(name)), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "capital_policy: composit",
        "capital_policy: smoothed",
        "capital_policy: {name: tag_budgt, tags: {a: 1}}",
        "health_check_interval: soon",
        "health_check_interval: 0",
        "signal_limits: {trend_engine: {balanced: x}}",
        "initial_suspensions: [{tagg: trend}]",
        "rbac_tokens: [{id: a, env: small, scopes: [runtime.schedule.read]}]",
        "portfolio_governor: {on_breach: panic}",
    ],
)
def test_it_refuses_what_the_reader_refuses(text: str, tmp_path: Path) -> None:
    """A wrong value is marked while it is typed, and refused when it is read."""
    assert not fits(as_editors_read(scheduler(text)), SCHEMA)
    assert read(scheduler(text), tmp_path).errors


@pytest.mark.parametrize(
    "text",
    [
        "capital_policy: drawdown_adaptive",
        "capital_policy: {name: tag_budget, tags: {trend: 1}}",
        "health_check_interval: 1.5h",
        "allocation_rebalance_seconds: null",
    ],
)
def test_it_takes_what_the_reader_takes(text: str, tmp_path: Path) -> None:
    """Other names of policies, and durations."""
    assert fits(as_editors_read(scheduler(text)), SCHEMA)
    assert read(scheduler(text), tmp_path).problems == ()


def test_editors_have_something_to_show() -> None:
    """Each property of a section that has a documented attribute carries its text."""
    schedule = SCHEMA["$defs"]["Schedule"]["properties"]
    assert schedule["warmup_bars"]["description"] == ("Closed bars of `interval` that must exist before the first run.")
    assert "15m, 2h or 1d" in schedule["cadence_seconds"]["description"]
    assert "ISO 8601" in str(SCHEMA["$defs"]["Suspension"]["properties"]["until"])
    assert all("Attributes:" not in definition["description"] for definition in SCHEMA["$defs"].values())
