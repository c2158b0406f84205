"""What is asked of a scheduler without changing it: printed, and written to files as JSON."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer

from ..managing import Asked
from . import listings

PRINTED: Mapping[str, Callable[[Any], None]] = MappingProxyType(
    {
        "schedules": listings.print_schedules,
        "suspensions": listings.print_suspensions,
        "signal_limits": listings.print_signal_limits,
        "capital_state": listings.print_capital_state,
        "capital_diagnostics": listings.print_capital_diagnostics,
    }
)
"""What is looked at, in the order in which it is printed, by its verb."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What is to be looked at.

    Attributes:
        shown: By verb whether it is printed.
        exported: By verb the file that it is written to; None: none.
    """

    shown: Mapping[str, bool]
    exported: Mapping[str, Path | None]

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to look at."""
        return any(self.shown.values()) or any(path is not None for path in self.exported.values())

    def look(self, asked: Asked, *, quiet: bool) -> dict[str, Any]:
        """Ask, print unless `quiet`, and write; gives what was asked, by verb, and `exports`, the files by verb."""
        found: dict[str, Any] = {}
        exports: dict[str, str] = {}
        for verb, show in PRINTED.items():
            path = self.exported.get(verb)
            if not self.shown.get(verb) and path is None:
                continue
            body = asked.ask(verb)
            if self.shown.get(verb):
                found[verb] = body
                if not quiet:
                    show(body)
            if path is not None:
                export(path, body)
                exports[verb] = str(path)
                if not quiet:
                    typer.echo(f"wrote {path}")
        return found | ({"exports": exports} if exports else {})


def export(path: Path, body: Any) -> None:
    """Write it as JSON, in folders that are made where they are missing; what was there is replaced as a whole."""
    import json

    from ...data.whole_file import whole_file

    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(body, indent=2, allow_nan=False) + "\n", encoding="utf-8")
