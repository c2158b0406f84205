"""Which names a member of a bundle may have: those that mean the same place on every system, inside one folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .faults import BundleError, Verdict

LONGEST_NAME, MOST_LEVELS = 200, 12
_PART = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def check_name(name: str) -> None:
    """Raise BundleError where a name leads out of its folder, or means something else on another system."""
    for fault in _faults_of(name):
        raise BundleError(Verdict.UNSAFE_MEMBER, name or "a member", fault)


def check_names(names: Iterable[str]) -> None:
    """Raise BundleError where a name is not allowed, there twice, the same but for case, or a file and a folder."""
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        check_name(name)
        folded = name.casefold()
        if folded in seen:
            same = "is listed twice." if seen[folded] == name else f"and {seen[folded]!r} differ by case only."
            raise BundleError(Verdict.UNSAFE_MEMBER, name, same)
        seen[folded] = name
        parts = folded.split("/")
        folders.update({"/".join(parts[:level]): name for level in range(1, len(parts))})
    for folded, name in seen.items():
        if folded in folders:
            text = f"is a file, and the folder of {folders[folded]!r}."
            raise BundleError(Verdict.UNSAFE_MEMBER, name, text)


def _faults_of(name: str) -> Iterator[str]:
    parts = name.split("/")
    if not name:
        yield "has no name."
    if len(name) > LONGEST_NAME:
        yield f"has a name of {len(name):,} characters; at most {LONGEST_NAME} are allowed."
    if name.startswith("/") or "\\" in name or ":" in name:
        yield "is an absolute path, or one of another system."
    if ".." in parts or "." in parts or "" in parts:
        yield "leads out of its folder, or around in it."
    if len(parts) > MOST_LEVELS:
        yield f"lies {len(parts)} levels deep; at most {MOST_LEVELS} are allowed."
    for part in parts:
        if _PART.fullmatch(part) is None:
            yield f"has {part!r} in its name; allowed are letters, digits, _, . and -, no dot first or last."
        if _DEVICES.fullmatch(part):
            yield f"has {part!r} in its name, which is a device on some systems."
