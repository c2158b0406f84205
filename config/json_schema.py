"""JSON Schema of the configuration, so that editors complete and check it as it is typed."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as kinds

from .core import WrittenConfig
from .policies import ALIASES, Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema, in the dialect 2020-12.

    It knows shapes, kinds and ranges; what refers to what, and what an engine's parameters are, only
    `barstep config validate` sees.
    """
    schema = msgspec.json.schema(WrittenConfig)
    for definition in schema["$defs"].values():
        _describe(definition)
    _widen(schema)
    return {"$schema": DIALECT, "title": "barstep configuration", **schema}


def _describe(definition: dict[str, Any]) -> None:
    """Move the text of each attribute from the class's description to the property, where editors show it."""
    summary, _, attributes = inspect.cleandoc(definition.get("description", "")).partition("\n\nAttributes:\n")
    definition["description"] = " ".join(summary.split())
    for name, text in re.findall(r"^ *(\w+): (.+(?:\n {5,}.+)*)", attributes, re.MULTILINE):
        if name in definition["properties"]:
            known = definition["properties"][name]
            described = " ".join(text.split())
            known["description"] = f"{described} ({known['description']})" if "description" in known else described


def _widen(schema: Any) -> None:
    """Allow what the reader takes and msgspec does not know of: durations as text, other names of policies."""
    if isinstance(schema, list):
        for member in schema:
            _widen(member)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "number" and "pattern" in schema:
        schema["type"] = ["number", "string"]
    tags = [tag for tag in schema.get("enum", []) if tag in ALIASES.values()]
    if tags and len(schema["enum"]) == 1:
        schema["enum"] = [*tags, *(alias for alias, tag in ALIASES.items() if tag in tags)]
    if _is_policy(schema):
        alone = {"enum": _names_alone()}
        schema["anyOf"] = [alone if member == {"type": "string"} else member for member in schema["anyOf"]]
    schema.pop("discriminator", None)  # OpenAPI's; it does not know the other names
    for member in schema.values():
        _widen(member)


def _is_policy(schema: dict[str, Any]) -> bool:
    members = schema.get("anyOf", [])
    return {"type": "string"} in members and any("discriminator" in member for member in members)


@cache
def _names_alone() -> list[str]:
    """The policies that a name alone is enough for."""
    members = getattr(kinds.type_info(Policy), "types", ())
    structs = [member for member in members if isinstance(member, kinds.StructType)]
    names = [str(struct.tag) for struct in structs if not any(field.required for field in struct.fields)]
    return [*names, *(alias for alias, tag in ALIASES.items() if tag in names)]
