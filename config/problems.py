"""What is wrong with a configuration, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: Keys and places in lists, from the top of the file to the value.
        text: What is wrong, the value that was found, what is allowed, and the nearest valid name.
        severity: An error refuses the configuration; a warning does not.
        file: The file; empty until the problem is located.
        line: Counted from 1; 0 where there is none.
        column: Counted from 1; 0 where there is none.
    """

    path: Path
    text: str
    severity: Literal["error", "warning"] = "error"
    file: str = ""
    line: int = 0
    column: int = 0

    def located(self, file: str, line: int, column: int) -> Problem:
        """The same problem with its place in a file."""
        return replace(self, file=file, line=line, column=column)

    def as_json(self) -> dict[str, Any]:
        """The problem as plain values, its path written as people write it."""
        return asdict(self) | {"path": written(self.path)}

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, written(self.path), self.text) if part)


def written(path: Path) -> str:
    """A path as people write it: `runtime.multi_strategy_schedulers.core_multi.initial_suspensions[0].reason`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
