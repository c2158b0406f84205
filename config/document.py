"""YAML as a tree of values that know their line: a subset that has one reading only.

The parser is PyYAML's; none of its constructors runs, so that nothing is ever made but text, numbers, truths, lists
and mappings. Plain scalars are read by the core schema of YAML 1.2 (`no` is a word, `012` is 12, `1:30` is text, and
an instant is text until a field asks for one). Keys are the text that is written. Tags are refused, and so are keys
that stand twice in one mapping. JSON is read as the YAML that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .problems import Path, Problem

MOST_VALUES = 100_000
MOST_LEVELS = 50

Scalar = str | bool | int | float | None

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Longer whole numbers fall to the next pattern: none of ours needs them, and Python refuses the very long ones.
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# libyaml's parser where PyYAML was built with it: ten times as fast, the same events.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Node:
    """A value and where it stands.

    Attributes:
        value: Text, number, truth or None; a list of nodes; or a mapping of nodes.
        line: Of its key, or of itself in a list; counted from 1.
        column: Counted from 1.
        size: Values in it, itself included, aliases written out.
        levels: Levels of nesting in it, itself included.
    """

    value: Scalar | list[Node] | dict[str, Node]
    line: int
    column: int
    size: int = 1
    levels: int = 1

    def find(self, path: Path) -> Node:
        """The node at a path, or the last one on the way to it where the rest is not written."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                node = node.value[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                break
        return node


def parse(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The tree of a YAML document, and what is wrong with it; where it cannot be parsed, an empty mapping."""
    builder = _Builder(yaml.parse(text, Loader=_PARSER), file)
    try:
        return builder.document(), builder.problems
    except _CannotGoOnError as stop:
        problem = stop.problem
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = ", ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = Problem(path=(), text=f"is no YAML: {told}.", file=file, line=line, column=column)
    except yaml.YAMLError as error:
        problem = Problem(path=(), text=f"is no YAML: {' '.join(str(error).split())}.", file=file)
    return Node({}, 1, 1), [*builder.problems, problem]


def resolve(text: str) -> Scalar:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FRACTION.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else text


class _CannotGoOnError(Exception):
    """What comes after this problem cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class _Builder:
    """Makes nodes from the parser's events, and collects what is wrong with them."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self.events = events
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}

    def document(self) -> Node:
        """The first document; a second one is a problem."""
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, 1, 1)
        root = self._node(next(self.events), ())
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._tell(event, (), "is a second document; a file has one.")
        return root

    def _node(self, event: Any, path: Path) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if len(path) >= MOST_LEVELS:
            raise self._stop(event, path, f"is nested deeper than {MOST_LEVELS} levels.")
        if event.tag is not None:
            self._tell(event, path, f"has the tag {event.tag!r}; tags are not read: write the value alone.")
        if isinstance(event, yaml.ScalarEvent):
            value = resolve(event.value) if event.implicit[0] else event.value
            node = Node(value, *_place(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, path)
        else:
            node = self._mapping(event, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, path: Path) -> Node:
        if event.anchor in self.anchors:
            return self.anchors[event.anchor]
        raise self._stop(event, path, f"is the alias *{event.anchor}, which stands for itself or for nothing.")

    def _list(self, start: Any, path: Path) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return self._container(start, path, items, items)

    def _mapping(self, start: Any, path: Path) -> Node:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._stop(event, path, "has a key that is no plain text; keys are names.")
            key, line, column = event.value, *_place(event)
            if key in entries:
                self._tell(event, (*path, key), f"stands twice; it is in line {entries[key].line} already.")
            elif event.tag is not None or event.anchor is not None:
                self._tell(event, (*path, key), "is a key with a tag or an anchor; keys are plain names.")
            node = self._node(next(self.events), (*path, key))
            entries.setdefault(key, Node(node.value, line, column, node.size, node.levels))
        return self._container(start, path, entries, list(entries.values()))

    def _container(self, start: Any, path: Path, value: list[Node] | dict[str, Node], inside: list[Node]) -> Node:
        size = 1 + sum(node.size for node in inside)
        levels = 1 + max((node.levels for node in inside), default=0)
        if size > MOST_VALUES or levels > MOST_LEVELS:
            most = f"{MOST_VALUES:,} values and {MOST_LEVELS} levels"
            raise self._stop(start, path, f"is too large with its aliases written out; the most is {most}.")
        return Node(value, *_place(start), size, levels)

    def _tell(self, event: Any, path: Path, text: str) -> None:
        self.problems.append(self._problem(event, path, text))

    def _stop(self, event: Any, path: Path, text: str) -> _CannotGoOnError:
        return _CannotGoOnError(self._problem(event, path, text))

    def _problem(self, event: Any, path: Path, text: str) -> Problem:
        line, column = _place(event)
        return Problem(path=path, text=text, file=self.file, line=line, column=column)


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
