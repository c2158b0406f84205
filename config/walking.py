"""A tree of values held against the schema: Structs come out, and everything that is wrong is collected.

msgspec's own conversion stops at the first error and knows no lines. This walk goes on: a value that cannot be read
is told of and replaced by its default, or by something empty where it is required, so that what refers to it is
checked too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec.inspect as kinds

from ..errors import UsageError, nearest, unknown_name
from .document import Node, resolve
from .durations import parse_duration, parse_instant
from .problems import Path, Problem

_LONGEST_SHOWN = 60


class Walk:
    """One walk over a tree.

    Attributes:
        problems: What was found to be wrong, in the order of the schema; not located yet.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        """`aliases`: other tags of Structs, such as the other names of capital policies."""
        self.problems: list[Problem] = []
        self._aliases = aliases
        self._readers: dict[type, Callable[[Node, Any, Path], Any]] = {
            kinds.StructType: self._struct,
            kinds.DictType: self._dict,
            kinds.ListType: self._list,
            kinds.UnionType: self._union,
            kinds.Metadata: self._metadata,
            kinds.StrType: self._text,
            kinds.FloatType: self._number,
            kinds.IntType: self._whole,
            kinds.BoolType: self._truth,
            kinds.LiteralType: self._literal,
            kinds.DateTimeType: self._instant,
        }

    def read(self, node: Node, kind: Any, path: Path) -> Any:
        """The value of a node as `kind` says it is."""
        return self._readers[type(kind)](node, kind, path)

    def _tell(self, path: Path, text: str) -> None:
        self.problems.append(Problem(path=path, text=text))

    def _refuse(self, node: Node, kind: Any, path: Path) -> Any:
        self._tell(path, f"is {shown(node)}; allowed is {allowed(kind)}.{_advice(node, kind)}")
        return _empty(kind)

    def _metadata(self, node: Node, kind: kinds.Metadata, path: Path) -> Any:
        extra = kind.extra or {}
        if "duration" in extra and isinstance(node.value, str):
            return self._duration(node, kind, path)
        before = len(self.problems)
        value = self.read(node, kind.type, path)
        secret = "secret" in extra and not isinstance(node.value, dict | list)
        if len(self.problems) > before and (secret or "description" in (kind.extra_json_schema or {})):
            del self.problems[before:]
            if secret:
                self._tell(path, f"is not shown, for it may be a secret; allowed is {allowed(kind)}.")
            else:
                self._refuse(node, kind, path)
        return value

    def _struct(self, node: Node, kind: kinds.StructType, path: Path) -> Any:
        if not isinstance(node.value, dict):
            self._refuse(node, kind, path)
            return kind.cls(**{field.name: _empty(field.type) for field in kind.fields if field.required})
        fields = {field.encode_name: field for field in kind.fields}
        known = [*([kind.tag_field] if kind.tag_field else []), *fields]
        unknown = [name for name in node.value if name not in known]
        for name in unknown:
            self._tell((*path, name), unknown_name("key", name, known))
        mistyped = "".join(nearest(name, known) for name in unknown)
        values = {}
        for name, field in fields.items():
            if name in node.value:
                value = self.read(node.value[name], field.type, (*path, name))
                if field.required or value is not None:
                    values[field.name] = value
            elif field.required:
                if repr(name) not in mistyped:
                    self._tell(path, f"has no {name!r}, which is required: {allowed(field.type)}.")
                values[field.name] = _empty(field.type)
            elif _tagged_members(field.type) and isinstance(field.default, str):
                values[field.name] = self.read(Node(field.default, node.line, node.column), field.type, (*path, name))
        return kind.cls(**values)

    def _dict(self, node: Node, kind: kinds.DictType, path: Path) -> dict[str, Any]:
        if not isinstance(node.value, dict):
            return self._refuse(node, kind, path)  # type: ignore[no-any-return]
        if kind.min_length and len(node.value) < kind.min_length:
            self._tell(path, "is empty; at least one entry is required.")
        values = {}
        for name, entry in node.value.items():
            self.read(Node(name, entry.line, entry.column), kind.key_type, (*path, name))
            value = self.read(entry, kind.value_type, (*path, name))
            if value is not None:
                values[name] = value
        return values

    def _list(self, node: Node, kind: kinds.ListType, path: Path) -> list[Any]:
        if not isinstance(node.value, list):
            return self._refuse(node, kind, path)  # type: ignore[no-any-return]
        if kind.min_length and len(node.value) < kind.min_length:
            self._tell(path, "is empty; at least one entry is required.")
        # An item that cannot be read may be None; it stays, so that those behind it keep their places.
        return [self.read(item, kind.item_type, (*path, index)) for index, item in enumerate(node.value)]

    def _union(self, node: Node, kind: kinds.UnionType, path: Path) -> Any:
        members = [member for member in kind.types if not isinstance(member, kinds.NoneType)]
        if node.value is None and len(members) < len(kind.types):
            return None
        tagged = _tagged_members(kind)
        if tagged:
            return self._tagged(node, kind, tagged, path)
        fitting = members if len(members) == 1 else [member for member in members if _fits(node, _bare(member))]
        return self.read(node, fitting[0], path) if fitting else self._refuse(node, kind, path)

    def _tagged(self, node: Node, kind: kinds.UnionType, members: list[kinds.StructType], path: Path) -> Any:
        """A Struct by its tag; a tag alone is the Struct with its defaults."""
        tag_field = str(members[0].tag_field)
        if isinstance(node.value, str):
            node = Node({tag_field: node}, node.line, node.column)
        if not isinstance(node.value, dict):
            return self._refuse(node, kind, path)
        if tag_field not in node.value:
            mistyped = [key for key in node.value if nearest(key, [tag_field])]
            for key in mistyped:
                self._tell((*path, key), unknown_name("key", key, [tag_field]))
            if not mistyped:
                tags = ", ".join(str(member.tag) for member in members)
                self._tell(path, f"has no {tag_field!r}, which is required: {tags}.")
            return None
        by_tag = {str(member.tag): member for member in members}
        by_tag |= {alias: by_tag[tag] for alias, tag in self._aliases.items() if tag in by_tag}
        tag = node.value[tag_field]
        if isinstance(tag.value, str) and tag.value in by_tag:
            return self._struct(node, by_tag[tag.value], path)
        unknown = unknown_name(tag_field, tag.value, by_tag) if isinstance(tag.value, str) else f"is {shown(tag)}."
        self._tell((*path, tag_field), unknown)
        return None

    def _text(self, node: Node, kind: kinds.StrType, path: Path) -> Any:
        if not isinstance(node.value, str):
            return self._refuse(node, kind, path)
        text = node.value
        if kind.min_length and len(text) < kind.min_length:
            return self._refuse(node, kind, path)
        if kind.pattern and re.fullmatch(kind.pattern, text) is None:  # `$` alone would let a last line break pass
            return self._refuse(node, kind, path)
        return text

    def _number(self, node: Node, kind: kinds.FloatType, path: Path) -> Any:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return self._refuse(node, kind, path)
        return float(value) if _within(value, kind) else self._refuse(node, kind, path)

    def _whole(self, node: Node, kind: kinds.IntType, path: Path) -> Any:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int):
            return self._refuse(node, kind, path)
        return value if _within(value, kind) else self._refuse(node, kind, path)

    def _truth(self, node: Node, kind: kinds.BoolType, path: Path) -> Any:
        return node.value if isinstance(node.value, bool) else self._refuse(node, kind, path)

    def _literal(self, node: Node, kind: kinds.LiteralType, path: Path) -> Any:
        if isinstance(node.value, str) and node.value in kind.values:
            return node.value
        return self._refuse(node, kind, path)

    def _instant(self, node: Node, kind: kinds.DateTimeType, path: Path) -> datetime | None:
        try:
            return parse_instant(str(node.value))
        except UsageError:
            return self._refuse(node, kind, path)  # type: ignore[no-any-return]

    def _duration(self, node: Node, kind: kinds.Metadata, path: Path) -> Any:
        try:
            seconds = parse_duration(str(node.value))
        except UsageError as error:
            self._tell(path, f"{error}.")
            return None
        return self._number(Node(seconds, node.line, node.column), kind.type, path)  # type: ignore[arg-type]


def shown(node: Node) -> str:
    """A value as an error shows it."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if node.value is None:
        return "empty"
    text = str(node.value).lower() if isinstance(node.value, bool) else repr(node.value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def allowed(kind: Any) -> str:
    """What a kind allows, in words."""
    if isinstance(kind, kinds.Metadata):
        described = (kind.extra_json_schema or {}).get("description")
        return f"{described}{_bounds(kind.type)}" if described else allowed(kind.type)
    if isinstance(kind, kinds.UnionType):
        for member in _tagged_members(kind):
            mapping = f"a mapping with a {member.tag_field}"
            alone = any(isinstance(other, kinds.StrType) for other in kind.types)
            return f"a {member.tag_field}, or {mapping}" if alone else mapping
        return " or ".join(allowed(member) for member in kind.types if not isinstance(member, kinds.NoneType))
    if isinstance(kind, kinds.LiteralType):
        return ", ".join(map(str, kind.values))
    if isinstance(kind, kinds.StrType) and kind.min_length:
        return "text, not empty"
    words: dict[Any, str] = {
        kinds.StrType: "text",
        kinds.FloatType: "a number",
        kinds.IntType: "a whole number",
        kinds.BoolType: "true or false",
        kinds.DateTimeType: "an instant",
        kinds.ListType: "a list",
        kinds.DictType: "a mapping",
        kinds.StructType: "a mapping",
    }
    return f"{words[type(kind)]}{_bounds(kind)}"


def _bounds(kind: Any) -> str:
    """The range of a number in words; nothing where it has none."""
    words = {"gt": "over", "ge": "at least", "lt": "under", "le": "at most"}
    parts = [f"{word} {bound:g}" for name, word in words.items() if (bound := getattr(kind, name, None)) is not None]
    return f", {' and '.join(parts)}" if parts else ""


def _within(value: float, kind: kinds.FloatType | kinds.IntType) -> bool:
    return (
        (kind.gt is None or value > kind.gt)
        and (kind.ge is None or value >= kind.ge)
        and (kind.lt is None or value < kind.lt)
        and (kind.le is None or value <= kind.le)
    )


def _advice(node: Node, kind: Any) -> str:
    """What is probably meant."""
    bare, value = _bare(kind), node.value
    if isinstance(bare, kinds.LiteralType):
        return nearest(str(value), map(str, bare.values))
    if isinstance(bare, kinds.StrType) and isinstance(value, bool | int | float):
        return " Put it in quotes."
    quoted = isinstance(value, str) and isinstance(resolve(value), int | float)
    return " Leave the quotes out." if quoted and isinstance(bare, kinds.IntType | kinds.FloatType) else ""


def _bare(kind: Any) -> Any:
    return kind.type if isinstance(kind, kinds.Metadata) else kind


def _tagged_members(kind: Any) -> list[kinds.StructType]:
    """Members of a union that are told apart by a tag."""
    if not isinstance(kind, kinds.UnionType):
        return []
    return [member for member in kind.types if isinstance(member, kinds.StructType) and member.tag_field]


def _fits(node: Node, kind: Any) -> bool:
    """Whether a node has the shape of a kind; whether it is allowed is seen when it is read."""
    shapes: dict[type, tuple[type, ...]] = {
        dict: (kinds.StructType, kinds.DictType),
        list: (kinds.ListType,),
        bool: (kinds.BoolType,),
        int: (kinds.IntType, kinds.FloatType),
        float: (kinds.FloatType,),
        str: (kinds.StrType,),
    }
    return isinstance(kind, shapes.get(type(node.value), ()))


def _empty(kind: Any) -> Any:
    """What stands for a value that could not be read."""
    bare = _bare(kind)
    if isinstance(bare, kinds.DictType):
        return {}
    if isinstance(bare, kinds.StrType):
        return ""
    return [] if isinstance(bare, kinds.ListType) else None
