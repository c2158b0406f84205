"""How a capital policy came to its last weights: a tree of policies, each with what it made of the schedules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .sheet import Sheet
from .tables import Table
from .texts import NOTHING, counted, decimals, short

_COLUMNS = {
    "weights": "weight, %",
    "raw_weights": "before smoothing, %",
    "scores": "score",
    "penalties": "penalty",
    "profile_weights": "its profile's share, %",
    "tag_weights": "its tag's share, %",
}
_SHARES = ("weights", "raw_weights", "profile_weights", "tag_weights")


@dataclass(frozen=True)
class PolicyPart:
    """A policy of the tree.

    Attributes:
        role: What it is to the policy around it, such as `within_profile`; empty of the outermost.
        title: Its label, and its name where that is another.
        facts: What is told of it as a whole: names and values.
        table: A row a schedule.
        parts: The policies inside it.
    """

    role: str
    title: str
    facts: list[tuple[str, str]]
    table: Table
    parts: list[PolicyPart]


def policy(sheet: Sheet) -> PolicyPart:
    """The tree of the policy that was in force at the end."""
    return _part("", sheet.document["capital_policy"])


def _part(role: str, found: Mapping[str, Any]) -> PolicyPart:
    label, name = found["label"], found["name"]
    components = [
        _part(f"component {each['label']}, mixed in at {_pct(each['mix_weight'])} %", each["policy"])
        for each in found.get("components", ())
    ]
    inside = [_part(key.replace("_", " "), part) for key, part in found.items() if _is_policy(part)]
    title = label if label == name else f"{label} ({name})"
    return PolicyPart(role, title, _facts(found), _table(found), components + inside)


def _is_policy(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("label"), str)


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The shares of profiles and tags."""
    facts = [(f"profile {name}", f"{_pct(share)} %") for name, share in found.get("profiles", {}).items()]
    for name, share in found.get("tags", {}).items():
        facts.append((f"tag {name}", f"{_pct(share)} %, {counted(found['tag_members'][name], 'schedule')}"))
    if found.get("profile_floor_adjustment"):
        facts.append(("profile_floor", "raised a profile"))
    return facts


def _table(found: Mapping[str, Any]) -> Table:
    shown = [name for name in _COLUMNS if name in found]
    rows = [[schedule, *(_told(name, found[name].get(schedule)) for name in shown)] for schedule in found["weights"]]
    return Table("Capital policy", ("schedule", *(_COLUMNS[name] for name in shown)), rows, texts=("schedule",))


def _told(name: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    return _pct(value) if name in _SHARES else short(float(f"{value:.5g}"))


def _pct(share: float | None) -> str:
    return NOTHING if share is None else decimals(share * 100.0, 2)
